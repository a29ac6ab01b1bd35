//! The gRPC surface: the workers' stream, the callers' operations, and the one table of error codes.

mod admission;
pub(crate) mod api;
pub mod error;
pub(crate) mod scheduler;

pub(crate) mod worker;
