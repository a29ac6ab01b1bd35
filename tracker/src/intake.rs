//! One frame of a worker, taken apart: credit first, then outcomes, refusals, leases, notes.

use std::sync::Arc;

use tickwheel_core::id::ContextId;
use tickwheel_core::partition::PartitionId;
use tickwheel_core::routing::Units;
use tickwheel_proto::v1::rejection::Reason;
use tickwheel_proto::v1::{AttemptRef as WireRef, Rejection, WorkerMessage};
use tickwheel_store::lease::{AttemptRef, Holding};

use crate::departed;
use crate::engine::Engine;
use crate::fan;
use crate::measure;
use crate::notes;
use crate::session::Session;
use crate::settle::{self, Reported};

/// Trackers that one frame may name as lost.
const LOST_MAX: usize = 64;

/// Takes one frame. Never waits: what has to be written is handed to the coalescers.
pub(crate) fn take(engine: &Arc<Engine>, session: &Arc<Session>, message: WorkerMessage) {
    if message.draining {
        session.set_draining();
    }
    if let Some(beat) = message.beat {
        session.heard(beat);
    }
    // Before the settlements: what an attempt said last counts only while it holds its context.
    if !message.log.is_empty() || !message.progress.is_empty() {
        notes::note(engine, &session.worker, message.log, message.progress);
    }
    if !message.settle.is_empty() {
        settle_all(engine, session, message.settle);
    }
    if !message.split.is_empty() {
        fan::take(engine, session, message.split);
    }
    for fetch in message.fetch {
        fan::fetch(engine, session, fetch);
    }
    let refused = !message.rejected.is_empty();
    for rejection in message.rejected {
        reject(engine, session, &rejection);
    }
    if let Some(credit) = message.credit {
        let mut known = session.credit();
        known.update(credit.free, credit.received);
        let free = message.units.map(|units| Units::of(units.amounts));
        session.units().update(free, credit.received);
        let free = known.available() > 0;
        drop(known);
        if free {
            engine.sessions.capacity.notify_one();
        }
    } else if refused {
        session.credit().exhaust();
    }
    for attempt in message.accepted.into_iter().chain(message.renew) {
        if let Some(attempt) = reference(engine, &attempt) {
            engine.renew(session, attempt);
        }
    }
    // After what the worker holds.
    for tracker in message.lost_trackers.iter().take(LOST_MAX) {
        if let Ok(tracker) = tracker.parse() {
            let missed = departed::missed(Arc::clone(engine), session.worker.clone(), tracker);
            tokio::spawn(missed);
        }
    }
}

fn reference(engine: &Engine, wire: &WireRef) -> Option<AttemptRef> {
    let context: ContextId = wire.context_id.parse().ok()?;
    known(engine, context.partition()).then(|| AttemptRef {
        context,
        attempt: wire.attempt.into(),
    })
}

fn known(engine: &Engine, partition: PartitionId) -> bool {
    partition.as_u16() < engine.store.partitions().as_u16()
}

fn settle_all(
    engine: &Arc<Engine>,
    session: &Arc<Session>,
    settlements: Vec<tickwheel_proto::v1::Settlement>,
) {
    let mut by_partition: Vec<(PartitionId, Vec<Reported>)> = Vec::new();
    for wire in settlements {
        let Some(reported) = settle::read(session, wire) else {
            tracing::warn!(worker = %session.worker, "a settlement names no context, or has no outcome");
            continue;
        };
        let partition = reported.settlement.attempt.context.partition();
        if !known(engine, partition) {
            continue;
        }
        match by_partition
            .iter_mut()
            .find(|(present, _)| *present == partition)
        {
            Some((_, reports)) => reports.push(reported),
            None => by_partition.push((partition, vec![reported])),
        }
    }
    for (partition, reports) in by_partition {
        notes::settle_after(engine, partition, reports);
    }
}

fn reject(engine: &Arc<Engine>, session: &Session, rejection: &Rejection) {
    let Ok(context) = rejection.context_id.parse::<ContextId>() else {
        return;
    };
    if !known(engine, context.partition()) {
        return;
    }
    match rejection.reason() {
        Reason::Draining => session.set_draining(),
        Reason::Unspecified | Reason::Busy => {}
        Reason::UnknownHandler => {
            // The worker's own Hello said otherwise: take nothing more of this kind to it.
            tracing::warn!(worker = %session.worker, %context, "the worker does not know a handler it announced");
            session.withdraw(&rejection.handler);
        }
    }
    measure::rejected(rejection.reason());
    engine.release(Holding {
        attempt: AttemptRef {
            context,
            attempt: rejection.attempt.into(),
        },
        worker: session.worker.clone(),
    });
}
