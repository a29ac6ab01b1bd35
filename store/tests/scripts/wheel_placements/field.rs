//! Contexts of one placement, turns with workers for them, and who was picked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tickwheel_core::id::{Namespace, WorkerId};
use tickwheel_core::routing::{Placement, Routing, RoutingPolicy, Standing};
use tickwheel_store::placement::PlacementOffer;
use tickwheel_store::record::Queue;
use tickwheel_store::wheel::{NewContext, Offer, TurnLimits, Turned, When};

use crate::harness::{Harness, fresh, partition};

/// Contexts of one placement, and workers that take them.
pub(crate) struct Field {
    pub(crate) test: Harness,
    pub(crate) placement: Arc<Placement>,
    next: usize,
}

/// A worker of a turn: its name, its permits, whether more come soon, and what it stands for.
#[derive(Clone, Copy)]
pub(crate) struct Worker(
    pub(crate) &'static str,
    pub(crate) u32,
    pub(crate) bool,
    pub(crate) (f64, f64),
);

pub(crate) const fn free(name: &'static str) -> Worker {
    Worker(name, 1_000, false, (0.0, 1.0))
}

impl Field {
    pub(crate) async fn new(policy: RoutingPolicy) -> Option<Self> {
        let placement = Arc::new(Placement {
            routing: Routing {
                list: if policy.has_list() {
                    vec!["w".to_owned()]
                } else {
                    vec![]
                },
                ..Routing::new(policy)
            },
            ..Placement::default()
        });
        Some(Self {
            test: fresh().await?,
            placement,
            next: 0,
        })
    }

    /// Submits contexts with these further options each.
    pub(crate) async fn submit(&mut self, options: &[String]) {
        let contexts: Vec<NewContext> = options
            .iter()
            .map(|options| {
                self.next += 1;
                let rest = format!("g h 2 c={}{options} b", self.placement.id());
                NewContext {
                    when: When::Delay(Duration::ZERO),
                    rest: Bytes::from(rest),
                    namespace: Namespace::default(),
                    uniq: format!("1-{:05}", self.next),
                    dedup: None,
                    partition: partition(0),
                    placement: Some(Arc::clone(&self.placement)),
                }
            })
            .collect();
        self.test.store.submit(&contexts).await.unwrap();
    }

    pub(crate) async fn submit_plain(&mut self, count: usize) {
        self.submit(&vec![String::new(); count]).await;
    }

    pub(crate) async fn turn(&self, workers: &[Worker], entries: u32, random: u32) -> Turned {
        let offers: Vec<Offer> = workers
            .iter()
            .map(|Worker(name, permits, soon, _)| Offer {
                worker: WorkerId::new(name).unwrap(),
                group: "g".parse().unwrap(),
                permits: *permits,
                soon: *soon,
                units: tickwheel_core::routing::Units::default(),
                handlers: "h".into(),
            })
            .collect();
        let queue: Queue = format!("g h c={}", self.placement.id()).parse().unwrap();
        let standing = |worker: &Worker| Standing {
            score: worker.3.0,
            step: worker.3.1,
        };
        let placements = [PlacementOffer {
            queue,
            mode: self.placement.routing.policy.mode(),
            requires: tickwheel_core::routing::Units::default(),
            workers: workers.iter().map(standing).enumerate().collect(),
        }];
        let limits = TurnLimits {
            dispatch_lease: Duration::from_secs(60),
            entries,
        };
        let turned =
            self.test
                .store
                .turn_placements(partition(0), &offers, (&placements, random), limits);
        turned.await.unwrap()
    }

    /// The workers of the claims, in order.
    pub(crate) async fn picks(&self, workers: &[Worker], entries: u32) -> Vec<String> {
        names(&self.turn(workers, entries, 7).await)
    }

    pub(crate) async fn route(&self) -> BTreeMap<String, String> {
        let key = self
            .test
            .key(partition(0), &format!("route:{}", self.placement.id()));
        let texts = self.test.texts(&["HGETALL", &key]).await;
        texts
            .chunks(2)
            .map(|pair| (pair[0].clone(), pair[1].clone()))
            .collect()
    }
}

pub(crate) fn names(turned: &Turned) -> Vec<String> {
    turned
        .claims
        .iter()
        .map(|claim| claim.worker.to_string())
        .collect()
}

pub(crate) fn counts(picks: &[String]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for pick in picks {
        *counts.entry(pick.as_str()).or_default() += 1;
    }
    counts
}
