//! Operations on the wheel of one partition: submit, turn, look, fire, delivered. Scripts: `lua/wheel/`.

pub mod fire;
pub mod gauge;
pub mod submit;
pub mod turn;

pub use fire::{Fire, Fired};
pub use gauge::Gauges;
pub use submit::{NewContext, SubmittedContext, When};
pub use turn::{
    Claim, Looked, Offer, OutboxEntry, Pinned, PinnedParts, Told, TurnCounts, TurnLimits, Turned,
    WorkerCancel,
};
