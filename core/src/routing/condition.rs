//! Conditions over a worker's tags: `region == "eu" && gpu && cores >= 8 && !spot`.
//!
//! A name alone holds when the worker has the tag, with any value but `false`. `==`, `!=` and `in` compare texts, or numbers where a number
//! is written; `<`, `<=`, `>`, `>=` compare numbers. A tag that is absent, or no number where one is needed, makes its comparison false;
//! `a != b` is `!(a == b)`, so it holds where the tag is absent. `&&` binds stronger than `||`, and `!` stronger than both.

mod expression;
mod parse;
mod token;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Profile;
use crate::error::Violation;
use expression::Expression;

/// A condition, with the text it was read from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Condition {
    text: String,
    expression: Expression,
}

impl Condition {
    /// Whether it holds for a worker.
    #[must_use]
    pub fn holds(&self, worker: &Profile) -> bool {
        self.expression.holds(worker)
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Condition {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        let expression = parse::parse(text)?;
        Ok(Self {
            text: text.to_owned(),
            expression,
        })
    }
}

impl TryFrom<String> for Condition {
    type Error = Violation;

    fn try_from(text: String) -> Result<Self, Violation> {
        text.parse()
    }
}

impl From<Condition> for String {
    fn from(condition: Condition) -> Self {
        condition.text
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Condition {}

impl Hash for Condition {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

#[cfg(test)]
mod tests;
