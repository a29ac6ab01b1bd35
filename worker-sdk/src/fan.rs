//! Fan-out as handlers see it: map items into subtasks, name a reduce, read results, know one's shard.
//!
//! Everything a handler hands over goes to a tracker page by page and is confirmed by Redis. A page carries how many items its context
//! mapped before, so that one that is sent twice, by this attempt or a later one, is taken once.

mod error;
mod map;
mod mapping;
mod options;
mod page;
mod part;
mod question;
mod results;

use tokio::sync::Mutex;

pub use error::FanError;
pub use options::{MapOptions, ReduceWhen};
pub(crate) use part::root_id;
pub use part::{Shard, Subtask, SubtaskKind};
pub(crate) use question::{Answer, Reply, Request};
pub use results::{Results, SubtaskResult};

use mapping::Mapping;

/// What an attempt that fans out keeps.
#[derive(Debug, Default)]
pub(crate) struct Fan {
    mapping: Mutex<Mapping>,
    /// Held while a page of results is on its way.
    fetching: Mutex<()>,
}
