//! Where a context may run and which of the fitting workers takes it: routing policies, conditions over tags, lists.
//!
//! All of it together is a [`Lane`]. A lane is immutable and named by its content, so whoever has read one never reads it again. A context
//! without a lane goes to any worker of its group that offers its handler.

mod choice;
mod condition;
mod hash;
mod lane;
mod policy;
mod select;
mod tag;
mod units;
mod worker;

pub use choice::{Mode, Standing};
pub use condition::Condition;
pub use hash::{HASH_PRIME, hash_key};
pub use lane::{Lane, LaneId};
pub use policy::{Routing, RoutingPolicy};
pub use select::{Misfit, Selection};
pub use tag::{Tag, Tags};
pub use units::{Units, amount_text};
pub use worker::{Figures, Profile};
