//! What a worker refused (BUSY, draining, an unknown handler) is given back, and goes to another worker: `lease/release` makes it ready
//! again, and has its next pick pass this worker by.

use std::sync::Arc;

use tickwheel_core::partition::PartitionCount;
use tickwheel_proto::v1::rejection::Reason;
use tickwheel_proto::v1::{AttemptRef as WireRef, Rejection};
use tickwheel_store::lease::Holding;
use tokio::time::Instant;
use tonic::Status;

use crate::metrics::measure;
use crate::outcomes::Releases;
use crate::seldom::{LINE_EVERY, Seldom};
use crate::sessions::{Session, Sessions, items};

/// What a worker had in hand comes back all at once.
static UNKNOWN: Seldom = Seldom::new(LINE_EVERY);

/// See the module.
#[derive(Debug)]
pub(crate) struct Refusals {
    pub(crate) partitions: PartitionCount,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) releases: Arc<Releases>,
}

impl Refusals {
    /// Takes one refusal of the worker of `session`.
    ///
    /// # Errors
    /// The status that ends the stream, when too many of its items could not be read.
    pub(crate) fn take(&self, session: &Arc<Session>, refusal: Rejection) -> Result<(), Status> {
        let reason = refusal.reason();
        let wire = WireRef {
            context_id: refusal.context_id,
            attempt: refusal.attempt,
        };
        let Some(attempt) = items::attempt(self.partitions, session, "rejection", &wire)? else {
            return Ok(());
        };
        match reason {
            Reason::Draining => session.set_draining(),
            Reason::Unspecified | Reason::Busy => {}
            Reason::UnknownHandler => {
                // The worker's own Hello said otherwise: take nothing more of this kind to it.
                let context = &attempt.context;
                if let Some(kept_back) = UNKNOWN.next(Instant::now()) {
                    tracing::warn!(worker = %session.worker, %context, kept_back, "the worker does not know a handler it announced");
                }
                self.sessions.withdraw(session, &refusal.handler);
            }
        }
        measure::rejected(reason);
        let worker = session.worker.clone();
        let holding = Holding { attempt, worker };
        self.releases
            .release(holding, Some(session.in_flight.begin()));
        Ok(())
    }
}
