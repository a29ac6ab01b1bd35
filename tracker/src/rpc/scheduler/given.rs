//! What callers give, read under the name that the field of their message has.

use tickwheel_core::error::Violation;
use tickwheel_core::id::{ContextId, JobName};

use crate::error::Error;

/// A job's name as given.
pub(super) fn job_name(name: &str) -> Result<JobName, Error> {
    JobName::new(name).map_err(|violation| named("name", violation).into())
}

/// A context's id as given.
pub(super) fn context_id(id: &str) -> Result<ContextId, Error> {
    id.parse::<ContextId>()
        .map_err(|violation| named("id", violation).into())
}

/// The violation under the name that the message's field has.
pub(super) fn named(field: &str, violation: Violation) -> Violation {
    Violation {
        field: field.to_owned(),
        ..violation
    }
}

/// How many a caller may ask for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Count {
    /// For callers that say 0.
    pub(super) default: u32,
    pub(super) most: u32,
}

impl Count {
    /// The count of `field` as given.
    pub(super) fn read(self, field: &str, given: u32) -> Result<u32, Error> {
        let most = self.most;
        match given {
            0 => Ok(self.default),
            given if given <= most => Ok(given),
            given => Err(Violation::new(field, format!("is at most {most}"), given).into()),
        }
    }
}
