//! Limits and fairness keys of a seed. Limits are set before anything runs and stay, so that at no step more may run under one.

use std::time::Duration;

use tickwheel_core::fairness::Fairness;
use tickwheel_proto::v1;
use tickwheel_proto::v1::scheduler_service_server::SchedulerService;
use tokio::time::sleep;
use tonic::Request;

use crate::rng::Rng;
use crate::trackers;
use crate::world::with;

/// Until every tracker has heard of them.
const HEARD: Duration = Duration::from_secs(2);

/// Some share their permits by keys, of which there are few.
pub(crate) fn fairness(rng: &mut Rng) -> Fairness {
    if rng.one_in(2) {
        return Fairness::default();
    }
    Fairness {
        key: Some(format!("k{}", rng.below(3))),
        weight: u32::try_from(rng.between(1, 3)).unwrap_or(1),
    }
}

fn limit(rng: &mut Rng) -> v1::Limit {
    let rate = || v1::Rate {
        starts: 20,
        per_ms: 1_000,
        burst: Some(5),
    };
    v1::Limit {
        concurrency: (!rng.one_in(4)).then(|| u32::try_from(rng.between(1, 4)).unwrap_or(1)),
        rate: rng.one_in(4).then(rate),
    }
}

/// Gives the workers' group limits in two seeds of five.
pub(crate) async fn set(rng: &mut Rng) {
    if rng.below(5) > 1 {
        return;
    }
    let of_keys_alone = rng.one_in(3);
    let limits = v1::GroupLimits {
        group: "default".to_owned(),
        all: (!of_keys_alone && rng.one_in(2)).then(|| limit(rng)),
        per_key: if of_keys_alone {
            Some(v1::Limit {
                concurrency: Some(u32::try_from(rng.between(1, 4)).unwrap_or(1)),
                rate: None,
            })
        } else {
            rng.one_in(2).then(|| limit(rng))
        },
        keys: if !of_keys_alone && rng.one_in(3) {
            [("k1".to_owned(), limit(rng))].into()
        } else {
            [].into()
        },
        ..v1::GroupLimits::default()
    };
    let tracker = trackers::any().expect("a tracker");
    let service = tracker.scheduler();
    let set = service.set_limits(Request::new(limits.clone())).await;
    set.expect("limits that are valid");
    with(|world| {
        world.note(|| format!("limits {limits:?}"));
        world.checks.limits = Some(limits);
    });
    sleep(HEARD).await;
}
