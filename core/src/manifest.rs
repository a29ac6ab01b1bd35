//! Declarative files: documents, each with a `kind`, from their trees (YAML or JSON, parsed by the caller) to checked values, and back.
//!
//! All mistakes of a file are reported at once, each with a path like `[2].trigger.cron`. Whether a job still has a due time ahead depends on
//! the clock and is checked by `JobSpec::validate` when it is registered.

mod body;
mod context;
mod document;
mod job;
mod limits;
mod model;
mod options;
mod policy;
mod routing;
mod schema;
mod trigger;
mod written;

pub use body::{BODY_KEYS, describe_body, read_body, write_body, write_exactly};
pub use context::Wishes;
pub use document::{Document, Kind, parse_documents, read_job, read_limits};
pub use limits::LimitsSpec;
pub use schema::json_schema;
pub use written::{Written, write_job, write_limits};

pub use crate::shape::Defaults;

#[cfg(test)]
mod tests;
