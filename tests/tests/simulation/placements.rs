//! Placements of a seed: workers of two zones with two units each, and jobs that ask for a zone, take units, or name a policy.

use std::collections::HashMap;

use tickwheel_core::id::{ContextId, WorkerId};
use tickwheel_core::job::JobSpec;
use tickwheel_core::routing::{Profile, Routing, RoutingPolicy, Selection, Tags, Units};
use tickwheel_proto::v1;
use tickwheel_tests::harness::Run;

use crate::rng::Rng;

/// What a worker has of the resource `unit`.
const UNITS: u64 = 2_000;

const POLICIES: [RoutingPolicy; 8] = [
    RoutingPolicy::RoundRobin,
    RoutingPolicy::Random,
    RoutingPolicy::Weighted,
    RoutingPolicy::ConsistentHash,
    RoutingPolicy::LeastRecentlyUsed,
    RoutingPolicy::LeastRunning,
    RoutingPolicy::Failover,
    RoutingPolicy::BusyTransfer,
];

/// The tag of the worker of this number.
pub(crate) fn tag(number: u64) -> &'static str {
    if number.is_multiple_of(2) {
        "zone=even"
    } else {
        "zone=odd"
    }
}

/// What it has.
pub(crate) fn resources() -> HashMap<String, u64> {
    [("unit".to_owned(), UNITS)].into()
}

/// What it has left.
pub(crate) fn free(taken: u64) -> v1::Units {
    v1::Units {
        amounts: [("unit".to_owned(), UNITS.saturating_sub(taken))].into(),
    }
}

/// What an attempt takes.
pub(crate) fn taken(assignment: &v1::Assignment) -> u64 {
    assignment.requires.get("unit").copied().unwrap_or(0)
}

/// Whether an attempt that takes so much may begin.
pub(crate) fn fits(takes: u64, taken: u64) -> bool {
    takes + taken <= UNITS
}

/// The job, for certain workers in one seed of three.
pub(crate) fn place(spec: JobSpec, rng: &mut Rng) -> JobSpec {
    if !rng.one_in(3) {
        return spec;
    }
    let zone = if rng.one_in(2) { "even" } else { "odd" };
    let select = rng
        .one_in(2)
        .then(|| format!("zone == \"{zone}\"").parse().expect("a condition"));
    let units = rng.one_in(2).then(|| 1_000 * rng.between(1, 2));
    JobSpec {
        workers: Selection {
            select,
            max: rng.one_in(6).then_some(1),
            ..Selection::default()
        },
        resources: Units::of(units.map(|units| ("unit".to_owned(), units))),
        routing: match rng.pick(&POLICIES) {
            Some(policy) if rng.one_in(2) => Routing::new(*policy),
            Some(_) | None => Routing::default(),
        },
        ..spec
    }
}

/// The first run of a job's context, or of a part of it, on a worker that its job does not let by.
pub(crate) fn misplaced<'a>(
    specs: impl Iterator<Item = &'a JobSpec>,
    runs: &[Run],
) -> Option<String> {
    let placements: HashMap<String, _> = specs
        .filter_map(|spec| Some((spec.name.to_string(), spec.placement()?)))
        .collect();
    runs.iter().find_map(|run| {
        let id: ContextId = run.context.parse().ok()?;
        let placement = placements.get(id.job()?.as_str())?;
        let number = run.worker.strip_prefix('w')?.parse().ok()?;
        let worker = Profile {
            id: WorkerId::new(&run.worker).ok()?,
            host: String::new(),
            cpus: 0,
            tags: Tags::parse([tag(number)]).ok()?,
            resources: Units::of(resources()),
        };
        let ineligible = placement.fits(&worker).err()?;
        Some(format!(
            "{} ran on {}, and its job does not let it by: {ineligible} it",
            run.context, run.worker
        ))
    })
}
