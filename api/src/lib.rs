//! The HTTP API without HTTP: what is asked for, what is answered, and under which path.
//!
//! Nothing in here does I/O. A tracker serves these paths, the command line prints these answers, and the OpenAPI document is made of both.

pub mod answers;
pub mod json;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod requests;
pub mod routes;

/// The OpenAPI document, as it is published.
pub const DOCUMENT: &str = include_str!("../openapi.json");
