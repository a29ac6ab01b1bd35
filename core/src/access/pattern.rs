//! Which names are meant: one, or all that begin so.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::bounds::{ID_CHARS_MAX, PATTERNS_MAX};
use crate::error::{Violation, Violations};

/// A name, or the beginning of names with `*` behind it; `*` alone means every name. No other letter has a meaning.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    /// Without the `*`.
    text: String,
    is_beginning: bool,
}

impl Pattern {
    /// Every name.
    #[must_use]
    pub const fn any() -> Self {
        Self {
            text: String::new(),
            is_beginning: true,
        }
    }

    /// Whether `name` is meant.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        if self.is_beginning {
            name.starts_with(&self.text)
        } else {
            name == self.text
        }
    }

    /// Whether all names that `other` means are meant.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.matches(&other.text) && (self.is_beginning || !other.is_beginning)
    }

    /// The name, or the beginning of all names; true when it is a beginning.
    #[must_use]
    pub fn parts(&self) -> (&str, bool) {
        (&self.text, self.is_beginning)
    }
}

impl FromStr for Pattern {
    type Err = Violation;

    fn from_str(given: &str) -> Result<Self, Violation> {
        let (text, is_beginning) = match given.strip_suffix('*') {
            Some(text) => (text, true),
            None => (given, false),
        };
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
        let is_name = text.bytes().all(fits) && text.len() <= ID_CHARS_MAX;
        if !is_name || (text.is_empty() && !is_beginning) {
            let rule = format!(
                "is a name of letters, digits and . _ / -, at most {ID_CHARS_MAX}, or its beginning with * behind it"
            );
            return Err(Violation::new("", rule, given));
        }
        Ok(Self {
            text: text.to_owned(),
            is_beginning,
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        f.write_str(if self.is_beginning { "*" } else { "" })
    }
}

impl TryFrom<String> for Pattern {
    type Error = Violation;

    fn try_from(text: String) -> Result<Self, Violation> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.to_string()
    }
}

/// Some patterns: a name is meant when one of them means it, so that none means nothing. At most 64, each once and in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<Pattern>", into = "Vec<Pattern>")]
pub struct Patterns(Vec<Pattern>);

impl Patterns {
    /// Every name.
    #[must_use]
    pub fn any() -> Self {
        Self(vec![Pattern::any()])
    }

    /// Reads each; what another one covers is left out.
    ///
    /// # Errors
    /// A violation for each text that is none, under its place, or one for too many.
    pub fn parse<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Result<Self, Violations> {
        let mut found = Violations::new();
        let mut patterns = Vec::new();
        for (at, text) in texts.into_iter().enumerate() {
            let read = text.as_ref().parse::<Pattern>();
            patterns.extend(found.keep(read.map_err(|wrong| wrong.at(format!("[{at}]")))));
        }
        found.into_result()?;
        Self::of(patterns).map_err(Into::into)
    }

    fn of(mut patterns: Vec<Pattern>) -> Result<Self, Violation> {
        if patterns.len() > PATTERNS_MAX {
            let rule = format!("has at most {PATTERNS_MAX} entries");
            return Err(Violation::new("", rule, patterns.len()));
        }
        patterns.sort_unstable();
        patterns.dedup();
        let all = patterns.clone();
        patterns.retain(|one| !all.iter().any(|other| other != one && other.covers(one)));
        Ok(Self(patterns))
    }

    /// Whether `name` is meant.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(name))
    }

    /// Whether every name is meant.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.0.contains(&Pattern::any())
    }

    /// Whether nothing is meant.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all names that `other` means are meant.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let is_covered = |one: &Pattern| self.0.iter().any(|own| own.covers(one));
        other.0.iter().all(is_covered)
    }

    /// Each of them, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Pattern> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Patterns {
    type Item = &'a Pattern;
    type IntoIter = std::slice::Iter<'a, Pattern>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl TryFrom<Vec<Pattern>> for Patterns {
    type Error = Violation;

    fn try_from(patterns: Vec<Pattern>) -> Result<Self, Violation> {
        Self::of(patterns)
    }
}

impl From<Patterns> for Vec<Pattern> {
    fn from(patterns: Patterns) -> Self {
        patterns.0
    }
}
