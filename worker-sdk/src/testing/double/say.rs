//! What a test lets the tracker double say.

use tickwheel_proto::v1::confirmation::Verdict;
use tickwheel_proto::v1::{
    Assignment, CancelAttempt, Confirmation, Roster, TrackerMessage, cancel_attempt,
};
use tonic::Status;

use super::TrackerDouble;

impl TrackerDouble {
    /// Sends a message over the newest stream.
    ///
    /// # Errors
    /// When there is no stream.
    pub async fn send(&self, message: TrackerMessage) -> Result<(), Status> {
        let newest = self.state.lock().streams.last().cloned();
        let stream = newest.ok_or_else(|| Status::unavailable("no worker has a stream"))?;
        stream
            .to_worker
            .send(Ok(message))
            .await
            .map_err(|_| Status::unavailable("the worker's stream is gone"))
    }

    /// Dispatches a batch.
    ///
    /// # Errors
    /// When there is no stream.
    pub async fn dispatch(&self, dispatch: Vec<Assignment>) -> Result<(), Status> {
        self.send(TrackerMessage {
            dispatch,
            ..TrackerMessage::default()
        })
        .await
    }

    /// Cancels an attempt.
    ///
    /// # Errors
    /// When there is no stream.
    pub async fn cancel(
        &self,
        context_id: &str,
        attempt: u32,
        reason: cancel_attempt::Reason,
    ) -> Result<(), Status> {
        let cancel = CancelAttempt {
            context_id: context_id.to_owned(),
            attempt,
            reason: reason.into(),
        };
        self.send(TrackerMessage {
            cancel: vec![cancel],
            ..TrackerMessage::default()
        })
        .await
    }

    /// Confirms an outcome.
    ///
    /// # Errors
    /// When there is no stream.
    pub async fn confirm(
        &self,
        context_id: &str,
        attempt: u32,
        verdict: Verdict,
    ) -> Result<(), Status> {
        let confirmation = Confirmation {
            context_id: context_id.to_owned(),
            attempt,
            verdict: verdict.into(),
            error: String::new(),
        };
        self.send(TrackerMessage {
            confirm: vec![confirmation],
            ..TrackerMessage::default()
        })
        .await
    }

    /// Tells which trackers there are.
    ///
    /// # Errors
    /// When there is no stream.
    pub async fn tell_roster(&self, tracker_urls: Vec<String>) -> Result<(), Status> {
        self.send(TrackerMessage {
            roster: Some(Roster { tracker_urls }),
            ..TrackerMessage::default()
        })
        .await
    }

    /// Announces that the tracker stops.
    ///
    /// # Errors
    /// When there is no stream.
    pub async fn announce_drain(&self) -> Result<(), Status> {
        self.send(TrackerMessage {
            drain: true,
            ..TrackerMessage::default()
        })
        .await
    }
}
