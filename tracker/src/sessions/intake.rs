//! One frame of a worker, taken apart: credit first, then outcomes, refusals, leases, notes.

use std::collections::BTreeMap;
use std::sync::Arc;

use tickwheel_core::error::Violation;
use tickwheel_core::id::ContextId;
use tickwheel_core::partition::PartitionId;
use tickwheel_proto::v1::rejection::Reason;
use tickwheel_proto::v1::{AttemptRef as WireRef, Rejection, WorkerMessage};
use tickwheel_store::lease::{AttemptRef, Holding};
use tonic::Status;

use crate::engine::Engine;
use crate::fan_out::fan;
use crate::membership::departed;
use crate::metrics::measure;
use crate::outcomes::notes;
use crate::outcomes::settle::{self, Reported};
use crate::sessions::Session;

/// Trackers that one frame may name as lost.
const LOST_MAX: usize = 64;

/// Takes one frame. Never waits: what has to be written is handed to the coalescers, and counts as in flight until it is.
///
/// # Errors
/// The status that ends the stream, when too many of its items could not be read.
pub(crate) fn take(
    engine: &Arc<Engine>,
    session: &Arc<Session>,
    message: WorkerMessage,
) -> Result<(), Status> {
    if message.draining {
        session.set_draining();
    }
    if let Some(beat) = message.beat {
        session.heard(beat);
    }
    // Before the settlements: what an attempt said last counts only while it holds its context.
    if !message.log.is_empty() || !message.progress.is_empty() {
        notes::note(engine, session, (message.log, message.progress))?;
    }
    if !message.settle.is_empty() {
        settle_all(engine, session, message.settle)?;
    }
    if !message.split.is_empty() {
        fan::take(engine, session, message.split)?;
    }
    for fetch in message.fetch {
        fan::fetch(engine, session, fetch);
    }
    let refused = !message.rejected.is_empty();
    for rejection in message.rejected {
        reject(engine, session, &rejection)?;
    }
    if let Some(credit) = message.credit {
        let mut known = session.credit();
        known.update(credit.free, credit.received);
        let free = known.available() > 0;
        drop(known);
        session.heard_units(message.units, credit.received);
        if free {
            engine.sessions.capacity.notify_one();
        }
    } else if refused {
        session.credit().exhaust();
    }
    for attempt in message.accepted.into_iter().chain(message.renew) {
        if let Some(attempt) = reference(engine, session, "renewal", &attempt)? {
            engine.renew(session, attempt);
        }
    }
    // After what the worker holds.
    for tracker in message.lost_trackers.iter().take(LOST_MAX) {
        if let Ok(tracker) = tracker.parse() {
            departed::missed(engine, session.worker.clone(), tracker);
        }
    }
    Ok(())
}

/// The attempt that an item of the stream names; nothing when there can be none.
fn reference(
    engine: &Engine,
    session: &Session,
    item: &'static str,
    wire: &WireRef,
) -> Result<Option<AttemptRef>, Status> {
    let context = context(engine, &wire.context_id);
    let attempt = context.map(|context| AttemptRef {
        context,
        attempt: wire.attempt.into(),
    });
    attempt.map(Some).or_else(|why| {
        session.fault(item, why);
        session.is_sound().map(|()| None)
    })
}

/// The context of this id, when this cluster may have it; else why not.
pub(crate) fn context(engine: &Engine, id: &str) -> Result<ContextId, String> {
    let context: ContextId = id.parse().map_err(|wrong: Violation| wrong.to_string())?;
    if has(engine, &context) {
        return Ok(context);
    }
    let partitions = engine.store.partitions();
    Err(format!(
        "`{context}`: this cluster has {partitions} partitions"
    ))
}

fn has(engine: &Engine, context: &ContextId) -> bool {
    context.partition().as_u16() < engine.store.partitions().as_u16()
}

fn settle_all(
    engine: &Arc<Engine>,
    session: &Arc<Session>,
    settlements: Vec<tickwheel_proto::v1::Settlement>,
) -> Result<(), Status> {
    let mut by_partition: BTreeMap<PartitionId, Vec<Reported>> = BTreeMap::new();
    let mut foreign = Vec::new();
    for wire in settlements {
        let read = match wire.context_id.parse::<ContextId>() {
            Ok(context) if !has(engine, &context) => {
                let attempt = wire.attempt.into();
                foreign.push(AttemptRef { context, attempt });
                continue;
            }
            Ok(context) => settle::read(session, context, wire),
            Err(wrong) => Err(wrong.to_string()),
        };
        match read {
            Ok(reported) => {
                let partition = reported.settlement.attempt.context.partition();
                by_partition.entry(partition).or_default().push(reported);
            }
            Err(why) => {
                session.fault("settlement", why);
                session.is_sound()?;
            }
        }
    }
    // Of another cluster, or of this one when it had more partitions: nobody here will ever hold them.
    settle::answer_stale(session, foreign);
    for (partition, reports) in by_partition {
        notes::settle_after(engine, partition, reports);
    }
    Ok(())
}

fn reject(
    engine: &Arc<Engine>,
    session: &Arc<Session>,
    rejection: &Rejection,
) -> Result<(), Status> {
    let wire = WireRef {
        context_id: rejection.context_id.clone(),
        attempt: rejection.attempt,
    };
    let Some(attempt) = reference(engine, session, "rejection", &wire)? else {
        return Ok(());
    };
    match rejection.reason() {
        Reason::Draining => session.set_draining(),
        Reason::Unspecified | Reason::Busy => {}
        Reason::UnknownHandler => {
            // The worker's own Hello said otherwise: take nothing more of this kind to it.
            let context = &attempt.context;
            tracing::warn!(worker = %session.worker, %context, "the worker does not know a handler it announced");
            engine.sessions.withdraw(session, &rejection.handler);
        }
    }
    measure::rejected(rejection.reason());
    let worker = session.worker.clone();
    let holding = Holding { attempt, worker };
    engine.release(holding, Some(session.in_flight.begin()));
    Ok(())
}
