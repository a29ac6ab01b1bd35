//! What a condition says, and whether it holds.

use crate::routing::Profile;

/// What a condition says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
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
pub(super) enum Literal {
    Text(String),
    Number(f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Expression {
    pub(super) fn holds(&self, worker: &Profile) -> bool {
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
