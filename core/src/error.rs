//! What is wrong with a given value: which field, which rule, what was given.
//!
//! A caller gets every mistake of its input at once, so constructors of whole documents collect [`Violations`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::access::mask;

/// Characters of a given value that a violation repeats; the rest is cut off.
const GIVEN_CHARS_MAX: usize = 80;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Violation {
    /// Path of the field, like `jobs[2].trigger.cron`; empty when the value as a whole is meant.
    pub field: String,
    /// The rule in words, lower case, without a full stop.
    pub rule: String,
    /// What was given, shortened to about 80 characters; empty when nothing was.
    pub given: String,
}

impl Violation {
    /// A violation of `rule` by the value `given` of `field`.
    #[must_use]
    pub fn new(
        field: impl Into<String>,
        rule: impl Into<String>,
        given: impl fmt::Display,
    ) -> Self {
        Self {
            field: field.into(),
            rule: rule.into(),
            // Whoever puts a token where something else belongs does not find it in a log.
            given: shorten(&mask(&given.to_string())),
        }
    }

    /// The same violation, its field placed under `path`.
    #[must_use]
    pub fn prefix(mut self, path: &str) -> Self {
        self.field = join(path, &self.field);
        self
    }

    /// The same violation about the field `field`.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = field.into();
        self
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.rule)?;
        if !self.given.is_empty() {
            write!(f, " (given: {})", self.given)?;
        }
        Ok(())
    }
}

impl std::error::Error for Violation {}

/// All broken rules of one input, in the order they were found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// No violation yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, violation: Violation) {
        self.0.push(violation);
    }

    /// Adds one, built from its parts.
    pub fn add(
        &mut self,
        field: impl Into<String>,
        rule: impl Into<String>,
        given: impl fmt::Display,
    ) {
        self.push(Violation::new(field, rule, given));
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Keeps the value of a result, or its violations.
    pub fn keep<T>(&mut self, result: Result<T, impl Into<Self>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(violations) => {
                self.merge(violations.into());
                None
            }
        }
    }

    /// The same violations, every field placed under `path`.
    #[must_use]
    pub fn prefix(self, path: &str) -> Self {
        Self(self.0.into_iter().map(|one| one.prefix(path)).collect())
    }

    /// `Ok` when there is none.
    ///
    /// # Errors
    /// The violations themselves, when there are any.
    pub fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The violations in the order they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.0.iter()
    }
}

impl From<Violation> for Violations {
    fn from(violation: Violation) -> Self {
        Self(vec![violation])
    }
}

impl FromIterator<Violation> for Violations {
    fn from_iter<I: IntoIterator<Item = Violation>>(violations: I) -> Self {
        Self(violations.into_iter().collect())
    }
}

impl IntoIterator for Violations {
    type Item = Violation;
    type IntoIter = std::vec::IntoIter<Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Violations {
    type Item = &'a Violation;
    type IntoIter = std::slice::Iter<'a, Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            violation.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}

fn join(path: &str, field: &str) -> String {
    match (path.is_empty(), field.is_empty(), field.starts_with('[')) {
        (true, _, _) => field.to_owned(),
        (false, true, _) => path.to_owned(),
        (false, false, true) => format!("{path}{field}"),
        (false, false, false) => format!("{path}.{field}"),
    }
}

fn shorten(given: &str) -> String {
    if given.chars().nth(GIVEN_CHARS_MAX).is_none() {
        return given.to_owned();
    }
    given
        .chars()
        .take(GIVEN_CHARS_MAX - 1)
        .chain(['…'])
        .collect()
}

/// The word of `known` nearest to `given`, if one is near enough to be what was meant.
pub(crate) fn did_you_mean<'a>(
    given: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let given = given.to_lowercase();
    known
        .into_iter()
        .map(|word| (strsim::jaro_winkler(&given, &word.to_lowercase()), word))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}

/// `rule`, with the word of `known` behind it that `given` most likely meant, if one is near.
#[must_use]
pub fn with_suggestion<'a>(
    rule: &str,
    given: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> String {
    did_you_mean(given, known).map_or_else(
        || rule.to_owned(),
        |word| format!("{rule}; did you mean `{word}`?"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_field_rule_and_given() {
        let violation = Violation::new("trigger.cron", "has too many fields", "* * *");
        assert_eq!(
            violation.to_string(),
            "trigger.cron: has too many fields (given: * * *)"
        );
        assert_eq!(Violation::new("", "is empty", "").to_string(), "is empty");
    }

    #[test]
    fn a_long_value_is_shortened_to_eighty_characters() {
        let violation = Violation::new("body", "is too long", "ä".repeat(500));
        assert_eq!(violation.given.chars().count(), 80);
        assert!(violation.given.ends_with('…'));
    }

    #[test]
    fn all_mistakes_are_kept_in_order_under_their_path() {
        let mut inner = Violations::new();
        inner.add("name", "is missing", "");
        inner.add("[0]", "is no map", 3);
        inner.push(Violation::new("", "is no map", 4));
        let text = inner.prefix("jobs[2]").to_string();
        assert_eq!(
            text,
            "jobs[2].name: is missing\njobs[2][0]: is no map (given: 3)\njobs[2]: is no map (given: 4)"
        );
    }

    #[test]
    fn a_near_word_is_suggested_and_a_far_one_is_not() {
        assert_eq!(
            did_you_mean("timout", ["timeout", "lease"]),
            Some("timeout")
        );
        assert_eq!(did_you_mean("banana", ["timeout", "lease"]), None);
    }
}
