//! The pure rules of Tickwheel: what a job is, when it is due, and what becomes of a context.
//!
//! Nothing in here does I/O, is asynchronous or reads a clock: every instant is a parameter, because only
//! Redis' clock decides what is due. Keys and scripts live in `tickwheel-store`, wire types in `tickwheel-proto`.
//!
//! The feature `schedule` brings what only trackers and the command line need: calendars, cron, the zone table, manifests. Workers do without.
//!
//! ```
//! use tickwheel_core::{CronSchedule, TimestampMs};
//!
//! let nightly = CronSchedule::parse("30 2 * * *", "Europe/Berlin")?;
//! let due = nightly.next_after(TimestampMs::new(1_767_225_600_000));
//! assert_eq!(due.map(|at| at.to_string()), Some("2026-01-01T01:30:00.000Z".to_owned()));
//! # Ok::<(), tickwheel_core::Violation>(())
//! ```

pub mod access;
#[cfg(feature = "schedule")]
pub mod after;
pub mod bounds;
#[cfg(feature = "schedule")]
pub mod calendar;
pub mod cancel;
pub mod catch_up;
#[cfg(feature = "schedule")]
pub mod cron;
pub mod durability;
pub mod error;
pub mod fairness;
pub mod id;
pub mod invariant;
pub mod job;
pub mod labels;
pub mod ledger;
pub mod limits;
pub mod log;
#[cfg(feature = "schedule")]
pub mod manifest;
pub mod model;
pub mod partition;
pub mod pause;
pub mod peer;
pub mod routing;
pub mod run;
#[cfg(feature = "schedule")]
pub mod shape;
pub mod task;
pub mod time;
mod word;
#[cfg(feature = "schedule")]
pub mod zone;

#[cfg(feature = "schedule")]
pub use calendar::Calendar;
#[cfg(feature = "schedule")]
pub use cron::CronSchedule;
pub use durability::Durability;
pub use error::{Violation, Violations};
pub use id::{
    AttemptNo, ContextId, DedupKey, GroupName, HandlerName, JobName, Namespace, Reuse, TrackerId,
    WorkerId,
};
pub use job::{
    AfterOn, Backoff, ContextOptions, JobSpec, Misfire, MisfirePolicy, Overlap, Priority,
    RetryPolicy, Trigger,
};
#[cfg(feature = "schedule")]
pub use manifest::parse_documents;
pub use model::{Model, ReduceOn};
pub use partition::{PartitionCount, PartitionId, partition_of};
pub use run::ContextState;
pub use task::Task;
pub use time::TimestampMs;
