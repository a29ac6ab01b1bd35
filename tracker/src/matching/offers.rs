//! What one turn is offered: permits of workers, and what the workers of each placement stand for.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tickwheel_core::partition::PartitionId;
use tickwheel_core::routing::Placement;
use tickwheel_store::placement::PlacementOffer;
use tickwheel_store::record::Queue;
use tokio::time::Instant;

use super::eligibility::Matching;
use super::reservations::{Reserved, Wanted, reserve};
use crate::sessions::Session;

/// A queue with a placement, and the workers that fit it.
struct Fitted {
    queue: Queue,
    placement: Arc<Placement>,
    workers: Vec<Arc<Session>>,
}

/// The permits of one turn, and what it is told about placements.
pub(crate) struct Offered {
    pub(crate) reserved: Reserved,
    pub(crate) placements: Vec<PlacementOffer>,
}

impl Matching {
    /// Takes permits, up to `most` of each worker, for a turn of `partition`: of any workers in rotation, and of all that fit a placement that the
    /// turn may meet, so that a policy chooses among all of them. Placements that nobody here takes from are left out: the turn would go
    /// through all queues of their handler, however many wait there.
    pub(crate) async fn offer(
        &self,
        partition: PartitionId,
        most: u32,
        rotation: usize,
        waiting: &[Queue],
    ) -> Offered {
        let pinned = self.placements.pinned(partition);
        let meant: HashSet<&Queue> = pinned.iter().map(|one| &one.queue).collect();
        let queues = self.placements.recent(partition, Instant::now(), |queue| {
            self.sessions.offers(&queue.group, queue.handler.as_str()) || meant.contains(queue)
        });
        if queues.is_empty() {
            let reserved = reserve(&self.sessions.read(), most, rotation, (&[], waiting));
            return Offered {
                reserved,
                placements: Vec::new(),
            };
        }
        let ids: Vec<_> = queues.iter().filter_map(|queue| queue.placement).collect();
        self.placements.learn(&self.store, partition, &ids).await;
        let fitted: Vec<Fitted> = queues
            .into_iter()
            .filter_map(|queue| {
                let placement = self.placements.get(&queue.placement?)?;
                let workers = self.fitting(&placement, &queue);
                (!workers.is_empty() || meant.contains(&queue)).then_some(Fitted {
                    queue,
                    placement,
                    workers,
                })
            })
            .collect();
        let mut wanted = Vec::new();
        for fitted in &fitted {
            let takes_units = !fitted.placement.requires.is_empty();
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
        let placements = fitted
            .iter()
            .map(|fitted| placement_offer(fitted, &positions))
            .collect();
        Offered {
            reserved,
            placements,
        }
    }
}

fn placement_offer(fitted: &Fitted, positions: &HashMap<*const Session, usize>) -> PlacementOffer {
    let policy = fitted.placement.routing.policy;
    let places = (0_u32..).zip(&fitted.workers);
    let workers = places.filter_map(|(place, session)| {
        let at = positions.get(&Arc::as_ptr(session))?;
        Some((
            *at,
            policy.standing(place, &session.profile(), &session.figures()),
        ))
    });
    PlacementOffer {
        queue: fitted.queue.clone(),
        mode: policy.mode(),
        requires: fitted.placement.requires.clone(),
        workers: workers.collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;
    use tickwheel_core::partition::PartitionCount;
    use tickwheel_store::script::Script;
    use tickwheel_store::transport::{Answering, Failure, Transport};
    use tickwheel_store::{Redis, Store};

    use super::*;
    use crate::matching::eligibility::Taken;
    use crate::sessions::{Sessions, transport};

    /// Answers nothing, and counts what it is asked.
    #[derive(Debug, Default)]
    struct Silent(AtomicUsize);

    impl Silent {
        fn asked(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }

        fn silence(&self) -> Answering {
            self.0.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { Err(Failure::Silence) })
        }
    }

    impl Transport for Silent {
        fn fcall(&self, _: &'static Script, _: Vec<String>, _: Vec<Bytes>) -> Answering {
            self.silence()
        }

        fn load_library(&self) -> Answering {
            self.silence()
        }

        fn evalsha(&self, _: &'static Script, _: Vec<String>, _: Vec<Bytes>) -> Answering {
            self.silence()
        }

        fn load(&self, _: &'static Script) -> Answering {
            self.silence()
        }

        fn read(&self, _: &'static str, _: Vec<String>) -> Answering {
            self.silence()
        }

        fn time(&self) -> Answering {
            self.silence()
        }
    }

    #[tokio::test]
    async fn placements_of_what_nobody_offers_are_not_read_and_ask_for_no_visit() {
        let silent = Arc::new(Silent::default());
        let redis = Redis::with_transport(Arc::<Silent>::clone(&silent)).unwrap();
        let store = Store::simulated(redis, "tw", PartitionCount::default());
        let sessions = Arc::new(Sessions::default());
        let matching = Matching::new(store, Arc::clone(&sessions));
        let partition = PartitionId::default();
        let queue: Queue = "g h c=0000000001".parse().unwrap();
        sessions.insert(transport("a", "g", &["other"], 1));

        matching.met(partition, std::slice::from_ref(&queue), &[]);
        let offered = matching.offer(partition, 1, 0, &[]).await;
        assert!(offered.placements.is_empty());
        assert_eq!(silent.asked(), 0);
        assert_eq!(matching.takes(&queue), Taken::No);

        // Who offers the handler may fit: a visit is to read it.
        sessions.insert(transport("b", "g", &["h"], 1));
        assert_eq!(matching.takes(&queue), Taken::Now);
        matching.offer(partition, 1, 0, &[]).await;
        assert!(silent.asked() > 0);
    }
}
