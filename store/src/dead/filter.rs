//! Which of the dead are meant.

use tickwheel_core::access::Sight;
use tickwheel_core::id::{GroupName, HandlerName, JobName, WorkerId};
use tickwheel_core::time::TimestampMs;

use crate::context::{ContextFilter, ContextView};
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
    /// Who ran their last attempt.
    pub worker: Option<WorkerId>,
    /// What their message has in it, in any case of letters; empty: anything.
    pub error: String,
    /// They were due first at this or later.
    pub due_from: Option<TimestampMs>,
    /// They were due first before this.
    pub due_to: Option<TimestampMs>,
    /// They ended before this.
    pub ended_before: Option<TimestampMs>,
    /// They ended at this or later.
    pub ended_from: Option<TimestampMs>,
    /// Who looks; `None`: somebody who sees everything.
    pub sight: Option<Sight>,
}

impl DeadFilter {
    /// True when nothing is given, so that all are meant that are in sight.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let given = Self {
            sight: None,
            ..self.clone()
        };
        given == Self::default()
    }

    /// Whether whoever looks sees it.
    pub(super) fn sees(&self, view: &ContextView) -> bool {
        self.sight.as_ref().is_none_or(|sight| view.is_in(sight))
    }

    /// The same among all contexts.
    pub(super) fn contexts(&self) -> ContextFilter {
        ContextFilter {
            states: self.state.map(EndState::word).into_iter().collect(),
            job: self.job.clone(),
            group: self.group.clone(),
            handler: self.handler.clone(),
            worker: self.worker.clone(),
            error: self.error.clone(),
            due_from: self.due_from,
            due_to: self.due_to,
            ended_from: self.ended_from,
            ended_to: self.ended_before,
            order: None,
            sight: self.sight.clone(),
        }
    }

    pub(super) fn holds(&self, view: &ContextView) -> bool {
        self.contexts().fits(view)
    }
}
