//! Why a call is not made: the rule in words, without an address or a URL, as whoever submits is shown it.

use super::class::Class;

/// What is wrong with where a call goes. Another attempt changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The URL breaks this rule.
    #[error("the URL {0}")]
    Url(&'static str),
    /// The port is none of those that the worker may call.
    #[error("this worker does not call port {0} (http_handler.ports)")]
    Port(u16),
    /// The host or its address is on the list of those that are never called.
    #[error("this worker is told not to call this host (http_handler.deny)")]
    Denied,
    /// The host's address, or one of several, is not one that anybody may reach.
    #[error("the address of the host is not public: {0} (http_handler.allow)")]
    Address(Class),
}
