//! The misfire and the overlap policy.

use tickwheel_core::error::Violation;
use tickwheel_core::job::{Misfire, MisfirePolicy, Overlap};

use super::word;
use crate::v1;
use v1::misfire::Policy as MisfireWord;
use v1::overlap::Policy as OverlapWord;

impl TryFrom<v1::Misfire> for Misfire {
    type Error = Violation;

    fn try_from(wire: v1::Misfire) -> Result<Self, Violation> {
        let default = Self::default();
        let policy = match word("misfire.policy", wire.policy, "skip, fire_once, fire_all")? {
            MisfireWord::Unspecified => default.policy,
            MisfireWord::Skip => MisfirePolicy::Skip,
            MisfireWord::FireOnce => MisfirePolicy::FireOnce,
            MisfireWord::FireAll => MisfirePolicy::FireAll,
        };
        Ok(Self {
            policy,
            limit: if wire.limit == 0 {
                default.limit
            } else {
                wire.limit
            },
            tolerance_ms: wire.tolerance_ms.unwrap_or(default.tolerance_ms),
            catch_up_window_ms: wire.catch_up_window_ms,
        })
    }
}

impl From<Misfire> for v1::Misfire {
    fn from(misfire: Misfire) -> Self {
        let policy = match misfire.policy {
            MisfirePolicy::Skip => MisfireWord::Skip,
            MisfirePolicy::FireOnce => MisfireWord::FireOnce,
            MisfirePolicy::FireAll => MisfireWord::FireAll,
        };
        Self {
            policy: policy.into(),
            limit: misfire.limit,
            tolerance_ms: Some(misfire.tolerance_ms),
            catch_up_window_ms: misfire.catch_up_window_ms,
        }
    }
}

impl TryFrom<v1::Overlap> for Overlap {
    type Error = Violation;

    fn try_from(wire: v1::Overlap) -> Result<Self, Violation> {
        let limit = (wire.limit != 0).then_some(wire.limit);
        let policy = match word(
            "overlap.policy",
            wire.policy,
            "parallel, queue, queue_one, discard, replace",
        )? {
            OverlapWord::Unspecified => Self::default().word(),
            OverlapWord::Parallel => "parallel",
            OverlapWord::Queue => "queue",
            OverlapWord::QueueOne => "queue_one",
            OverlapWord::Discard => "discard",
            OverlapWord::Replace => "replace",
        };
        Self::from_parts(policy, limit).map_err(|violation| violation.at("overlap.limit"))
    }
}

impl From<Overlap> for v1::Overlap {
    fn from(overlap: Overlap) -> Self {
        let policy = match overlap {
            Overlap::Parallel(_) => OverlapWord::Parallel,
            Overlap::Queue(_) => OverlapWord::Queue,
            Overlap::QueueOne => OverlapWord::QueueOne,
            Overlap::Discard => OverlapWord::Discard,
            Overlap::Replace => OverlapWord::Replace,
        };
        Self {
            policy: policy.into(),
            limit: overlap.limit().unwrap_or(0),
        }
    }
}
