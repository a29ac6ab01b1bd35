//! Fan-out as handlers see it: map items into subtasks, name a reduce, read results, know one's shard.
//!
//! Everything a handler hands over goes to a tracker page by page and is confirmed by Redis. A page carries how many items its context
//! mapped before, so that one that is sent twice, by this attempt or a later one, is taken once.

mod error;
mod map;
mod options;
mod page;
mod part;
mod results;

use std::sync::Arc;

use tickwheel_proto::v1::{FetchResults, ResultsPage, Split, SplitConfirmation};
use tokio::sync::{Mutex, oneshot};

pub use error::FanError;
pub use options::{MapOptions, ReduceWhen};
pub(crate) use part::root_id;
pub use part::{Shard, Subtask, SubtaskKind};
pub use results::{Results, SubtaskResult};

use map::Mapping;

/// What an attempt asks of its tracker.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    Split(Arc<Split>),
    Fetch(FetchResults),
}

impl Request {
    /// The number that answers carry: the offset of a page of items, the cursor of a page of results.
    pub(crate) fn number(&self) -> u64 {
        match self {
            Self::Split(split) => split.offset,
            Self::Fetch(fetch) => fetch.cursor,
        }
    }

    pub(crate) fn is_split(&self) -> bool {
        matches!(self, Self::Split(_))
    }

    /// About its size in a frame.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Split(split) => {
                split.context_id.len()
                    + split.items.iter().map(|item| item.len() + 8).sum::<usize>()
            }
            Self::Fetch(fetch) => fetch.context_id.len(),
        }
    }
}

/// What a tracker answered.
#[derive(Debug)]
pub(crate) enum Answer {
    Split(SplitConfirmation),
    Results(ResultsPage),
}

/// Where an answer will be; it fails when the attempt has lost its lease or ended.
pub(crate) type Reply = oneshot::Receiver<Answer>;

/// What an attempt that fans out keeps.
#[derive(Debug, Default)]
pub(crate) struct Fan {
    mapping: Mutex<Mapping>,
    /// Held while a page of results is on its way.
    fetching: Mutex<()>,
}
