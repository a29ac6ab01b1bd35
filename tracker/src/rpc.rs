//! The gRPC surface: the workers' stream, the callers' operations, and the one table of error codes.

mod admission;
pub(crate) mod api;
pub mod error;
pub(crate) mod intake;
mod lasting;
pub(crate) mod scheduler;
pub(crate) mod worker;

pub(crate) use lasting::Lasting;
