//! For tests of handlers and of workers, without a cluster.
//!
//! [`Harness`] runs handlers in the test's own task: body in, outcome, logs, progress and mapped items out; whole fan-outs too. `TrackerDouble` (feature
//! `testing`) is a tracker on a loopback port that does what the test says: dispatch, withhold confirmations, break streams.

#[cfg(feature = "testing")]
mod double;
mod harness;

#[cfg(feature = "testing")]
pub use double::{Heard, TrackerDouble, assignment};
pub use harness::{Call, FannedOut, Harness, Mapped, Ran};

/// The messages a [`TrackerDouble`] speaks and hears.
#[cfg(feature = "testing")]
pub use tickwheel_proto::v1 as wire;
