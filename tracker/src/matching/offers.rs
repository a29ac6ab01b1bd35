//! What one turn is offered: permits of workers, and what the workers of each lane stand for.

use std::collections::HashMap;
use std::sync::Arc;

use tickwheel_core::partition::PartitionId;
use tickwheel_core::routing::Lane;
use tickwheel_store::lane::LaneOffer;
use tickwheel_store::record::Queue;
use tokio::time::Instant;

use super::eligibility::Matching;
use super::reservations::{Reserved, Wanted, reserve};
use crate::sessions::Session;

/// A queue with a lane, and the workers that fit it.
struct Fitted {
    queue: Queue,
    lane: Arc<Lane>,
    workers: Vec<Arc<Session>>,
}

/// The permits of one turn, and what it is told about lanes.
pub(crate) struct Offered {
    pub(crate) reserved: Reserved,
    pub(crate) lanes: Vec<LaneOffer>,
}

impl Matching {
    /// Takes permits, up to `most` of each worker, for a turn of `partition`: of any workers in rotation, and of all that fit a lane that the turn may meet, so that a policy
    /// chooses among all of them.
    pub(crate) async fn offer(
        &self,
        partition: PartitionId,
        most: u32,
        rotation: usize,
        waiting: &[Queue],
    ) -> Offered {
        let queues = self.lanes.recent(partition, Instant::now());
        if queues.is_empty() {
            let reserved = reserve(&self.sessions.read(), most, rotation, (&[], waiting));
            return Offered {
                reserved,
                lanes: Vec::new(),
            };
        }
        let ids: Vec<_> = queues.iter().filter_map(|queue| queue.lane).collect();
        self.lanes.learn(&self.store, partition, &ids).await;
        let fitted: Vec<Fitted> = queues
            .into_iter()
            .filter_map(|queue| {
                let lane = self.lanes.get(&queue.lane?)?;
                let workers = self.fitting(&lane, &queue);
                Some(Fitted {
                    queue,
                    lane,
                    workers,
                })
            })
            .collect();
        let mut wanted = Vec::new();
        let pinned = self.lanes.pinned(partition);
        for fitted in &fitted {
            let takes_units = !fitted.lane.requires.is_empty();
            // Parts that are meant for one worker go to it, even when others came since that leave it beyond a greatest number.
            let meant = pinned.iter().filter(|one| one.queue == fitted.queue);
            let meant: Vec<_> = meant
                .filter_map(|one| self.sessions.get(&one.worker))
                .collect();
            let all = fitted.workers.iter().chain(&meant);
            wanted.extend(all.map(|session| Wanted {
                session: Arc::clone(session),
                takes_units,
            }));
        }
        let reserved = reserve(&self.sessions.read(), most, rotation, (&wanted, waiting));
        let positions = reserved.positions();
        let lanes = fitted
            .iter()
            .map(|fitted| lane_offer(fitted, &positions))
            .collect();
        Offered { reserved, lanes }
    }
}

fn lane_offer(fitted: &Fitted, positions: &HashMap<*const Session, usize>) -> LaneOffer {
    let policy = fitted.lane.routing.policy;
    let places = (0_u32..).zip(&fitted.workers);
    let workers = places.filter_map(|(place, session)| {
        let at = positions.get(&Arc::as_ptr(session))?;
        Some((
            *at,
            policy.standing(place, &session.profile(), &session.figures()),
        ))
    });
    LaneOffer {
        queue: fitted.queue.clone(),
        mode: policy.mode(),
        requires: fitted.lane.requires.clone(),
        workers: workers.collect(),
    }
}
