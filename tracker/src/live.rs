//! What is going on, for those who watch it: how the cluster is, which runs end, what a run says.
//!
//! ```text
//! overview.rs      how the cluster is, in numbers: one look for all who ask
//! rings.rs         how much is due when: one look for all who ask
//! look.rs          what both of them keep of a look
//! source.rs        something that is looked after only while somebody watches
//! ring.rs runs.rs  the newest ends of runs, and who reads them from Redis
//! logs.rs          logs that are followed: a page is read once for all
//! topic.rs wish.rs what may be watched, and what somebody wants to
//! hub.rs seats.rs  who watches what; how many may
//! subscription.rs  one stream, and what comes next in it
//! beat.rs crowd.rs when all who watch are told something, and how much of it
//! view.rs          what is told to several alike is made and written once
//! guardian.rs      whether it may go on
//! pump.rs          carries it to a wire
//! ```

mod beat;
mod crowd;
mod guardian;
mod hub;
mod logs;
mod look;
mod overview;
mod pump;
mod ring;
mod rings;
mod runs;
mod seats;
mod source;
mod subscription;
mod topic;
mod view;
mod wish;

pub(crate) use hub::Hub;
pub(crate) use overview::Overviews;
pub(crate) use pump::carry;
pub(crate) use rings::Rings;
pub(crate) use subscription::Subscription;
pub(crate) use topic::{Cursor, TOPICS_MAX, Topic};
pub(crate) use wish::{Filter, Wish};
