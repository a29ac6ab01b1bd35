//! What the parts of a seeded cluster have in common: a context, a worker, and turns.

use std::time::Duration;

use tickwheel_core::id::{GroupName, WorkerId};
use tickwheel_store::lease::{Holding, Outcome, Settlement};
use tickwheel_store::wheel::{Claim, Offer, TurnLimits};

use crate::harness::Harness;

pub(super) const ID: &str = "6.1767225600000.f@billing/nightly";
pub(super) const WORKER: &str = "mill-1a2b3c4d";

pub(super) fn settlement(claim: &Claim, outcome: Outcome) -> Settlement {
    let Holding { attempt, worker } = claim.holding();
    Settlement {
        attempt,
        worker,
        outcome,
        random: 999_999,
    }
}

/// Everything that trackers do, once, over all partitions; answers with the claims.
pub(super) async fn turn_all(test: &Harness) -> Vec<Claim> {
    let offer = Offer {
        worker: WorkerId::new(WORKER).unwrap(),
        group: GroupName::new("default").unwrap(),
        permits: 100,
        soon: false,
        units: tickwheel_core::routing::Units::default(),
        handlers: "work".into(),
    };
    let limits = TurnLimits {
        dispatch_lease: Duration::from_secs(2),
        entries: 100,
    };
    let mut claims = Vec::new();
    for partition in test.store.partitions().partitions() {
        claims.extend(
            test.store
                .turn(partition, std::slice::from_ref(&offer), limits)
                .await
                .unwrap()
                .claims,
        );
    }
    claims
}
