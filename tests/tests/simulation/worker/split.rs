//! A worker whose handlers map: a page goes out until somebody confirms it.

use std::time::Duration;

use tickwheel_proto::v1::split_confirmation::Verdict;
use tickwheel_proto::v1::subtask::Kind;
use tickwheel_proto::v1::{SplitConfirmation, Subtask, WorkerMessage};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::Worker;
use super::state::{Key, primary};
use crate::fans;
use crate::work::Work;
use crate::world::with;

/// A page is sent again after this.
const PATIENCE: Duration = Duration::from_millis(1_500);

impl Worker {
    /// Whether a handler may map: not a reduce, and not a part of a job's model.
    pub(super) fn may_map(subtask: Option<&Subtask>) -> bool {
        subtask.is_none_or(|part| part.kind() == Kind::Map)
    }

    /// Maps the page of this attempt; false when it may not, or does not hold its context any more.
    pub(super) async fn map(&self, key: &Key, work: Work) -> bool {
        let page = fans::page(&key.0, key.1, work);
        with(|world| world.checks.maps(&key.0, work.items()));
        loop {
            let (told, verdict) = oneshot::channel();
            let primary = {
                let mut state = self.state();
                state.pages.insert(key.clone(), told);
                primary(&state)
            };
            if let Some(link) = primary {
                let frame = WorkerMessage {
                    split: vec![page.clone()],
                    ..WorkerMessage::default()
                };
                self.send(link, frame);
            }
            match timeout(PATIENCE, verdict).await {
                Ok(Ok(Verdict::Taken)) => return true,
                Ok(Ok(Verdict::Stale | Verdict::Refused | Verdict::Unspecified)) => return false,
                Ok(Ok(Verdict::Unavailable)) => sleep(PATIENCE).await,
                Ok(Err(_)) | Err(_) => {}
            }
        }
    }

    /// Hands on what a tracker says of a page.
    pub(super) fn split(&self, confirmation: SplitConfirmation) {
        let verdict = confirmation.verdict();
        let key = (confirmation.context_id, confirmation.attempt);
        if let Some(told) = self.state().pages.remove(&key) {
            // Whoever waited may have been told to stop.
            told.send(verdict).ok();
        }
    }
}
