//! One question of an attempt to a tracker.

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::attempt::AttemptKey;
use crate::fan::{Answer, Request};

/// What an answer is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CallKey {
    pub(super) attempt: AttemptKey,
    pub(super) is_split: bool,
    pub(super) number: u64,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) request: Request,
    pub(super) reply: oneshot::Sender<Answer>,
    /// The link it was last sent over.
    pub(super) sent: Option<usize>,
    /// When it is asked again; `None` while it waits in a queue.
    pub(super) again_at: Option<Instant>,
}
