//! How much is due when.

use std::fmt::Write as _;

use serde::Serialize;
use tickwheel_api::answers::{Wheel, WheelBucket, WheelCounts, WheelKinds};

use crate::instant;
use crate::output::{Row, table};

/// Marks of the longest bar.
const BAR: u64 = 40;

/// A bucket beside the one that has most.
#[derive(Serialize)]
struct Line<'a> {
    bucket: &'a WheelBucket,
    most: u64,
}

impl Row for Line<'_> {
    const HEADERS: &'static [&'static str] = &[
        "from",
        "entries",
        "runs",
        "retries",
        "jobs",
        "deadlines",
        "upkeep",
        "",
    ];

    fn cells(&self) -> Vec<String> {
        let WheelBucket {
            from_ms,
            entries,
            kinds,
        } = self.bucket;
        let mut cells = vec![instant::text(*from_ms), entries.to_string()];
        match kinds {
            Some(kinds) => {
                let WheelKinds {
                    runs,
                    retries,
                    jobs,
                    deadlines,
                    upkeep,
                } = kinds;
                let numbers = [runs, retries, jobs, deadlines, upkeep];
                cells.extend(numbers.map(ToString::to_string));
            }
            // Too many to be read.
            None => cells.extend(std::iter::repeat_n("?".to_owned(), 5)),
        }
        let marks = (entries * BAR).div_ceil(self.most.max(1));
        cells.push("#".repeat(usize::try_from(marks).unwrap_or_default()));
        cells
    }
}

/// Numbers, and a table of the buckets that have any.
pub(crate) fn wheel_text(wheel: &Wheel) -> String {
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = writeln!(text, "time     {}", instant::text(wheel.time_ms));
    match &wheel.counts {
        Some(counts) => add_counts(&mut text, counts),
        None => text.push_str(
            "your token does not see everything, and these numbers count what is everybody's: see `tickwheel upcoming`\n",
        ),
    }
    if wheel.unreadable > 0 {
        let _ = writeln!(
            text,
            "{} partitions could not be counted: see `tickwheel store check`",
            wheel.unreadable
        );
    }
    text
}

fn add_counts(text: &mut String, counts: &WheelCounts) {
    let overdue = match counts.overdue {
        0 => "0".to_owned(),
        count => format!("{count}, the first since {} ms", counts.lag_ms),
    };
    let _ = writeln!(
        text,
        "overdue  {overdue}\nlater    {}\nall      {}",
        counts.later, counts.entries
    );
    let filled = counts.buckets.iter().filter(|bucket| bucket.entries > 0);
    let most = filled.clone().map(|bucket| bucket.entries).max();
    let Some(most) = most else {
        text.push_str("nothing is due within these spans of time\n");
        return;
    };
    let lines: Vec<Line<'_>> = filled.map(|bucket| Line { bucket, most }).collect();
    text.push('\n');
    text.push_str(&table(&lines, None));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(from_ms: u64, entries: u64, kinds: Option<WheelKinds>) -> WheelBucket {
        WheelBucket {
            from_ms,
            entries,
            kinds,
        }
    }

    #[test]
    fn spans_with_something_are_a_table_with_bars() {
        let kinds = WheelKinds {
            jobs: 1,
            ..WheelKinds::default()
        };
        let counts = WheelCounts {
            entries: 90,
            overdue: 2,
            lag_ms: 7,
            buckets: vec![
                bucket(1_000, 1, Some(kinds)),
                bucket(2_000, 0, Some(WheelKinds::default())),
                bucket(3_000, 80, None),
            ],
            later: 7,
        };
        let wheel = Wheel {
            time_ms: 1_500,
            width_ms: 1_000,
            counts: Some(counts),
            unreadable: 0,
        };
        let text = wheel_text(&wheel);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "overdue  2, the first since 7 ms");
        assert_eq!(lines.len(), 8, "{text}");
        assert!(lines[6].ends_with("  1     0          0       #"), "{text}");
        assert!(lines[7].ends_with(&"#".repeat(40)), "{text}");
        let scoped = wheel_text(&Wheel {
            counts: None,
            ..wheel
        });
        assert!(scoped.contains("does not see everything"), "{scoped}");
    }
}
