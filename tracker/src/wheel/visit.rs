//! One visit: a turn with the permits that are free now, or a look by a stand-in; then everything that follows from a turn.

use std::sync::Arc;
use std::time::Duration;

use tickwheel_core::partition::PartitionId;
use tickwheel_store::record::Queue;
use tickwheel_store::wheel::{Claim, Looked, Told, TurnLimits, Turned};
use tickwheel_store::{Error, Store};
use tokio::time::Instant;

use super::follow_up::FollowUp;
use super::partitions::{OVERDUE, Purpose};
use super::rng::Rng;
use crate::dispatch::{Dispatch, Sending};
use crate::limits::Limits;
use crate::matching::{Matching, Offered, Reserved, Taken, return_permits};
use crate::metrics::measure;
use crate::outcomes::Releases;
use crate::redis_health::{Outage, Room};
use crate::seldom::Seldom;
use crate::sessions::Sessions;

/// Handlers, and their groups, that one turn is told of where more waits than it could tell of; turns take turns.
const SERVED_TOLD: usize = 1_000;
/// The same for a look.
const SERVED_LOOKED: usize = 256;

/// What a visit is for.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) partition: PartitionId,
    pub(super) purpose: Purpose,
    /// Another tracker turns the partition.
    pub(super) look_only: bool,
    /// What was seen to wait at the last turn.
    pub(super) waiting: Vec<Queue>,
    /// More waited than the last turn told of.
    pub(super) untold: bool,
    /// Grows from one visit to the next: whoever is asked first differs.
    pub(super) rotation: usize,
}

/// A visit that ended.
pub(super) struct Visit {
    pub(super) partition: PartitionId,
    pub(super) began: Instant,
    pub(super) found: Found,
}

/// What a visit found.
pub(super) enum Found {
    /// The partition was turned; its claims are on their way.
    Turned { turned: Box<Turned>, claimed: bool },
    /// A stand-in looked; `overdue` when its first tracker does not do its work.
    Looked { looked: Looked, overdue: bool },
    /// It was for what waits, and others had taken the permits.
    NoPermit,
    /// It was not answered, or refused.
    Failed(&'static str, Error),
}

/// What visits need.
#[derive(Debug)]
pub(crate) struct Visits {
    pub(crate) store: Store,
    /// Bounds of a turn.
    pub(crate) turn_limits: TurnLimits,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) matching: Arc<Matching>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) dispatch: Dispatch,
    pub(crate) releases: Arc<Releases>,
    pub(crate) follow_up: FollowUp,
    /// Told of each answer.
    pub(crate) outage: Arc<Outage>,
    pub(crate) room: Arc<Room>,
    pub(crate) draws: Rng,
    /// Offers that a script could not read are told of this often.
    pub(crate) unread_offers: Seldom,
}

/// A turn that was answered, from its call on.
struct Answered {
    turned: Turned,
    began: Instant,
    reserved: Reserved,
}

impl Visits {
    /// Visits a partition.
    pub(super) async fn visit(self: Arc<Self>, order: Order) -> Visit {
        let (partition, began) = (order.partition, Instant::now());
        let found = if order.look_only {
            self.look(partition, order.rotation).await
        } else {
            self.turn(order, began).await
        };
        Visit {
            partition,
            began,
            found,
        }
    }

    async fn turn(&self, order: Order, began: Instant) -> Found {
        let (partition, rotation) = (order.partition, order.rotation);
        let served = if order.untold {
            self.sessions.served(SERVED_TOLD, rotation)
        } else {
            Vec::new()
        };
        let most = self.turn_limits.entries;
        let offered = self
            .matching
            .offer(partition, most, rotation, &order.waiting);
        let Offered {
            reserved,
            placements,
        } = offered.await;
        if order.purpose == Purpose::Waiting && !reserved.has_permits() {
            return_permits(&self.sessions, reserved, &[]);
            return Found::NoPermit;
        }
        let offers = reserved.offers();
        let limits = self.limits.for_turn(partition);
        let told = Told {
            placements: &placements,
            random: self.draws.next(),
            limits: limits.as_ref(),
            served: &served,
        };
        let turned = self
            .store
            .turn_told(partition, &offers, told, self.turn_limits);
        match turned.await {
            Ok(turned) => {
                self.outage.answered(turned.now, Instant::now());
                let answered = Answered {
                    turned,
                    began,
                    reserved,
                };
                self.finish(partition, answered)
            }
            Err(error) => {
                // Whether it claimed is unknown; if it did, the dispatch leases end soon.
                return_permits(&self.sessions, reserved, &[]);
                measure::store_error(&error);
                Found::Failed("turn", error)
            }
        }
    }

    async fn look(&self, partition: PartitionId, rotation: usize) -> Found {
        let served = self.sessions.served(SERVED_LOOKED, rotation);
        match self.store.look_for(partition, &served).await {
            Ok(looked) => {
                let late = u64::try_from(OVERDUE.as_millis())
                    .unwrap_or(u64::MAX)
                    .saturating_sub(100);
                let before = looked.now.as_u64().saturating_sub(late);
                let head = looked.head.is_some_and(|head| head.as_u64() <= before);
                let ready = looked.ready.iter().any(|(queue, due)| {
                    due.as_u64() <= before && self.matching.takes(queue) == Taken::Now
                });
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

    fn finish(&self, partition: PartitionId, answered: Answered) -> Found {
        let Answered {
            mut turned,
            began,
            reserved,
        } = answered;
        let claims = std::mem::take(&mut turned.claims);
        let claimed = !claims.is_empty();
        self.meet(partition, &mut turned, &claims);
        if claimed {
            crash_point!("after_turn");
        }
        let sending = Sending {
            now: turned.now,
            took: began.elapsed(),
        };
        if claimed && self.is_too_late(sending.took) {
            // The answer was long under way, or this process stood still: no worker could accept them in time. What is not held by somebody
            // else by now is ready again at once.
            tracing::warn!(%partition, claims = claims.len(), "claims came too late to be sent; they are given back");
            for claim in claims {
                self.releases.release(claim.holding(), None);
            }
            return_permits(&self.sessions, reserved, &[]);
        } else {
            self.dispatch.send(claims, sending, reserved);
        }
        if claimed {
            crash_point!("after_send");
        }
        self.tell_counts(partition, &turned);
        self.follow_up.begin(partition, &mut turned);
        Found::Turned {
            turned: Box::new(turned),
            claimed,
        }
    }

    /// Less than a quarter of the dispatch lease is left.
    fn is_too_late(&self, took: Duration) -> bool {
        let lease = self.turn_limits.dispatch_lease;
        lease.saturating_sub(took) < lease / 4
    }

    /// Takes down what placements the partition has.
    fn meet(&self, partition: PartitionId, turned: &mut Turned, claims: &[Claim]) {
        let waiting = turned.backlog.iter().map(|(queue, _)| queue.clone());
        let met: Vec<Queue> = claims
            .iter()
            .filter(|claim| claim.member.rest.options.placement.is_some())
            .map(|claim| claim.member.rest.queue())
            .chain(waiting)
            .collect();
        self.matching.met(partition, &met, &turned.pinned);
        // Of a queue in which nothing waits for just any worker there was only its placement to know.
        turned.backlog.retain(|(_, waiting)| *waiting > 0);
    }

    fn tell_counts(&self, partition: PartitionId, turned: &Turned) {
        let counts = &turned.counts;
        measure::turned(counts);
        // The script left out what some workers said: they get no work, and somebody has to know.
        if counts.unread > 0
            && let Some(unsaid) = self.unread_offers.next(Instant::now())
        {
            let offers = counts.unread;
            tracing::error!(%partition, offers, unsaid, "offers that the script could not read were left out of a turn: their workers get no work");
        }
        if counts.unreadable > 0 {
            let records = counts.unreadable;
            tracing::debug!(%partition, records, "a turn told of records that cannot be read: see `tickwheel store check`");
        }
        if counts.aside > 0 {
            let records = counts.aside;
            tracing::error!(%partition, records, "records that no turn can use were put aside: see `tickwheel store check` and the quarantine");
        }
    }
}
