//! What attempts ask trackers, and what these answer.

use std::sync::Arc;

use tickwheel_proto::v1::{FetchResults, ResultsPage, Split, SplitConfirmation};
use tokio::sync::oneshot;

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
