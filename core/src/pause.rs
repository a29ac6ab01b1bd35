//! A group that is paused: none of its contexts starts, whatever its limits are; what runs goes on.

use std::fmt;

use crate::access::TokenId;
use crate::error::Violation;
use crate::time::TimestampMs;

/// Letters of a note.
pub const NOTE_CHARS_MAX: usize = 100;

/// Since when a group is paused, by whom, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPause {
    /// By Redis' clock.
    pub since: TimestampMs,
    /// The token of who paused it last; `None` where nobody is asked.
    pub by: Option<TokenId>,
    /// In the words of who paused it; may be empty.
    pub note: String,
}

impl GroupPause {
    /// Checks a note.
    ///
    /// # Errors
    /// A violation when it is too long, or has control characters.
    pub fn check_note(note: &str) -> Result<(), Violation> {
        let fits = note.chars().count() <= NOTE_CHARS_MAX && !note.chars().any(char::is_control);
        let rule = format!("has at most {NOTE_CHARS_MAX} letters on one line");
        fits.then_some(())
            .ok_or_else(|| Violation::new("note", rule, note))
    }

    /// The record of it in Redis, `<since ms> <by|-> <note>`; `None` for what is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ' ');
        let (since, by, note) = (parts.next()?, parts.next()?, parts.next()?);
        let by = match by {
            "-" => None,
            by => Some(by.parse().ok()?),
        };
        Some(Self {
            since: since.parse().ok().map(TimestampMs::new)?,
            by,
            note: note.to_owned(),
        })
    }
}

impl fmt::Display for GroupPause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "paused since {}", self.since)?;
        if let Some(by) = &self.by {
            write!(f, " by {by}")?;
        }
        if !self.note.is_empty() {
            write!(f, ": {}", self.note)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_and_what_is_none_is_not() {
        let read = GroupPause::parse("1766000000000 abcdefgh the bank is down").unwrap();
        assert_eq!(read.since, TimestampMs::new(1_766_000_000_000));
        assert_eq!(read.by.as_ref().map(TokenId::as_str), Some("abcdefgh"));
        assert_eq!(read.note, "the bank is down");
        let said = read.to_string();
        assert!(said.ends_with(" by abcdefgh: the bank is down"), "{said}");
        let read = GroupPause::parse("5 - ").unwrap();
        assert_eq!((read.by, read.note.as_str()), (None, ""));
        for wrong in ["", "x - y", "5", "5 -", "5 ! y", "-1 - y"] {
            assert_eq!(GroupPause::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_note_is_one_line() {
        assert!(GroupPause::check_note(&"ä".repeat(100)).is_ok());
        assert!(GroupPause::check_note("").is_ok());
        for wrong in ["a\nb", "\u{1b}[2J", &"a".repeat(101)] {
            assert_eq!(GroupPause::check_note(wrong).unwrap_err().field, "note");
        }
    }
}
