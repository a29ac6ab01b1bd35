//! What workers report of their attempts: outcomes into Redis, confirmations back; leases prolonged or told lost.
//!
//! Nothing is kept: when Redis does not answer, no confirmation goes out, and the worker reports again, here or to another tracker.

use std::sync::Arc;
use std::time::Duration;

use tickwheel_core::id::ContextId;
use tickwheel_core::limits::{ERROR_BYTES_MAX, RESULT_BYTES_MAX, SPAN_MS_MAX};
use tickwheel_core::partition::PartitionId;
use tickwheel_proto::v1::confirmation::Verdict as WireVerdict;
use tickwheel_proto::v1::settlement::Outcome as WireOutcome;
use tickwheel_proto::v1::{self, CancelAttempt, Confirmation, Renewed, TrackerMessage};
use tickwheel_store::lease::{AttemptRef, Holding, Outcome, Renewal, Settlement, Verdict};

use super::resolve;
use crate::engine::{Engine, reason_of};
use crate::metrics::measure;
use crate::sessions::{Session, Slot};

/// Running leases are told to workers as this much shorter, so that a worker gives up before Redis does.
const LEASE_MARGIN: Duration = Duration::from_millis(500);

/// An attempt whose lease its worker wants to be prolonged.
#[derive(Debug)]
pub(crate) struct Renewing {
    pub(crate) session: Arc<Session>,
    pub(crate) attempt: AttemptRef,
    pub(crate) slot: Slot,
}

/// A settlement with the stream that wants its confirmation.
#[derive(Debug)]
pub(crate) struct Reported {
    pub(crate) session: Arc<Session>,
    pub(crate) settlement: Settlement,
    /// How long its handler ran, by the worker's word.
    pub(crate) ran: Duration,
    /// The report broke a limit and was changed into a failure.
    pub(crate) refused: bool,
    slot: Slot,
}

/// Reads one settlement of the wire, of `context`; an error says why it is none.
pub(crate) fn read(
    session: &Arc<Session>,
    context: ContextId,
    wire: v1::Settlement,
) -> Result<Reported, String> {
    let attempt = AttemptRef {
        context,
        attempt: wire.attempt.into(),
    };
    let error = bounded(wire.error);
    let mut refused = false;
    let outcome = match WireOutcome::try_from(wire.outcome).unwrap_or_default() {
        WireOutcome::Unspecified => return Err(format!("{} is no outcome", wire.outcome)),
        WireOutcome::Succeeded if wire.result.len() > RESULT_BYTES_MAX => {
            refused = true;
            Outcome::Fatal(format!(
                "its result has {} bytes, at most {RESULT_BYTES_MAX} are kept",
                wire.result.len()
            ))
        }
        WireOutcome::Succeeded => Outcome::Succeeded(wire.result),
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

fn bounded(mut error: String) -> String {
    if error.len() > ERROR_BYTES_MAX {
        let end = (0..=ERROR_BYTES_MAX)
            .rev()
            .find(|end| error.is_char_boundary(*end))
            .unwrap_or(0);
        error.truncate(end);
    }
    error
}

/// Writes one batch and confirms it.
pub(crate) async fn write(engine: Arc<Engine>, partition: PartitionId, batch: Vec<Reported>) {
    let mut sessions = Vec::with_capacity(batch.len());
    let mut settlements = Vec::with_capacity(batch.len());
    let mut runs = Vec::with_capacity(batch.len());
    let mut slots = Vec::with_capacity(batch.len());
    for reported in batch {
        runs.push(reported.ran);
        sessions.push((reported.session, reported.refused));
        settlements.push(reported.settlement);
        slots.push(reported.slot);
    }
    crash_point!("before_settle_script");
    let verdicts = match engine.store.settle(partition, &settlements).await {
        Ok(verdicts) => verdicts,
        Err(error) => {
            let count = settlements.len();
            engine.unwritten(&error, |unsaid| {
                tracing::warn!(%partition, count, %error, unsaid, "settling failed; the workers report again");
            });
            return;
        }
    };
    crash_point!("after_settle_script");
    measure::settled(&settlements, &verdicts, &runs);
    let mut confirmations = Confirmations::default();
    let mut gone = Vec::new();
    let reports = sessions.into_iter().zip(slots).zip(settlements);
    for ((((session, refused), slot), settlement), verdict) in reports.zip(verdicts) {
        let verdict = match verdict {
            Verdict::Settled if refused => WireVerdict::Refused,
            Verdict::Settled => WireVerdict::Settled,
            Verdict::Retrying => WireVerdict::Retrying,
            Verdict::LeaseLost | Verdict::Foreign => WireVerdict::Stale,
            Verdict::Gone => {
                let attempt = settlement.attempt;
                gone.push(resolve::Unknown {
                    session,
                    attempt,
                    slot,
                });
                continue;
            }
        };
        if matches!(verdict, WireVerdict::Settled | WireVerdict::Refused) {
            engine.waits.ended(&settlement.attempt.context);
        }
        confirmations.add(&session, settlement.attempt, verdict);
    }
    engine.resolve(partition, gone);
    confirmations.send();
    crash_point!("after_confirm");
}

/// Confirmations, one frame for each stream.
#[derive(Debug, Default)]
pub(super) struct Confirmations(Vec<(Arc<Session>, Vec<Confirmation>)>);

impl Confirmations {
    pub(super) fn add(
        &mut self,
        session: &Arc<Session>,
        attempt: AttemptRef,
        verdict: WireVerdict,
    ) {
        let confirmation = Confirmation {
            context_id: attempt.context.into(),
            attempt: attempt.attempt.as_u32(),
            verdict: verdict.into(),
        };
        let known = self
            .0
            .iter_mut()
            .find(|(known, _)| Arc::ptr_eq(known, session));
        match known {
            Some((_, list)) => list.push(confirmation),
            None => self.0.push((Arc::clone(session), vec![confirmation])),
        }
    }

    pub(super) fn send(self) {
        for (session, confirm) in self.0 {
            // A stream that ended takes its confirmations along: the worker reports again and is told that it is settled.
            session
                .send(TrackerMessage {
                    confirm,
                    ..TrackerMessage::default()
                })
                .ok();
        }
    }
}

/// Tells a worker that these attempts hold nothing.
pub(crate) fn answer_stale(session: &Arc<Session>, attempts: Vec<AttemptRef>) {
    let mut confirmations = Confirmations::default();
    for attempt in attempts {
        confirmations.add(session, attempt, WireVerdict::Stale);
    }
    confirmations.send();
}

/// Prolongs one batch of leases, and tells the workers what became of them.
pub(crate) async fn renew(engine: Arc<Engine>, partition: PartitionId, batch: Vec<Renewing>) {
    let mut sessions = Vec::with_capacity(batch.len());
    let mut attempts = Vec::with_capacity(batch.len());
    for Renewing {
        session,
        attempt,
        slot,
    } in batch
    {
        let worker = session.worker.clone();
        sessions.push((session, slot));
        attempts.push(Holding { attempt, worker });
    }
    crash_point!("before_accept_flush");
    let renewals = match engine.store.renew(partition, &attempts).await {
        Ok(renewals) => renewals,
        Err(error) => {
            let count = attempts.len();
            engine.unwritten(&error, |unsaid| {
                tracing::warn!(%partition, count, %error, unsaid, "renewing failed; the workers ask again");
            });
            return;
        }
    };
    crash_point!("after_accept_flush");
    for (((session, _slot), holding), renewal) in sessions.into_iter().zip(attempts).zip(renewals) {
        let AttemptRef { context, attempt } = holding.attempt;
        let (context_id, attempt) = (String::from(context), attempt.as_u32());
        session.send(answer(renewal, (context_id, attempt))).ok();
    }
}

/// What a worker is told of the lease it wanted to be prolonged.
fn answer(renewal: Renewal, (context_id, attempt): (String, u32)) -> TrackerMessage {
    let cancel = |word: &str, context_id: String| {
        let cancel = vec![CancelAttempt {
            context_id,
            attempt,
            reason: reason_of(word).into(),
        }];
        TrackerMessage {
            cancel,
            ..TrackerMessage::default()
        }
    };
    match renewal {
        Renewal::Kept(lease) => {
            let lease = lease.saturating_sub(LEASE_MARGIN.min(lease / 4));
            let lease_ms = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
            TrackerMessage {
                renewed: vec![Renewed {
                    context_id,
                    attempt,
                    lease_ms,
                }],
                ..TrackerMessage::default()
            }
        }
        Renewal::Cancelling(word) => cancel(&word, context_id),
        Renewal::Lost => {
            measure::stale("renew");
            cancel("FENCED", context_id)
        }
        Renewal::Foreign => {
            measure::foreign("renew", 1);
            cancel("FENCED", context_id)
        }
    }
}
