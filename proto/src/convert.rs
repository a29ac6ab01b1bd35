//! Between the messages of `tickwheel.v1` and the types of core.
//!
//! From the wire, a conversion collects every mistake with the path of its field in the message, and fills in what is absent with the
//! defaults of core. It checks what a type cannot hold (names, words, missing parts); ranges are checked by core's own `validate`, which
//! the caller runs on the result. To the wire, nothing can fail. What a worker never says is there with the feature `schedule`.

#[cfg(feature = "schedule")]
mod access;
#[cfg(feature = "schedule")]
mod job;
#[cfg(feature = "schedule")]
mod ledger;
#[cfg(feature = "schedule")]
mod limits;
mod model;
mod options;
#[cfg(feature = "schedule")]
mod policy;
#[cfg(feature = "schedule")]
mod routing;
mod state;
#[cfg(feature = "schedule")]
mod submission;
#[cfg(feature = "schedule")]
mod trigger;

#[cfg(feature = "schedule")]
pub use job::wire_paths;
pub use model::{reduce_on_from_wire, reduce_on_to_wire};
pub use state::{
    cancel_reason_to_wire, level_from_wire, level_to_wire, state_from_wire, state_to_wire,
};
#[cfg(feature = "schedule")]
pub use submission::{Dedup, Submission, When, dedup_of, namespace_of};

use tickwheel_core::error::{Violation, Violations};
#[cfg(feature = "schedule")]
use tickwheel_core::id::GroupName;

use crate::v1;

/// The group of whatever names none.
pub const DEFAULT_GROUP: &str = "default";

impl From<&Violation> for v1::Violation {
    fn from(violation: &Violation) -> Self {
        Self {
            field: violation.field.clone(),
            rule: violation.rule.clone(),
            given: violation.given.clone(),
        }
    }
}

impl From<v1::Violation> for Violation {
    fn from(violation: v1::Violation) -> Self {
        Self {
            field: violation.field,
            rule: violation.rule,
            given: violation.given,
        }
    }
}

/// Keeps a converted field, or its violation under the path of the field.
fn field<T>(found: &mut Violations, path: &str, result: Result<T, Violation>) -> Option<T> {
    found.keep(result.map_err(|violation| violation.at(path)))
}

/// The name of a group; empty means [`DEFAULT_GROUP`].
#[cfg(feature = "schedule")]
fn group(found: &mut Violations, name: &str) -> Option<GroupName> {
    let name = if name.is_empty() { DEFAULT_GROUP } else { name };
    field(found, "group", GroupName::new(name))
}

/// The enum value of `number`, or a violation that lists what is known.
fn word<T: TryFrom<i32>>(path: &str, number: i32, known: &str) -> Result<T, Violation> {
    T::try_from(number).map_err(|_| Violation::new(path, format!("is one of {known}"), number))
}

#[cfg(test)]
mod tests;
