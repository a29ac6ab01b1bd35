//! Operations on the wheel of one partition: submit, replace, turn, look, fire, delivered. Scripts: `lua/wheel/`.

pub mod fire;
pub mod gauge;
pub mod histogram;
pub mod offer;
pub mod replace;
pub mod submit;
pub mod turn;
pub mod upcoming;

pub(crate) use fire::OWN_BODY;
pub use fire::{Fire, Fired};
pub use gauge::{Gauges, Lately, Measured};
pub use histogram::{Bucket, Histogram, Kinds, RING_BUCKETS, Ring};
pub use offer::Offer;
pub use replace::{KeyOwner, Replaced};
pub(crate) use submit::Bulk;
pub use submit::{CALL_WEIGHT, NewContext, SubmittedContext, When};
pub use turn::{
    Claim, Looked, OutboxEntry, Pinned, PinnedParts, Served, Told, TurnCounts, TurnLimits, Turned,
};
pub use upcoming::{Coming, ComingKind, Upcoming, UpcomingFilter};
