//! Which contexts a list chooses, and so which sections it has.

use tickwheel_core::access::Sight;
use tickwheel_core::id::{GroupName, HandlerName, JobName, WorkerId};
use tickwheel_core::run::ContextState;
use tickwheel_core::time::TimestampMs;

use super::section::Section;
use crate::context::ContextView;

/// Which side of the end a list shows. Without one it shows what has not ended, and behind it what has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListOrder {
    /// Only what has not ended.
    Due,
    /// Only what has ended, the newest end first.
    Ended,
}

/// Which contexts to list; all that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContextFilter {
    /// Where they are in their life: in one of these; none: anywhere.
    pub states: Vec<ContextState>,
    /// Their job.
    pub job: Option<JobName>,
    /// The workers they are for. Contexts of which only their end is known may not tell, and are left out then.
    pub group: Option<GroupName>,
    /// Their handler, with the same gap.
    pub handler: Option<HandlerName>,
    /// Who runs them, or ran their last attempt.
    pub worker: Option<WorkerId>,
    /// What the message of their end has in it, in any case of letters; empty: anything.
    pub error: String,
    /// They were due first at this or later.
    pub due_from: Option<TimestampMs>,
    /// They were due first before this.
    pub due_to: Option<TimestampMs>,
    /// They ended at this or later.
    pub ended_from: Option<TimestampMs>,
    /// They ended before this.
    pub ended_to: Option<TimestampMs>,
    /// Which side of the end.
    pub order: Option<ListOrder>,
    /// Who looks; `None`: somebody who sees everything.
    pub sight: Option<Sight>,
}

fn same<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
    wanted.is_none() || wanted == found
}

fn is_within(at: TimestampMs, from: Option<TimestampMs>, to: Option<TimestampMs>) -> bool {
    from.is_none_or(|from| at >= from) && to.is_none_or(|to| at < to)
}

impl ContextFilter {
    fn wants(&self, state: ContextState) -> bool {
        self.states.is_empty() || self.states.contains(&state)
    }

    /// Whether one of what has not ended can be chosen at all.
    fn wants_live(&self) -> bool {
        let of_end = self.ended_from.is_some() || self.ended_to.is_some() || !self.error.is_empty();
        !of_end && self.order != Some(ListOrder::Ended)
    }

    /// The sections of its list, in their order.
    pub(super) fn sections(&self) -> Vec<Section> {
        let mut sections = Vec::new();
        if self.wants_live() {
            self.add_live(&mut sections);
        }
        let ended: Vec<ContextState> = ContextState::ALL
            .iter()
            .copied()
            .filter(|state| state.is_settled() && self.wants(*state))
            .collect();
        if self.order != Some(ListOrder::Due) && !ended.is_empty() {
            let is_dead = |state: &ContextState| {
                matches!(
                    state,
                    ContextState::Failed | ContextState::TimedOut | ContextState::Expired
                )
            };
            sections.push(match &self.job {
                Some(_) => Section::Runs,
                None if ended.iter().all(is_dead) => Section::Dead,
                None => Section::Ends,
            });
        }
        sections
    }

    fn add_live(&self, sections: &mut Vec<Section>) {
        let (scheduled, retrying) = (
            self.wants(ContextState::Scheduled),
            self.wants(ContextState::Retrying),
        );
        let running = self.wants(ContextState::Running);
        let split = self.wants(ContextState::WaitingForSubtasks);
        let ready = self.wants(ContextState::Ready);
        // Only what runs has a worker.
        let waits = self.worker.is_none();
        if self.job.is_some() {
            if running || (waits && (scheduled || retrying || split || ready)) {
                sections.push(Section::Active);
            }
        } else {
            let of_time = if scheduled {
                Section::Timed
            } else {
                Section::Retrying
            };
            let found = [
                (running, Section::Running),
                (waits && split, Section::Split),
                (waits && ready, Section::Ready),
                (waits && (scheduled || retrying), of_time),
            ];
            sections.extend(
                found
                    .iter()
                    .filter(|(is_wanted, _)| *is_wanted)
                    .map(|(_, one)| *one),
            );
        }
        if waits && self.wants(ContextState::Queued) {
            sections.push(Section::Queued);
        }
    }

    /// Whether it chooses this one. Scripts leave out most others already. Subtasks have a list of their own.
    pub(crate) fn holds(&self, view: &ContextView) -> bool {
        view.id.subtask().is_none() && self.fits(view)
    }

    /// The same for whatever it is.
    pub(crate) fn fits(&self, view: &ContextView) -> bool {
        let error = self.error.to_lowercase();
        let ended = view.ended.unwrap_or_default();
        self.sight.as_ref().is_none_or(|sight| view.is_in(sight))
            && self.wants(view.state)
            && same(self.job.as_ref(), view.job.as_ref())
            && same(self.group.as_ref(), view.group.as_ref())
            && same(self.handler.as_ref(), view.handler.as_ref())
            && same(self.worker.as_ref(), view.worker.as_ref())
            && (error.is_empty()
                || view.error.to_lowercase().contains(&error)
                || view.error_type.to_lowercase().contains(&error))
            && is_within(view.due, self.due_from, self.due_to)
            && (view.state.is_settled() || self.wants_live())
            && is_within(ended, self.ended_from, self.ended_to)
    }

    /// Whether a list has this one, wherever it is.
    #[must_use]
    pub fn chooses(&self, view: &ContextView) -> bool {
        let is_asked = match self.order {
            None => true,
            Some(ListOrder::Due) => !view.state.is_settled(),
            Some(ListOrder::Ended) => view.state.is_settled(),
        };
        is_asked && self.fits(view)
    }

    /// The point from which a section can have something that is chosen; empty: from its beginning.
    pub(super) fn start_of(&self, section: Section) -> String {
        let at = match section {
            // The score of what has a time is not before its due time.
            Section::Timed => self.due_from,
            Section::Ends | Section::Dead => self.ended_to,
            Section::Running
            | Section::Split
            | Section::Ready
            | Section::Queued
            | Section::Retrying
            | Section::Active
            | Section::Runs => None,
        };
        at.map(|at| format!("={}", at.as_u64())).unwrap_or_default()
    }
}
