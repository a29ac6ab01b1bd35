//! Conditions over a worker's tags: `region == "eu" && gpu && cores >= 8 && !spot`.
//!
//! A name alone holds when the worker has the tag, with any value but `false`. `==`, `!=` and `in` compare texts, or numbers where a number
//! is written; `<`, `<=`, `>`, `>=` compare numbers. A tag that is absent, or no number where one is needed, makes its comparison false;
//! `a != b` is `!(a == b)`, so it holds where the tag is absent. `&&` binds stronger than `||`, and `!` stronger than both.

mod parse;
mod token;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Profile;
use crate::error::Violation;

/// A condition, with the text it was read from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Condition {
    text: String,
    expression: Expression,
}

/// What a condition says.
#[derive(Debug, Clone, PartialEq)]
enum Expression {
    /// Either holds.
    Or(Box<Self>, Box<Self>),
    /// Both hold.
    And(Box<Self>, Box<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// The tag is there.
    Has(String),
    /// The tag has one of these values.
    In(String, Vec<Literal>),
    /// The tag's number is ordered so to this one.
    Order(String, Order, f64),
}

/// A value as it is written.
#[derive(Debug, Clone, PartialEq)]
enum Literal {
    Text(String),
    Number(f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
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

impl Expression {
    fn holds(&self, worker: &Profile) -> bool {
        match self {
            Self::Or(left, right) => left.holds(worker) || right.holds(worker),
            Self::And(left, right) => left.holds(worker) && right.holds(worker),
            Self::Not(inner) => !inner.holds(worker),
            Self::Has(name) => worker.attribute(name).is_some_and(|value| value != "false"),
            Self::In(name, values) => worker
                .attribute(name)
                .is_some_and(|value| values.iter().any(|one| one.is(&value))),
            Self::Order(name, order, bound) => worker
                .attribute(name)
                .and_then(|value| value.parse::<f64>().ok())
                .is_some_and(|value| order.holds(value, *bound)),
        }
    }
}

impl Literal {
    fn is(&self, value: &str) -> bool {
        match self {
            Self::Text(text) => text == value,
            Self::Number(number) => value.parse::<f64>().is_ok_and(|value| value == *number),
        }
    }
}

impl Order {
    fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Less => value < bound,
            Self::LessOrEqual => value <= bound,
            Self::Greater => value > bound,
            Self::GreaterOrEqual => value >= bound,
        }
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
