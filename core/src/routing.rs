//! Where a context may run and which of the fitting workers takes it: routing policies, conditions over tags, lists.
//!
//! All of it together is a [`Placement`]. A placement is immutable and named by its content, so whoever has read one never reads it again. A context
//! without a placement goes to any worker of its group that offers its handler.

mod choice;
mod condition;
mod hash;
mod placement;
mod policy;
mod select;
mod tag;
mod units;
mod worker;

pub use choice::{Mode, Standing};
pub use condition::Condition;
pub use hash::{HASH_PRIME, hash_key};
pub use placement::{Placement, PlacementId};
pub use policy::{Routing, RoutingPolicy};
pub use select::{Ineligible, Selection};
pub use tag::{Tag, Tags};
pub use units::{Units, amount_text};
pub use worker::{Figures, Profile};
