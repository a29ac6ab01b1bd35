//! Numbers of a document that would be read as others than were written.
//!
//! A phone number, a postal code or an account with zeros in front is text to whoever writes it, and a number to YAML: its zeros are gone, or it
//! becomes a float. An integer beyond 64 bits is rounded. Neither is guessed at: both are mistakes, with the line.

use granit_parser::{Event, Parser, ScalarStyle};

/// Where, and what is wrong with it.
type Inexact = (usize, String);

/// What a node is inside of, and whether the next one is a key.
enum Inside {
    List,
    Map { key_next: bool },
}

/// Plain numbers of `text` that no reader would give back as they stand, each with its line. Nothing for a text that is no YAML: that is
/// told by whoever reads it.
pub(super) fn inexact(text: &str) -> Vec<Inexact> {
    let mut found = Vec::new();
    let mut inside: Vec<Inside> = Vec::new();
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else {
            return found;
        };
        match event {
            Event::Scalar(value, style, _, tag) => {
                let is_key = step(&mut inside);
                if style == ScalarStyle::Plain && tag.is_none() && !is_key {
                    let line = span.start.line();
                    found.extend(mistake(&value).map(|rule| (line, rule)));
                }
            }
            Event::Alias(..) => {
                step(&mut inside);
            }
            Event::SequenceStart(..) => {
                step(&mut inside);
                inside.push(Inside::List);
            }
            Event::MappingStart(..) => {
                step(&mut inside);
                inside.push(Inside::Map { key_next: true });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                inside.pop();
            }
            // Also what a later version of the parser may tell of: it is no value.
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::DocumentEnd
            | Event::Anchor(..)
            | Event::UnresolvedAlias(_)
            | Event::Comment(..)
            | _ => {}
        }
    }
    found
}

/// A node begins; whether it is a key.
fn step(inside: &mut [Inside]) -> bool {
    match inside.last_mut() {
        Some(Inside::Map { key_next }) => {
            *key_next = !*key_next;
            !*key_next
        }
        Some(Inside::List) | None => false,
    }
}

/// What is wrong with a plain scalar, if it looks like a number.
fn mistake(text: &str) -> Option<String> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let whole = digits.split(['.', 'e', 'E']).next().unwrap_or_default();
    let is_number = !whole.is_empty()
        && whole.bytes().all(|byte| byte.is_ascii_digit())
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    if !is_number {
        return None;
    }
    if whole.len() > 1 && whole.starts_with('0') {
        return Some(format!(
            "{text} begins with a zero that a number does not keep: write it in quotes, or without the zero"
        ));
    }
    let is_integer = whole.len() == digits.len();
    let fits = text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok();
    (is_integer && !fits).then(|| {
        format!("{text} is an integer beyond 64 bits, which would be rounded: write it in quotes")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_in_front_and_integers_beyond_64_bits_are_mistakes() {
        for wrong in [
            "0100",
            "007",
            "013800138000",
            "09007199254740993",
            "-01",
            "00.5",
            "18446744073709551616",
            "-9223372036854775809",
        ] {
            let found = inexact(&format!("a:\n  b: {wrong}\n"));
            assert_eq!(found.len(), 1, "{wrong}");
            assert_eq!(found[0].0, 2, "{wrong}");
            assert!(found[0].1.starts_with(wrong), "{found:?}");
        }
    }

    #[test]
    fn what_is_kept_as_it_stands_is_none() {
        let text = "a: 0\nb: 0.5\nc: 100000000000000000000.5\nd: '0100'\ne: \"007\"\nf: 18446744073709551615\n\
                    g: -9223372036854775808\nh: 2026-01-01T00:00:00Z\ni: 1e400\n007: key\nj: [1, 2.50, 0x1f]\n\
                    k: |\n  0100\nl: 10s\nm: !!str 0100\n";
        assert_eq!(inexact(text), []);
    }

    #[test]
    fn json_and_lists_are_looked_through() {
        assert_eq!(
            inexact(r#"{"a": [1, {"b": 99999999999999999999}]}"#).len(),
            1
        );
        assert_eq!(inexact("- 01\n- [02]\n---\n- 03\n").len(), 3);
    }
}
