//! Everything that can be asked for, in one table: under which path, by which call of `tickwheel.v1` and which command it is the same, who
//! may ask, and what is read and answered. The router of a tracker, the OpenAPI document and the tests are made from it.

mod bodies;
mod matching;
mod row;
mod table;

pub use matching::{Match, Missing, find};
pub use row::{BODY_BYTES_MAX, Method, Request, Row, SUBMISSIONS_BYTES_MAX};
pub use table::Operation;

/// Under which all paths of the table stand.
pub const BASE: &str = "/api/v1";
/// The path of the OpenAPI document, below [`BASE`].
pub const DOCUMENT_PATH: &str = "/openapi.json";
