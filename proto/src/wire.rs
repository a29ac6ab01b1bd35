//! What of a message is looked at before it is decoded into memory.
//!
//! An empty entry of a list is two bytes on the wire and hundreds in memory, so a message is walked first and refused when a list has more
//! entries than [`bounds`] allows it. The walk reads tags and lengths only, allocates nothing, and does not enter what holds no list.

pub mod bounds;
mod codec;
mod measure;
pub mod refusal;
pub mod schema;

pub use codec::{BoundedCodec, BoundedDecoder};
pub use measure::check;

#[cfg(test)]
mod tests;
