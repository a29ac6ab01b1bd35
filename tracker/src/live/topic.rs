//! What may be watched, and where who watched before goes on.

use std::fmt;
use std::str::FromStr;

use tickwheel_core::error::Violation;
use tickwheel_core::id::ContextId;
use tickwheel_core::time::TimestampMs;

/// Topics of one stream.
pub(crate) const TOPICS_MAX: usize = 16;
const RULE: &str = "is `now`, `runs` or `log:<run id>`";
const CURSOR_RULE: &str = "is that of an event of the same topics";

/// What is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Topic {
    /// How the cluster is, in numbers.
    Now,
    /// Runs that end.
    Runs,
    /// What a run says.
    Log(ContextId),
}

impl FromStr for Topic {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        match (text, text.strip_prefix("log:")) {
            ("now", _) => Ok(Self::Now),
            ("runs", _) => Ok(Self::Runs),
            (_, Some(id)) => id
                .parse()
                .map(Self::Log)
                .map_err(|_| Violation::new("", RULE, text)),
            _ => Err(Violation::new("", RULE, text)),
        }
    }
}

/// Up to where somebody knows the ends of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RunsPoint {
    /// All that ended before is known, by Redis' clock: what any tracker can go on from.
    pub(crate) time: TimestampMs,
    /// Of which ring, of one tracker.
    pub(crate) ring: u32,
    /// How many of it are known.
    pub(crate) records: u64,
}

/// Where a stream goes on: for `runs` a point, and for each log how much of it is known.
///
/// As text `<ms>.<ring>.<records>`, or `-`, and `~<cursor>` for each log in the order of the topics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) runs: Option<RunsPoint>,
    pub(crate) logs: Vec<String>,
}

impl Cursor {
    /// Reads the cursor of a stream with so many logs; the empty text is the one of a stream that begins.
    ///
    /// # Errors
    /// When it is none, or is of other topics.
    pub(crate) fn read(text: &str, logs: usize) -> Result<Self, Violation> {
        let wrong = || Violation::new("cursor", CURSOR_RULE, text);
        if text.is_empty() {
            return Ok(Self {
                runs: None,
                logs: vec![String::new(); logs],
            });
        }
        let mut parts = text.split('~');
        let runs = match parts.next() {
            None | Some("-") => None,
            Some(point) => Some(read_point(point).ok_or_else(wrong)?),
        };
        let cursors: Vec<String> = parts.map(str::to_owned).collect();
        let is_cursor = |one: &String| one.is_empty() || one.parse::<u64>().is_ok();
        if cursors.len() != logs || !cursors.iter().all(is_cursor) {
            return Err(wrong());
        }
        Ok(Self {
            runs,
            logs: cursors,
        })
    }
}

fn read_point(text: &str) -> Option<RunsPoint> {
    let mut numbers = text.split('.');
    let point = RunsPoint {
        time: TimestampMs::new(numbers.next()?.parse().ok()?),
        ring: numbers.next()?.parse().ok()?,
        records: numbers.next()?.parse().ok()?,
    };
    numbers.next().is_none().then_some(point)
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.runs {
            Some(point) => write!(
                f,
                "{}.{}.{}",
                point.time.as_u64(),
                point.ring,
                point.records
            )?,
            None => f.write_str("-")?,
        }
        self.logs.iter().try_for_each(|log| write!(f, "~{log}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_words_and_logs_of_runs() {
        assert_eq!("now".parse(), Ok(Topic::Now));
        assert_eq!("runs".parse(), Ok(Topic::Runs));
        let log = "log:6.1767225600000.f@billing/nightly".parse::<Topic>();
        assert!(matches!(log, Ok(Topic::Log(_))));
        for wrong in ["", "Now", "log", "log:", "log:x", "run:1", "now "] {
            let wrong = wrong.parse::<Topic>().unwrap_err();
            assert_eq!(wrong.rule, RULE);
        }
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_for_its_topics_only() {
        let point = RunsPoint {
            time: TimestampMs::new(1_767_225_600_000),
            ring: 7,
            records: 12,
        };
        for (runs, logs) in [
            (None, vec![]),
            (Some(point), vec![]),
            (Some(point), vec!["17".to_owned(), String::new()]),
            (None, vec!["0".to_owned()]),
        ] {
            let count = logs.len();
            let cursor = Cursor { runs, logs };
            assert_eq!(Cursor::read(&cursor.to_string(), count), Ok(cursor));
        }
        assert_eq!(Cursor::read("", 1).unwrap().logs, [""]);
        for wrong in [
            "x", "1.2", "1.2.3.4", "-1.2.3", "1.2.3~", "-~x", "-~1~2", "5",
        ] {
            let read = Cursor::read(wrong, 0).or_else(|_| Cursor::read(wrong, 3));
            assert!(read.is_err(), "{wrong}");
        }
    }
}
