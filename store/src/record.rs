//! The text records in Redis, typed: context members, their options, held values and settled records.
//!
//! Scripts write and split the same texts (`lua/lib/records/`); docs/keyspace.md gives their grammar. A body may be binary, so a record is
//! bytes; parsing shares them and copies none of the body. A text that does not follow its grammar is a broken contract.

mod dead;
pub mod error_type;
mod held;
mod member;
mod options;
mod queue;
mod settled;
mod upstream;

use bytes::Bytes;

pub use dead::Dead;
pub use held::{Held, HeldCancel, HeldLimits};
pub use member::{Member, Rest};
pub use options::{Options, PartKind, SubtaskKind};
pub use queue::Queue;
pub use settled::{EndState, Settled};
pub use upstream::Upstream;

use crate::error::Error;

/// Reads the leading fields of a record, which end with one space each; what is left is the rest of the record.
struct Fields {
    what: &'static str,
    text: Bytes,
    /// Where the next field starts.
    at: usize,
}

impl Fields {
    fn new(what: &'static str, text: Bytes) -> Self {
        Self { what, text, at: 0 }
    }

    fn malformed(&self) -> Error {
        Error::damaged(self.what, String::from_utf8_lossy(&self.text))
    }

    /// The next field, in which only valid UTF-8 may stand.
    fn field(&mut self) -> Result<&str, Error> {
        let left = self.text.get(self.at..).unwrap_or_default();
        let Some(length) = left.iter().position(|byte| *byte == b' ') else {
            return Err(self.malformed());
        };
        let start = self.at;
        self.at += length + 1;
        let field = self
            .text
            .get(start..start + length)
            .and_then(|field| str::from_utf8(field).ok());
        field.ok_or_else(|| self.malformed())
    }

    fn parse<T: std::str::FromStr>(&mut self) -> Result<T, Error> {
        let parsed = self.field()?.parse();
        parsed.map_err(|_| self.malformed())
    }

    /// `<attempt>:<failures>`.
    fn counts(&mut self) -> Result<(u32, u32), Error> {
        let counts = self
            .field()?
            .split_once(':')
            .and_then(|(left, right)| Some((left.parse().ok()?, right.parse().ok()?)));
        counts.ok_or_else(|| self.malformed())
    }

    /// Everything behind the fields read so far, without a copy.
    fn rest(&self) -> Bytes {
        self.text.slice(self.at.min(self.text.len())..)
    }
}

#[cfg(test)]
mod tests;
