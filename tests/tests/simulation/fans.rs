//! Contexts of a seed that are split: by the model of their job, or by a handler that maps.

use tickwheel_core::model::{Allocation, Broadcast, Indexed, Model, ShardItem, Sharding, Success};
use tickwheel_proto::v1;
use tickwheel_tests::harness::jobs::{tries, with_options};

use crate::rng::Rng;
use crate::work::Work;

fn small(rng: &mut Rng, most: u64) -> u32 {
    u32::try_from(rng.between(1, most)).unwrap_or(1)
}

/// How the contexts of a job are split; mostly not at all.
pub(crate) fn model(rng: &mut Rng) -> Model {
    match rng.below(12) {
        0 => Model::Broadcast(Broadcast {
            quorum: rng.one_in(2).then_some(1),
        }),
        1 => Model::Sharding(Sharding {
            items: (0..small(rng, 5))
                .map(|index| ShardItem {
                    index,
                    parameter: String::new(),
                })
                .collect(),
            allocation: Allocation::default(),
        }),
        2 => Model::Indexed(Indexed {
            completions: rng.between(1, 6),
            parallelism: small(rng, 3),
            max_failed: rng.one_in(2).then_some(1),
            success: rng.one_in(3).then(|| Success {
                indexes: Vec::new(),
                count: Some(1),
            }),
        }),
        _ => Model::Standalone,
    }
}

/// The page that an attempt maps: the same one at each attempt, however often it is sent.
pub(crate) fn page(context: &str, attempt: u32, work: Work) -> v1::Split {
    let items = (0..work.items()).map(|number| work.part(number).body());
    let options = with_options(
        v1::Submission::default(),
        tries(small(&mut Rng::new(work.items()), 3), 100),
    )
    .options;
    v1::Split {
        context_id: context.to_owned(),
        attempt,
        offset: 0,
        handler: "h".to_owned(),
        items: items.collect(),
        options,
        parallelism: if work.items() > 3 { 2 } else { 0 },
        reduce: if work.items() % 2 == 1 {
            "i".to_owned()
        } else {
            String::new()
        },
        reduce_on: v1::ReduceOn::Ended.into(),
        mapped: true,
    }
}
