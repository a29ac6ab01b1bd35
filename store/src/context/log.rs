//! Reading a context's log. Script: `lua/context/read_log.lua`.

use bytes::Bytes;
use fred::types::Value;
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::{AttemptNo, ContextId};
use tickwheel_core::log::LogLevel;
use tickwheel_core::time::TimestampMs;

use crate::error::Error;
use crate::script::LOG_CONTEXT;
use crate::store::Store;

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When it was said, by Redis' clock.
    pub at: TimestampMs,
    /// Who said it; none: it tells of lines that were dropped.
    pub attempt: AttemptNo,
    /// How much it matters.
    pub level: LogLevel,
    /// The line.
    pub text: String,
}

impl LogLine {
    /// Stands for lines that are not there.
    fn of_lost(at: TimestampMs, lost: u64, which: &str) -> Self {
        Self {
            at,
            attempt: AttemptNo::NONE,
            level: LogLevel::Warn,
            text: format!("[{lost} {which}log lines dropped]"),
        }
    }
}

/// A page of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// The oldest first.
    pub lines: Vec<LogLine>,
    /// Where the next page begins.
    pub cursor: String,
    /// Lines that the log let go so far.
    pub lost: u64,
}

impl Store {
    /// A page of the log of `context` behind `cursor`; from its oldest line on when that is empty. Nothing of a context without one.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the cursor is not one of a log; [`Error::NotFound`] when the id names a partition this cluster does not
    /// have; [`Error::Unavailable`] when Redis does not answer.
    pub async fn log(&self, context: &ContextId, cursor: &str) -> Result<LogPage, Error> {
        if !cursor.is_empty() && cursor.parse::<u64>().is_err() {
            return Err(Error::Invalid(Violations::from(Violation::new(
                "cursor",
                "is of an earlier page of the log",
                cursor,
            ))));
        }
        let args = vec![Value::from(context.as_str()), Value::from(cursor)];
        let (status, mut reply) = self.call_context(&LOG_CONTEXT, context, args).await?;
        if status != "LOG" {
            return Err(Error::contract(LOG_CONTEXT.name(), status));
        }
        let (lost, next) = (reply.number()?, reply.text()?);
        let mut lines = Vec::new();
        while !reply.is_empty() {
            read_entry(&reply.bytes()?, &mut lines);
        }
        if cursor.is_empty() {
            tell_lost(&mut lines, lost);
        }
        Ok(LogPage {
            lines,
            cursor: next,
            lost,
        })
    }
}

/// Puts in front of the oldest line that is kept how many are not.
pub(super) fn tell_lost(lines: &mut Vec<LogLine>, lost: u64) {
    if let Some(first) = lines.first().filter(|_| lost > 0) {
        let told = LogLine::of_lost(first.at, lost, "earlier ");
        lines.insert(0, told);
    }
}

/// What one call kept. Nobody decides by it: where it cannot be read, a line says so, behind those that can.
pub(super) fn read_entry(entry: &Bytes, lines: &mut Vec<LogLine>) {
    if read_lines(entry, lines).is_none() {
        let before = lines.last().map(|line| line.at);
        lines.push(LogLine {
            at: before.unwrap_or(TimestampMs::new(0)),
            attempt: AttemptNo::NONE,
            level: LogLevel::Warn,
            text: format!("[an entry of {} bytes cannot be read]", entry.len()),
        });
    }
}

/// `<ms> <attempt> <lines lost before> <lines>`, and for each line a line break and `<mark> <bytes>:<line>`.
fn read_lines(entry: &Bytes, lines: &mut Vec<LogLine>) -> Option<()> {
    let (head, mut rest) = split_at(entry, b'\n');
    let mut words = head.split(' ').map(|word| word.parse::<u64>().ok());
    let mut number = || words.next().flatten();
    let (written, attempt, lost) = (number()?, number()?, number()?);
    let attempt = AttemptNo::new(u32::try_from(attempt).ok()?);
    if lost > 0 {
        lines.push(LogLine::of_lost(TimestampMs::new(written), lost, ""));
    }
    while !rest.is_empty() {
        let (mark, behind) = split_at(rest, b':');
        let (level, age, bytes) = mark_of(&mark)?;
        let (line, next) = behind.split_at_checked(bytes)?;
        lines.push(LogLine {
            at: TimestampMs::new(written.saturating_sub(age)),
            attempt,
            level,
            text: String::from_utf8_lossy(line).into_owned(),
        });
        rest = next.strip_prefix(b"\n").unwrap_or(next);
    }
    Some(())
}

/// What is before the first `mark`, as text, and what is behind it.
fn split_at(bytes: &[u8], mark: u8) -> (String, &[u8]) {
    let end = bytes.iter().position(|byte| *byte == mark);
    let (head, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
    let rest = rest.get(1..).unwrap_or_default();
    (String::from_utf8_lossy(head).into_owned(), rest)
}

/// `<level><age ms> <bytes>`.
fn mark_of(text: &str) -> Option<(LogLevel, u64, usize)> {
    let (mark, bytes) = text.split_once(' ')?;
    let mut letters = mark.chars();
    let level = LogLevel::of_letter(letters.next()?)?;
    Some((level, letters.as_str().parse().ok()?, bytes.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(entry: &str) -> Vec<(u64, u32, String)> {
        let mut lines = Vec::new();
        read_entry(&Bytes::copy_from_slice(entry.as_bytes()), &mut lines);
        let told = lines.into_iter();
        told.map(|line| (line.at.as_u64(), line.attempt.as_u32(), line.text))
            .collect()
    }

    #[test]
    fn an_entry_has_its_lines_whatever_is_in_them() {
        let entry = "1000 2 0 3\ni5 8:one\ni0 2\nw0 0:\ne1000 4:a: b";
        let expected = [(995, 2, "one\ni0 2"), (1000, 2, ""), (0, 2, "a: b")];
        let expected = expected.map(|(at, attempt, text)| (at, attempt, text.to_owned()));
        assert_eq!(read(entry), expected);
        let lost = read("1000 2 9 0");
        assert_eq!(lost, [(1000, 0, "[9 log lines dropped]".to_owned())]);
        for bad in [
            "",
            "x 2 0 1",
            "1000 2",
            "1000 2 0 1\ni5 9:one",
            "1000 2 0 1\nx5 3:one",
        ] {
            let told = format!("[an entry of {} bytes cannot be read]", bad.len());
            assert_eq!(read(bad), [(0, 0, told)], "{bad:?}");
        }
        let half = read("1000 2 0 2\ni5 3:one\ni5 9:two");
        assert_eq!(half[0], (995, 2, "one".to_owned()));
        assert_eq!(half[1].0, 995, "{half:?}");
        assert_eq!(half.len(), 2);
    }
}
