//! What a case is made of: jobs with their policies, and the operations on them and on lone contexts.

use proptest::prelude::*;
use tickwheel_core::job::{Misfire, MisfirePolicy, Overlap};

use crate::memory::Kind;

/// Options of contexts, in the order of their letters.
pub(crate) const OPTIONS: [&str; 7] = [
    "-",
    "r=1",
    "b=f:0:0:0",
    "t=400,g=300,b=f:250:250:0",
    "s=900",
    "l=1500,r=2,b=e:100:400:1,x=1",
    "g=100,b=f:3000:3000:0,s=2500",
];
pub(crate) const OUTCOMES: [&str; 6] = [
    "succeeded",
    "failed",
    "fatal",
    "retry_after",
    "cancelled",
    "timed_out",
];
/// The job names by kind.
pub(crate) const JOBS: [(&str, Kind); 4] = [
    ("d/rate", Kind::Rate),
    ("d/delay", Kind::Delay),
    ("d/cron", Kind::Cron),
    ("d/api", Kind::Manual),
];

/// One step.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Clock(u64),
    Submit {
        delay: u64,
        kind: u8,
        options: usize,
        keyed: bool,
    },
    Turn {
        permits: [u64; 3],
        limit: u64,
    },
    Settle {
        picks: Vec<(u8, usize)>,
        stale: bool,
        foreign: bool,
        random: u32,
    },
    Renew {
        pick: u8,
        stale: bool,
        foreign: bool,
    },
    Release {
        pick: u8,
        stale: bool,
        foreign: bool,
    },
    Reap {
        evict: bool,
    },
    Cancel {
        pick: u8,
    },
    Fire {
        job: usize,
    },
    Delivered,
    Plan {
        steps: Vec<u64>,
    },
    /// A new revision with another overlap policy.
    Change {
        job: usize,
        overlap: Overlap,
    },
}

/// What differs between the cases in a job.
#[derive(Debug, Clone)]
pub(crate) struct JobPick {
    pub(crate) overlap: Overlap,
    pub(crate) misfire: Misfire,
    pub(crate) max_runs: Option<u64>,
    pub(crate) options: usize,
    pub(crate) followed: bool,
}

pub(crate) fn ops() -> impl Strategy<Value = Op> {
    let limit = prop_oneof![4 => Just(1_000_u64), 1 => 1_u64..5];
    prop_oneof![
        5 => prop_oneof![4 => 0_u64..900, 2 => 900_u64..4_000, 1 => 4_000_u64..30_000].prop_map(Op::Clock),
        5 => (prop_oneof![Just(0_u64), 1_u64..2_000], any::<u8>(), 0..OPTIONS.len(), prop::bool::weighted(0.15))
            .prop_map(|(delay, kind, options, keyed)| Op::Submit { delay, kind, options, keyed }),
        8 => (prop::array::uniform3(0_u64..4), limit).prop_map(|(permits, limit)| Op::Turn { permits, limit }),
        5 => (prop::collection::vec((any::<u8>(), 0..OUTCOMES.len()), 1..4), prop::bool::weighted(0.1), prop::bool::weighted(0.1), 0_u32..1_000_000)
            .prop_map(|(picks, stale, foreign, random)| Op::Settle { picks, stale, foreign, random }),
        2 => (any::<u8>(), prop::bool::weighted(0.2), prop::bool::weighted(0.2))
            .prop_map(|(pick, stale, foreign)| Op::Renew { pick, stale, foreign }),
        1 => (any::<u8>(), prop::bool::weighted(0.2), prop::bool::weighted(0.2))
            .prop_map(|(pick, stale, foreign)| Op::Release { pick, stale, foreign }),
        3 => prop::bool::weighted(0.2).prop_map(|evict| Op::Reap { evict }),
        2 => any::<u8>().prop_map(|pick| Op::Cancel { pick }),
        2 => (0..JOBS.len()).prop_map(|job| Op::Fire { job }),
        1 => Just(Op::Delivered),
        1 => prop::collection::vec(1_u64..1_500, 1..12).prop_map(|steps| Op::Plan { steps }),
        1 => (0..JOBS.len(), overlaps()).prop_map(|(job, overlap)| Op::Change { job, overlap }),
    ]
}

fn overlaps() -> impl Strategy<Value = Overlap> {
    prop_oneof![
        (1_u32..4).prop_map(Overlap::Parallel),
        (1_u32..4).prop_map(Overlap::Queue),
        Just(Overlap::QueueOne),
        Just(Overlap::Discard),
        Just(Overlap::Replace),
    ]
}

pub(crate) fn jobs() -> impl Strategy<Value = JobPick> {
    let misfire = (
        0_usize..3,
        1_u32..5,
        0_u64..6_000,
        prop::option::of(1_u64..20_000),
    )
        .prop_map(
            |(policy, limit, tolerance_ms, catch_up_window_ms)| Misfire {
                policy: MisfirePolicy::ALL[policy],
                limit,
                tolerance_ms,
                catch_up_window_ms,
            },
        );
    (
        overlaps(),
        misfire,
        prop::option::weighted(0.2, 1_u64..6),
        0..OPTIONS.len(),
        any::<bool>(),
    )
        .prop_map(|(overlap, misfire, max_runs, options, followed)| JobPick {
            overlap,
            misfire,
            max_runs,
            options,
            followed,
        })
}
