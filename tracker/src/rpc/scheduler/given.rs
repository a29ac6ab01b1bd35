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
