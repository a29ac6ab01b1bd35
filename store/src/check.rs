//! Whether what is in Redis is consistent: the checking function of each invariant, the facts they look at, and a walk over a live
//! cluster that gathers them.
//!
//! A rule looks at the facts of one subject (a context, a job, a ready set, a key) that were read at one instant by one script, so a busy
//! cluster yields no false findings. The tests gather the same facts from a snapshot and call the same rules.

mod facts;
mod finding;
mod grammar;
mod read;
pub mod rules;
mod walk;

pub use facts::{
    At, ContextFacts, FanFacts, JobFacts, KeyFacts, LimitFacts, Occurrence, Place, QueueFacts,
    Record,
};
pub use finding::{Evidence, Finding, Kind, Subject};
pub(crate) use grammar::Name;
pub use walk::{Checked, History, Pace, Progress};
