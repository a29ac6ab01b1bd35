//! The wire: generated messages and services of `tickwheel.v1`, and their conversions to the types of `tickwheel-core`.
//!
//! Nothing here decides anything; the rules live in core. Generated types stop at this line.

pub mod convert;
pub mod credential;
pub mod protocol;
pub mod stranger;
pub mod trust;
pub mod wire;

/// Metadata of a call that writes: how far the write has come when the call is answered, `async`, `replicated(N)` or `fsynced`. Without
/// it, what the tracker's configuration says of the job's namespace.
pub const DURABILITY_HEADER: &str = "tickwheel-durability";

/// Metadata of every call and of a worker's stream: `Bearer`, a space, and a token.
pub const AUTHORIZATION_HEADER: &str = "authorization";

/// Metadata of a call: what its caller calls it, so that it is found again in the audit. At most 64 letters, digits and `. _ -`.
pub const REQUEST_ID_HEADER: &str = "tickwheel-request-id";

/// Messages and services of package `tickwheel.v1`.
#[expect(
    missing_docs,
    unused_qualifications,
    clippy::allow_attributes_without_reason,
    clippy::missing_errors_doc,
    reason = "generated from tickwheel/v1/*.proto, where the fields are documented"
)]
#[cfg_attr(
    feature = "server",
    expect(clippy::too_many_lines, reason = "the server's calls in one function")
)]
pub mod v1 {
    include!("generated/tickwheel.v1.rs");
}
