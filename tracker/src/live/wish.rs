//! What somebody wants to watch.

use tickwheel_core::access::Sight;
use tickwheel_core::id::{GroupName, JobName};
use tickwheel_core::run::ContextState;
use tickwheel_store::record::Settled;

use super::topic::{Cursor, Topic};

/// A stream as it is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    /// Each of them once.
    pub(crate) topics: Vec<Topic>,
    pub(crate) filter: Filter,
    pub(crate) cursor: Cursor,
}

/// Which ends of runs are told, and what there is of everything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Only runs of this job.
    pub(crate) job: Option<JobName>,
    /// Only runs for workers of this group.
    pub(crate) group: Option<GroupName>,
    /// Only runs that ended so; none: however.
    pub(crate) states: Vec<ContextState>,
    /// What there is for who asks.
    pub(crate) sight: Sight,
}

impl Filter {
    /// Whether an end is chosen, and there.
    pub(crate) fn takes(&self, settled: &Settled) -> bool {
        let (group, handler) = (settled.group.as_ref(), settled.handler.as_ref());
        let is_chosen = self
            .job
            .as_ref()
            .is_none_or(|job| settled.id.job().as_ref() == Some(job))
            && self
                .group
                .as_ref()
                .is_none_or(|wanted| group == Some(wanted))
            && (self.states.is_empty() || self.states.contains(&settled.state.word()));
        is_chosen
            && self.sight.has_context(
                &settled.id,
                group.map(GroupName::as_str),
                handler.map(tickwheel_core::id::HandlerName::as_str),
            )
    }
}

#[cfg(test)]
mod tests {
    use tickwheel_core::access::Patterns;

    use super::*;

    fn ended(id: &str, state: &str, group: &str) -> Settled {
        let text = format!("{id}\t{state}\t1\tw\t5\t900\t\t{group}\th\t1");
        Settled::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn ends_are_chosen_by_all_that_is_asked_and_by_what_is_in_sight() {
        let all = Filter {
            job: None,
            group: None,
            states: Vec::new(),
            sight: Sight::everything(),
        };
        let run = ended("3.900.f@eu/bill", "failed", "g");
        assert!(all.takes(&run));
        let by = |change: fn(&mut Filter)| {
            let mut filter = all.clone();
            change(&mut filter);
            filter.takes(&run)
        };
        assert!(by(|it| it.job = JobName::new("eu/bill").ok()));
        assert!(!by(|it| it.job = JobName::new("eu/mail").ok()));
        assert!(by(|it| it.group = GroupName::new("g").ok()));
        assert!(!by(|it| it.group = GroupName::new("h").ok()));
        assert!(by(|it| it.states = vec![ContextState::Failed]));
        assert!(!by(|it| it.states = vec![ContextState::Succeeded]));
        let patterns = |text: &str| Patterns::parse([text]).unwrap();
        assert!(!by(
            |it| it.sight.namespaces = Patterns::parse(["us"]).unwrap()
        ));
        let mut of_group = all.clone();
        of_group.sight.groups = patterns("g");
        assert!(of_group.takes(&run));
        // Of which group it was is not known: who does not see all of them does not see it.
        assert!(!of_group.takes(&ended("3.900.f@eu/bill", "failed", "-")));
        of_group.sight.handlers = patterns("other");
        assert!(!of_group.takes(&run));
    }
}
