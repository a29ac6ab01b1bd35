//! Processing models.

use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::model::{
    Allocation, Broadcast, Indexed, Model, ReduceOn, ShardItem, Sharding, Success,
};

use super::word;
use crate::v1;
use v1::ReduceOn as ReduceWord;
use v1::model::Allocation as AllocationWord;
use v1::model::Kind;

impl TryFrom<v1::Model> for Model {
    type Error = Violations;

    fn try_from(wire: v1::Model) -> Result<Self, Violations> {
        Ok(match wire.kind {
            None | Some(Kind::Standalone(_)) => Self::Standalone,
            Some(Kind::Broadcast(broadcast)) => Self::Broadcast(Broadcast {
                quorum: broadcast.quorum,
            }),
            Some(Kind::Sharding(sharding)) => Self::Sharding(sharding.try_into()?),
            Some(Kind::Indexed(indexed)) => Self::Indexed(Indexed {
                completions: indexed.completions,
                parallelism: indexed.parallelism,
                max_failed: indexed.max_failed,
                success: indexed.success.map(|success| Success {
                    indexes: success.indexes,
                    count: success.count,
                }),
            }),
        })
    }
}

impl TryFrom<v1::model::Sharding> for Sharding {
    type Error = Violation;

    fn try_from(wire: v1::model::Sharding) -> Result<Self, Violation> {
        let path = "model.sharding.allocation";
        let allocation = match word(path, wire.allocation, "average, odevity, round_robin")? {
            AllocationWord::Unspecified => Allocation::default(),
            AllocationWord::Average => Allocation::Average,
            AllocationWord::Odevity => Allocation::Odevity,
            AllocationWord::RoundRobin => Allocation::RoundRobin,
        };
        let items = wire.items.into_iter().map(|item| ShardItem {
            index: item.index,
            parameter: item.parameter,
        });
        Ok(Self {
            items: items.collect(),
            allocation,
        })
    }
}

impl From<&Model> for v1::Model {
    fn from(model: &Model) -> Self {
        let kind = match model {
            Model::Standalone => Kind::Standalone(v1::model::Standalone {}),
            Model::Broadcast(broadcast) => Kind::Broadcast(v1::model::Broadcast {
                quorum: broadcast.quorum,
            }),
            Model::Sharding(sharding) => Kind::Sharding(sharding.into()),
            Model::Indexed(indexed) => Kind::Indexed(v1::model::Indexed {
                completions: indexed.completions,
                parallelism: indexed.parallelism,
                max_failed: indexed.max_failed,
                success: indexed.success.as_ref().map(|success| v1::model::Success {
                    indexes: success.indexes.clone(),
                    count: success.count,
                }),
            }),
        };
        Self { kind: Some(kind) }
    }
}

impl From<&Sharding> for v1::model::Sharding {
    fn from(sharding: &Sharding) -> Self {
        let allocation = match sharding.allocation {
            Allocation::Average => AllocationWord::Average,
            Allocation::Odevity => AllocationWord::Odevity,
            Allocation::RoundRobin => AllocationWord::RoundRobin,
        };
        let items = sharding.items.iter().map(|item| v1::model::Item {
            index: item.index,
            parameter: item.parameter.clone(),
        });
        Self {
            items: items.collect(),
            allocation: allocation.into(),
        }
    }
}

/// When a reduce runs; unspecified: when every subtask ended.
///
/// # Errors
/// A violation when the number is not known.
pub fn reduce_on_from_wire(number: i32) -> Result<ReduceOn, Violation> {
    Ok(match word("reduce_on", number, "ended, succeeded")? {
        ReduceWord::Unspecified => ReduceOn::default(),
        ReduceWord::Ended => ReduceOn::Ended,
        ReduceWord::Succeeded => ReduceOn::Succeeded,
    })
}

/// When a reduce runs.
#[must_use]
pub const fn reduce_on_to_wire(reduce_on: ReduceOn) -> ReduceWord {
    match reduce_on {
        ReduceOn::Ended => ReduceWord::Ended,
        ReduceOn::Succeeded => ReduceWord::Succeeded,
    }
}
