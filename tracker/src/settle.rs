//! What workers report of their attempts: outcomes into Redis, confirmations back; leases prolonged or told lost.
//!
//! Nothing is kept: when Redis does not answer, no confirmation goes out, and the worker reports again, here or to another tracker.

use std::sync::Arc;
use std::time::Duration;

use tickwheel_core::limits::{ERROR_BYTES_MAX, RESULT_BYTES_MAX};
use tickwheel_core::partition::PartitionId;
use tickwheel_core::run::StateWord;
use tickwheel_proto::v1::confirmation::Verdict as WireVerdict;
use tickwheel_proto::v1::settlement::Outcome as WireOutcome;
use tickwheel_proto::v1::{self, CancelAttempt, Confirmation, Renewed, TrackerMessage};
use tickwheel_store::lease::{AttemptRef, Holding, Outcome, Renewal, Settlement, Verdict};

use crate::engine::{Engine, reason_of};
use crate::measure;
use crate::session::Session;

/// Running leases are told to workers as this much shorter, so that a worker gives up before Redis does.
const LEASE_MARGIN: Duration = Duration::from_millis(500);

/// A settlement with the stream that wants its confirmation.
#[derive(Debug)]
pub(crate) struct Reported {
    pub(crate) session: Arc<Session>,
    pub(crate) settlement: Settlement,
    /// How long its handler ran, by the worker's word.
    pub(crate) ran: Duration,
    /// The report broke a limit and was changed into a failure.
    pub(crate) refused: bool,
}

/// Reads one settlement of the wire; `None` when its context id or outcome is not one.
pub(crate) fn read(session: &Arc<Session>, wire: v1::Settlement) -> Option<Reported> {
    let attempt = AttemptRef {
        context: wire.context_id.parse().ok()?,
        attempt: wire.attempt.into(),
    };
    let error = bounded(wire.error);
    let mut refused = false;
    let outcome = match WireOutcome::try_from(wire.outcome).ok()? {
        WireOutcome::Unspecified => return None,
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
    Some(Reported {
        session: Arc::clone(session),
        settlement: Settlement {
            attempt,
            worker: session.worker.clone(),
            outcome,
            random,
        },
        ran: Duration::from_micros(wire.ran_us),
        refused,
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
    for reported in batch {
        runs.push(reported.ran);
        sessions.push((reported.session, reported.refused));
        settlements.push(reported.settlement);
    }
    crash_point!("before_settle_script");
    let verdicts = match engine.store.settle(partition, &settlements).await {
        Ok(verdicts) => verdicts,
        Err(error) => {
            tracing::warn!(%partition, count = settlements.len(), %error, "settling failed; the workers report again");
            measure::store_error(&error);
            return;
        }
    };
    crash_point!("after_settle_script");
    measure::settled(&settlements, &verdicts, &runs);
    let mut confirmations: Vec<(Arc<Session>, Vec<Confirmation>)> = Vec::new();
    for (((session, refused), settlement), verdict) in
        sessions.into_iter().zip(settlements).zip(verdicts)
    {
        let verdict = match verdict {
            Verdict::Settled if refused => WireVerdict::Refused,
            Verdict::Settled => WireVerdict::Settled,
            Verdict::Retrying => WireVerdict::Retrying,
            Verdict::LeaseLost | Verdict::Foreign => WireVerdict::Stale,
            Verdict::Gone => {
                resolve(&engine, session, settlement.attempt);
                continue;
            }
        };
        let confirmation = confirmation(settlement.attempt, verdict);
        match confirmations
            .iter_mut()
            .find(|(known, _)| Arc::ptr_eq(known, &session))
        {
            Some((_, list)) => list.push(confirmation),
            None => confirmations.push((session, vec![confirmation])),
        }
    }
    for (session, confirm) in confirmations {
        // A stream that ended takes its confirmations along: the worker reports again and is told that it is settled.
        session
            .send(TrackerMessage {
                confirm,
                ..TrackerMessage::default()
            })
            .ok();
    }
    crash_point!("after_confirm");
}

fn confirmation(attempt: AttemptRef, verdict: WireVerdict) -> Confirmation {
    Confirmation {
        context_id: attempt.context.into(),
        attempt: attempt.attempt.as_u32(),
        verdict: verdict.into(),
    }
}

/// An attempt that is not held was settled before, or has lost its lease: the record of the context tells which.
fn resolve(engine: &Arc<Engine>, session: Arc<Session>, attempt: AttemptRef) {
    let (engine, tasks) = (Arc::clone(engine), engine.tasks.clone());
    tasks.spawn(async move {
        let verdict = match engine.store.get_context(&attempt.context).await {
            Ok(Some(view))
                if view.attempt == attempt.attempt
                    && (view.state.is_settled() || view.state == StateWord::Fanned) =>
            {
                WireVerdict::AlreadySettled
            }
            Ok(Some(_)) => WireVerdict::Stale,
            // Older than the history that is kept: there is nothing left to settle.
            Ok(None) => WireVerdict::AlreadySettled,
            Err(error) => {
                measure::store_error(&error);
                return;
            }
        };
        let confirm = vec![confirmation(attempt, verdict)];
        session
            .send(TrackerMessage {
                confirm,
                ..TrackerMessage::default()
            })
            .ok();
    });
}

/// Prolongs one batch of leases, and tells the workers what became of them.
pub(crate) async fn renew(
    engine: Arc<Engine>,
    partition: PartitionId,
    batch: Vec<(Arc<Session>, AttemptRef)>,
) {
    let (sessions, attempts): (Vec<_>, Vec<_>) = batch
        .into_iter()
        .map(|(session, attempt)| {
            let worker = session.worker.clone();
            (session, Holding { attempt, worker })
        })
        .unzip();
    crash_point!("before_accept_flush");
    let renewals = match engine.store.renew(partition, &attempts).await {
        Ok(renewals) => renewals,
        Err(error) => {
            tracing::warn!(%partition, count = attempts.len(), %error, "renewing failed; the workers ask again");
            measure::store_error(&error);
            return;
        }
    };
    crash_point!("after_accept_flush");
    for ((session, holding), renewal) in sessions.into_iter().zip(attempts).zip(renewals) {
        let AttemptRef { context, attempt } = holding.attempt;
        let (context_id, attempt) = (String::from(context), attempt.as_u32());
        let frame = match renewal {
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
            Renewal::Cancelling(word) => {
                let cancel = vec![CancelAttempt {
                    context_id,
                    attempt,
                    reason: reason_of(&word).into(),
                }];
                TrackerMessage {
                    cancel,
                    ..TrackerMessage::default()
                }
            }
            Renewal::Lost | Renewal::Foreign => {
                if renewal == Renewal::Foreign {
                    measure::foreign("renew", 1);
                } else {
                    measure::stale("renew");
                }
                let cancel = vec![CancelAttempt {
                    context_id,
                    attempt,
                    reason: reason_of("FENCED").into(),
                }];
                TrackerMessage {
                    cancel,
                    ..TrackerMessage::default()
                }
            }
        };
        session.send(frame).ok();
    }
}
