//! What a handler says while it runs.

use std::fmt;

/// How much a line of a log matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogLevel {
    /// For who looks for a fault step by step.
    Trace,
    /// For who looks for a fault.
    Debug,
    /// What a person wants to know.
    #[default]
    Info,
    /// It went on, and a person should look.
    Warn,
    /// It did not go on.
    Error,
}

impl LogLevel {
    const LETTERS: [(Self, char); 5] = [
        (Self::Trace, 't'),
        (Self::Debug, 'd'),
        (Self::Info, 'i'),
        (Self::Warn, 'w'),
        (Self::Error, 'e'),
    ];

    /// Its letter in the mark of a line.
    #[must_use]
    pub fn letter(self) -> char {
        let known = Self::LETTERS.iter().find(|(level, _)| *level == self);
        known.map_or('i', |(_, letter)| *letter)
    }

    /// The level of a letter.
    #[must_use]
    pub fn of_letter(letter: char) -> Option<Self> {
        let known = Self::LETTERS.iter().find(|(_, known)| *known == letter);
        known.map(|(level, _)| *level)
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        })
    }
}
