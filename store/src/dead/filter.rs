//! Which of the dead are meant.

use tickwheel_core::id::{GroupName, HandlerName, JobName};
use tickwheel_core::time::TimestampMs;

use crate::context::ContextView;
use crate::record::EndState;

/// Which of the dead are meant; all that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadFilter {
    /// The workers they were for.
    pub group: Option<GroupName>,
    /// Their handler.
    pub handler: Option<HandlerName>,
    /// Their job.
    pub job: Option<JobName>,
    /// How they ended.
    pub state: Option<EndState>,
    /// What their message has in it, in any case of letters; empty: anything.
    pub error: String,
    /// They ended before this.
    pub ended_before: Option<TimestampMs>,
    /// They ended at this or later.
    pub ended_from: Option<TimestampMs>,
}

impl DeadFilter {
    /// True when nothing is given, so that all are meant.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn holds(&self, view: &ContextView) -> bool {
        fn same<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none() || wanted == found
        }
        let error = self.error.to_lowercase();
        let ended = view.ended.unwrap_or_default();
        same(self.group.as_ref(), view.group.as_ref())
            && same(self.handler.as_ref(), view.handler.as_ref())
            && same(self.job.as_ref(), view.job.as_ref())
            && self.state.is_none_or(|state| state.word() == view.state)
            && (error.is_empty() || view.error.to_lowercase().contains(&error))
            && self.ended_before.is_none_or(|before| ended < before)
            && self.ended_from.is_none_or(|from| ended >= from)
    }
}
