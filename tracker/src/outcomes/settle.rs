//! Outcomes of attempts, into Redis, and their confirmations back.
//!
//! Nothing is kept: when Redis does not answer, the worker is told so, and reports again, here or to another tracker. A note is
//! refused once its attempt has ended, so a settlement waits for the notes of its context that are on their way.

use std::sync::Arc;
use std::time::Duration;

use tickwheel_core::bounds::{ERROR_BYTES_MAX, RESULT_BYTES_MAX, SPAN_MS_MAX};
use tickwheel_core::id::ContextId;
use tickwheel_core::partition::PartitionId;
use tickwheel_proto::v1;
use tickwheel_proto::v1::confirmation::Verdict as WireVerdict;
use tickwheel_proto::v1::settlement::Outcome as WireOutcome;
use tickwheel_store::Store;
use tickwheel_store::lease::{AttemptRef, Outcome, Settlement, Verdict};
use tickwheel_store::record::error_type;
use tokio_util::task::TaskTracker;

use super::attempt_logs::AttemptLogs;
use super::confirm::{Confirmations, unwritten};
use super::resolve::{Resolving, Unheld};
use super::settled_in::SettledIn;
use super::waits::Waits;
use crate::batches::{Batches, Calls};
use crate::metrics::measure;
use crate::redis_health::Room;
use crate::seldom::Unwritten;
use crate::sessions::{Session, Slot};

/// A settlement with the stream that wants its confirmation.
#[derive(Debug)]
pub(crate) struct Reported {
    session: Arc<Session>,
    settlement: Settlement,
    /// How long its handler ran, by the worker's word.
    ran: Duration,
    /// The report broke a limit and was changed into a failure.
    refused: bool,
    slot: Slot,
}

/// Reads one settlement of the wire, of `context`; an error says why it is none.
pub(crate) fn read(
    session: &Arc<Session>,
    context: ContextId,
    wire: &v1::Settlement,
) -> Result<Reported, String> {
    let attempt = AttemptRef {
        context,
        attempt: wire.attempt.into(),
    };
    let error = error_type::message(&wire.error_type, &wire.error, ERROR_BYTES_MAX);
    let mut refused = false;
    let outcome = match WireOutcome::try_from(wire.outcome).unwrap_or_default() {
        WireOutcome::Unspecified => {
            return Err(format!("{} is no outcome of this protocol", wire.outcome));
        }
        WireOutcome::Succeeded if wire.result.len() > RESULT_BYTES_MAX => {
            refused = true;
            Outcome::Fatal(format!(
                "its result has {} bytes, at most {RESULT_BYTES_MAX} are kept",
                wire.result.len()
            ))
        }
        WireOutcome::Succeeded => Outcome::Succeeded(wire.result.clone()),
        WireOutcome::Failed => Outcome::Failed(error),
        WireOutcome::Fatal => Outcome::Fatal(error),
        WireOutcome::RetryAfter if wire.retry_after_ms > SPAN_MS_MAX => {
            refused = true;
            Outcome::Fatal(format!(
                "it asked to be retried after {} ms, at most {SPAN_MS_MAX} (ten years) are allowed",
                wire.retry_after_ms
            ))
        }
        WireOutcome::RetryAfter => {
            Outcome::RetryAfter(Duration::from_millis(wire.retry_after_ms), error)
        }
        WireOutcome::Cancelled => Outcome::Cancelled(error),
        WireOutcome::TimedOut => Outcome::TimedOut(error),
    };
    let random = if matches!(outcome, Outcome::Succeeded(_)) {
        0
    } else {
        rand::random_range(0..1_000_000)
    };
    Ok(Reported {
        session: Arc::clone(session),
        settlement: Settlement {
            attempt,
            worker: session.worker.clone(),
            outcome,
            random,
        },
        ran: Duration::from_micros(wire.ran_us).min(Duration::from_millis(SPAN_MS_MAX)),
        refused,
        slot: session.in_flight.begin(),
    })
}

impl Reported {
    fn context(&self) -> &ContextId {
        &self.settlement.attempt.context
    }

    pub(crate) fn partition(&self) -> PartitionId {
        self.context().partition()
    }
}

/// Who is told of what is settled here.
#[derive(Debug)]
pub(crate) struct Told {
    /// Of ends.
    pub(crate) waits: Arc<Waits>,
    /// Of what failed.
    pub(crate) room: Arc<Room>,
    /// In which partitions something ended.
    pub(crate) settled: Arc<SettledIn>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Settlements {
    batches: Batches<Reported>,
    store: Store,
    attempt_logs: Arc<AttemptLogs>,
    resolving: Arc<Resolving>,
    told: Told,
    tasks: TaskTracker,
    unwritten: Unwritten,
}

impl Settlements {
    /// What is not held is asked of the records.
    pub(crate) fn new(
        calls: &Calls,
        store: Store,
        attempt_logs: Arc<AttemptLogs>,
        told: Told,
        tasks: TaskTracker,
    ) -> Arc<Self> {
        Arc::new(Self {
            batches: calls.batches(),
            resolving: Resolving::new(calls, store.clone()),
            store,
            attempt_logs,
            told,
            tasks,
            unwritten: Unwritten::default(),
        })
    }

    /// Settles what workers reported; those whose context has notes on their way follow when these are written.
    pub(crate) fn settle(self: &Arc<Self>, partition: PartitionId, mut reports: Vec<Reported>) {
        if !self.attempt_logs.are_all_written() {
            let waits = |report: &mut Reported| self.attempt_logs.are_pending(report.context());
            for report in reports.extract_if(.., waits) {
                let settlements = Arc::clone(self);
                self.tasks.spawn(async move {
                    settlements.attempt_logs.written(report.context()).await;
                    settlements.push(partition, vec![report]);
                });
            }
        }
        self.push(partition, reports);
    }

    fn push(self: &Arc<Self>, partition: PartitionId, reports: Vec<Reported>) {
        let settlements = Arc::clone(self);
        self.batches.push(partition, reports, move |batch| {
            let settlements = Arc::clone(&settlements);
            async move { settlements.write(partition, batch).await }
        });
    }

    /// Writes one batch and confirms it.
    async fn write(&self, partition: PartitionId, batch: Vec<Reported>) {
        let mut sessions = Vec::with_capacity(batch.len());
        let mut settlements = Vec::with_capacity(batch.len());
        let mut runs = Vec::with_capacity(batch.len());
        for reported in batch {
            runs.push(reported.ran);
            sessions.push((reported.session, reported.refused, reported.slot));
            settlements.push(reported.settlement);
        }
        crash_point!("before_settle_script");
        let verdicts = match self.store.settle(partition, &settlements).await {
            Ok(verdicts) => verdicts,
            Err(error) => {
                let count = settlements.len();
                self.told.room.failed(partition, &error);
                self.unwritten.count(&error, |unsaid| {
                    tracing::warn!(%partition, count, %error, unsaid, "settling failed; the workers report again");
                });
                let (mut confirmations, why) = (Confirmations::default(), unwritten(&error));
                for ((session, ..), settlement) in sessions.into_iter().zip(settlements) {
                    confirmations.tell(&session, settlement.attempt, WireVerdict::Unavailable, why);
                }
                confirmations.send();
                return;
            }
        };
        crash_point!("after_settle_script");
        measure::settled(&settlements, &verdicts, &runs);
        let mut confirmations = Confirmations::default();
        let mut unheld = Vec::new();
        let reports = sessions.into_iter().zip(settlements);
        for (((session, refused, slot), settlement), verdict) in reports.zip(verdicts) {
            let verdict = match verdict {
                Verdict::Settled if refused => WireVerdict::Refused,
                Verdict::Settled => WireVerdict::Settled,
                Verdict::Retrying => WireVerdict::Retrying,
                Verdict::LeaseLost | Verdict::Foreign => WireVerdict::Stale,
                Verdict::Gone => {
                    let attempt = settlement.attempt;
                    unheld.push(Unheld {
                        session,
                        attempt,
                        slot,
                    });
                    continue;
                }
            };
            if matches!(verdict, WireVerdict::Settled | WireVerdict::Refused) {
                self.told.waits.ended(&settlement.attempt.context);
            }
            let mut why = "";
            if let Outcome::Fatal(told) = &settlement.outcome
                && refused
            {
                why = told;
            }
            confirmations.tell(&session, settlement.attempt, verdict, why);
        }
        self.told.settled.note(partition);
        self.resolving.resolve(partition, unheld);
        confirmations.send();
        crash_point!("after_confirm");
    }
}
