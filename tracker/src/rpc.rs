//! The gRPC surface: the workers' stream, the callers' operations, and the one table of error codes.

pub mod error;
pub(crate) mod scheduler;
pub(crate) mod shared;
pub(crate) mod worker;
