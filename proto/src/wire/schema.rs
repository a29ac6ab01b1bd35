//! What the messages of `tickwheel.v1` are made of, as `build.rs` reads it from the protos.

/// One message.
#[derive(Debug)]
pub struct Message {
    /// Its name in the package; of one inside another, both with a dot between.
    pub name: &'static str,
    /// In the order of the proto.
    pub fields: &'static [Field],
}

/// One field of a message.
#[derive(Debug)]
pub struct Field {
    /// As on the wire.
    pub number: u32,
    /// As in the proto.
    pub name: &'static str,
    /// A list, or a map.
    pub repeated: bool,
    /// Of the field, or of each entry.
    pub kind: Kind,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// Any bytes.
    Bytes,
    /// A varint of 64 bits.
    Uint64,
    /// A varint of 32 bits.
    Uint32,
    /// A varint, 0 or 1.
    Bool,
    /// A varint, one of known numbers.
    Enum,
    /// Four bytes.
    Float,
    /// A message, by its place in [`MESSAGES`].
    Message(usize),
}

/// One method of a service.
#[derive(Debug)]
pub struct Method {
    /// Of which service.
    pub service: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it is called with, by its place in [`MESSAGES`].
    pub takes: usize,
    /// What it answers, by its place in [`MESSAGES`].
    pub answers: usize,
    /// Whether it is called with a stream of them.
    pub streams: bool,
}

/// A message that a method takes or answers.
pub trait Spoken {
    /// Its place in [`MESSAGES`].
    const PLACE: usize;
}

#[expect(missing_docs, reason = "generated from tickwheel/v1/*.proto")]
mod generated {
    use super::{Field, Kind, Message, Method, Spoken};

    include!("../generated/schema.rs");
}

pub use generated::{MESSAGES, METHODS};
