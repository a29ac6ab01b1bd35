//! `tickwheel schema`: the JSON Schema of documents. Needs no server.

use tickwheel_core::manifest::json_schema;

use crate::failure::Failure;
use crate::output::put;

pub(crate) fn run() -> Result<(), Failure> {
    put(&format!("{:#}\n", json_schema()))
}
