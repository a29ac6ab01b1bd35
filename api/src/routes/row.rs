//! What the table says of an operation.

use serde_json::{Map, Value};
use tickwheel_core::access::Role;

/// Bytes of a request's body.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Bytes of a request that submits: the 4 MiB that a call of gRPC takes, as base64 in JSON, and room to write them neatly.
pub const SUBMISSIONS_BYTES_MAX: usize = 16 << 20;

/// The methods of HTTP that are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Does something.
    Post,
    /// Says what something is from now on.
    Put,
    /// Takes something away.
    Delete,
}

impl Method {
    /// As it stands in a request.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    /// Whether a request of it changes nothing.
    #[must_use]
    pub const fn is_safe(self) -> bool {
        match self {
            Self::Get => true,
            Self::Post | Self::Put | Self::Delete => false,
        }
    }
}

/// The body that an operation reads.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// Its name in the OpenAPI document.
    pub name: &'static str,
    /// What it may be, in JSON Schema.
    pub schema: fn() -> Value,
    /// Whether it has to be there.
    pub is_required: bool,
    /// Bytes it may have.
    pub most: usize,
}

/// One operation.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The method.
    pub method: Method,
    /// Below [`BASE`](super::BASE); a name stands in braces, and may have a verb behind it.
    pub path: &'static str,
    /// The call of `SchedulerService` that does the same.
    pub rpc: &'static str,
    /// The words of the command line that do the same.
    pub command: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// Who may ask at least.
    pub role: Role,
    /// The parameters behind the `?`, as the JSON Schema of a map.
    pub query: fn() -> Map<String, Value>,
    /// The body.
    pub request: Option<Request>,
    /// Whether its write can be asked to come so far before it is answered.
    pub is_durable: bool,
    /// The name of the answer's type in [`answers`](crate::answers).
    pub answer: &'static str,
}

impl Row {
    /// Bytes that the body of a request may have.
    #[must_use]
    pub fn body_bytes_max(&self) -> usize {
        self.request.map_or(0, |request| request.most)
    }
}
