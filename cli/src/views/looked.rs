//! How much was looked at for a list, and since when it is complete.

use std::io::Write as _;

use tickwheel_api::answers::Looked;

use crate::instant;

/// Entries that one request looks at, at most.
const LOOK_MAX: u64 = 6_400;

/// What the next request may look at, as the wire has it.
pub(crate) fn next_look(looked: &Looked, most: u64) -> u32 {
    let left = most.saturating_sub(looked.entries).clamp(1, LOOK_MAX);
    u32::try_from(left).unwrap_or_default()
}

/// Says on standard error that a list stopped before its end.
pub(crate) fn tell_cut(looked: &Looked, found: usize) {
    tell(&cut(looked, found));
}

fn cut(looked: &Looked, found: usize) -> String {
    format!(
        "looked at {} of ~{}; {found} match; go on with --max-look",
        grouped(looked.entries),
        grouped(looked.of)
    )
}

/// Says on standard error since when a list of what has ended is complete.
pub(crate) fn tell_horizon(looked: &Looked) {
    if looked.complete_since_ms > 0 {
        tell(&horizon_line(looked));
    }
}

fn horizon_line(looked: &Looked) -> String {
    format!(
        "what has ended is complete since {}: {}",
        instant::text(looked.complete_since_ms),
        looked.horizon
    )
}

fn tell(line: &str) {
    // Nobody is left to tell when standard error is gone.
    drop(writeln!(std::io::stderr(), "{line}"));
}

/// A number with commas, as people read it.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use tickwheel_proto::v1;

    #[test]
    fn a_list_that_was_cut_says_how_much_it_looked_at() {
        let mut looked = Looked::default();
        let page = |entries| {
            Some(v1::Looked {
                entries,
                of: 1_000_000,
            })
        };
        assert_eq!(next_look(&looked, 100_000), 6_400);
        looked.add(page(6_400), None);
        looked.add(page(93_000), None);
        assert_eq!(next_look(&looked, 100_000), 600);
        looked.add(page(600), None);
        assert_eq!(
            cut(&looked, 3),
            "looked at 100,000 of ~1,000,000; 3 match; go on with --max-look"
        );
        assert_eq!(
            next_look(&looked, 100_000),
            1,
            "a request looks at something"
        );
    }

    #[test]
    fn what_was_let_go_is_said_with_its_time() {
        let mut looked = Looked::default();
        let horizon = v1::Horizon {
            complete_since_ms: 1_767_225_600_000,
            reason: "the rest went".to_owned(),
        };
        looked.add(None, Some(horizon));
        assert_eq!(
            horizon_line(&looked),
            "what has ended is complete since 2026-01-01T00:00:00.000Z: the rest went"
        );
    }

    #[test]
    fn numbers_have_commas() {
        let texts = [0, 999, 1_000, 12_345, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }
}
