//! One visit: a turn with the permits that are free now, or a look by a stand-in; then everything that follows from a turn.

use std::sync::Arc;

use tickwheel_core::partition::PartitionId;
use tickwheel_store::Error;
use tickwheel_store::record::Queue;
use tickwheel_store::wheel::{Looked, Served, Told, TurnLimits, Turned};
use tokio::time::Instant;

use super::partitions::Purpose;
use super::turner::OVERDUE;
use crate::dispatch;
use crate::engine::Engine;
use crate::fan_out::open;
use crate::matching::offers::{self, Offered, Taken};
use crate::matching::reservations::Reserved;
use crate::metrics::measure;

/// Handlers, and their groups, that one turn is told of where more waits than it could tell of; turns take turns.
const SERVED_TOLD: usize = 1_000;
/// The same for a look.
const SERVED_LOOKED: usize = 256;
/// A visit that ended.
pub(crate) struct Visit {
    pub(crate) partition: PartitionId,
    pub(crate) began: Instant,
    pub(crate) found: Found,
}

/// What a visit found.
pub(crate) enum Found {
    /// The partition was turned; its claims are on their way.
    Turned { turned: Box<Turned>, claimed: bool },
    /// A stand-in looked; `overdue` when its first tracker does not do its work.
    Looked { looked: Looked, overdue: bool },
    /// It was for what waits, and others had taken the permits.
    NoPermit,
    /// It was not answered, or refused.
    Failed(&'static str, Error),
}

/// Visits `partition`, in which `waiting` was seen at the last turn; to look only, when another tracker turns it.
pub(crate) async fn visit(
    engine: Arc<Engine>,
    (partition, purpose): (PartitionId, Purpose),
    (look_only, waiting, untold): (bool, Vec<Queue>, bool),
    rotation: usize,
) -> Visit {
    let began = Instant::now();
    let found = if look_only {
        look(&engine, partition, rotation).await
    } else {
        let served = if untold {
            engine.sessions.served(SERVED_TOLD, rotation)
        } else {
            Vec::new()
        };
        let told = (rotation, waiting.as_slice(), served.as_slice());
        turn(&engine, (partition, began), purpose, told).await
    };
    Visit {
        partition,
        began,
        found,
    }
}

async fn turn(
    engine: &Arc<Engine>,
    (partition, began): (PartitionId, Instant),
    purpose: Purpose,
    (rotation, waiting, served): (usize, &[Queue], &[Served]),
) -> Found {
    let Offered { reserved, lanes } = offers::offer(engine, partition, (rotation, waiting)).await;
    if purpose == Purpose::Waiting && !reserved.has_permits() {
        engine.return_permits(reserved, &[]);
        return Found::NoPermit;
    }
    let limits = TurnLimits {
        dispatch_lease: engine.config.dispatch_lease,
        entries: engine.config.turn_limit,
    };
    let offers = reserved.offers();
    let told = engine.limits.for_turn(partition);
    let told = Told {
        lanes: &lanes,
        random: engine.draws.next(),
        limits: told.as_ref(),
        served,
    };
    let turned = engine.store.turn_told(partition, &offers, told, limits);
    match turned.await {
        Ok(turned) => {
            engine.absence.answered(turned.now, Instant::now());
            finish(engine, turned, (partition, began), reserved)
        }
        Err(error) => {
            // Whether it claimed is unknown; if it did, the dispatch leases end soon.
            engine.return_permits(reserved, &[]);
            measure::store_error(&error);
            Found::Failed("turn", error)
        }
    }
}

async fn look(engine: &Engine, partition: PartitionId, rotation: usize) -> Found {
    let served = engine.sessions.served(SERVED_LOOKED, rotation);
    match engine.store.look_for(partition, &served).await {
        Ok(looked) => {
            let late = u64::try_from(OVERDUE.as_millis())
                .unwrap_or(u64::MAX)
                .saturating_sub(100);
            let before = looked.now.as_u64().saturating_sub(late);
            let head = looked.head.is_some_and(|head| head.as_u64() <= before);
            let ready = looked
                .ready
                .iter()
                .any(|(queue, due)| due.as_u64() <= before && engine.takes(queue) == Taken::Now);
            Found::Looked {
                looked,
                overdue: head || ready,
            }
        }
        Err(error) => {
            measure::store_error(&error);
            Found::Failed("look", error)
        }
    }
}

/// The script left out what some workers said: they get no work, and somebody has to know.
fn tell_unread(engine: &Engine, partition: PartitionId, offers: u64) {
    if offers > 0
        && let Some(unsaid) = engine.unread_offers.next(Instant::now())
    {
        tracing::error!(%partition, offers, unsaid, "offers that the script could not read were left out of a turn: their workers get no work");
    }
}

fn finish(
    engine: &Arc<Engine>,
    mut turned: Turned,
    (partition, began): (PartitionId, Instant),
    reserved: Reserved,
) -> Found {
    let claims = std::mem::take(&mut turned.claims);
    let claimed = !claims.is_empty();
    let waiting = turned.backlog.iter().map(|(queue, _)| queue.clone());
    let met: Vec<Queue> = claims
        .iter()
        .filter(|claim| claim.member.rest.options.lane.is_some())
        .map(|claim| claim.member.rest.queue())
        .chain(waiting)
        .collect();
    engine.lanes.met(partition, met.iter(), Instant::now());
    engine.lanes.pin(partition, &turned.pinned);
    // Of a queue in which nothing waits for just any worker there was only its lane to know.
    turned.backlog.retain(|(_, waiting)| *waiting > 0);
    if claimed {
        crash_point!("after_turn");
    }
    let lease = engine.config.dispatch_lease.saturating_sub(began.elapsed());
    if claimed && lease < engine.config.dispatch_lease / 4 {
        // The answer was long under way, or this process stood still: no worker could accept them in time. What is not held by somebody
        // else by now is ready again at once.
        tracing::warn!(%partition, claims = claims.len(), "claims came too late to be sent; they are given back");
        for claim in claims {
            engine.release(claim.holding(), None);
        }
        engine.return_permits(reserved, &[]);
    } else {
        dispatch::dispatch(engine, claims, (turned.now, lease), reserved);
    }
    if claimed {
        crash_point!("after_send");
    }
    measure::turned(&turned.counts);
    tell_unread(engine, partition, turned.counts.unread);
    if turned.counts.unreadable > 0 {
        let records = turned.counts.unreadable;
        tracing::debug!(%partition, records, "a turn told of records that cannot be read: see `tickwheel store check`");
    }
    if turned.counts.aside > 0 {
        let records = turned.counts.aside;
        tracing::error!(%partition, records, "records that no turn can use were put aside: see `tickwheel store check` and the quarantine");
    }
    for job in turned.plan.drain(..) {
        engine.replan(job, turned.now);
    }
    if !turned.outbox.is_empty() {
        engine.deliver(partition, std::mem::take(&mut turned.outbox));
    }
    for waiting in &turned.opens {
        open::open(engine, waiting.clone());
    }
    for pinned in turned.looks.drain(..) {
        open::look(engine, pinned);
    }
    if !turned.reports.is_empty() {
        engine.share(partition, turned.reports.clone());
    }
    if turned
        .backlog
        .iter()
        .any(|(queue, _)| queue.stopped.is_some())
    {
        engine.limits.activate();
    }
    if turned.scan && engine.absence.grace(Instant::now()).is_none() {
        engine.reap(partition, Vec::new());
    }
    Found::Turned {
        turned: Box::new(turned),
        claimed,
    }
}
