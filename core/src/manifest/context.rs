//! What a context may ask for, in the words of a job's file: how it is tried, where it may run, and with whom it shares.

use super::options::options;
use super::routing::{Amounts, FAIRNESS, ROUTING, WORKERS};
use crate::fairness::Fairness;
use crate::job::ContextOptions;
use crate::routing::{Routing, Selection, Units};
use crate::shape::{Place, Visitor, optional, place};

/// What a context asks for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wishes {
    /// How it is tried.
    pub options: ContextOptions,
    /// Which of the workers that fit takes it.
    pub routing: Routing,
    /// Which workers fit.
    pub workers: Selection,
    /// What it takes of its worker's resources.
    pub resources: Units,
    /// With whom it shares the permits of its group.
    pub fairness: Fairness,
}

impl Wishes {
    /// Shows them as keys of a map that has them at `of`.
    pub fn fields<S: 'static>(visit: &mut impl Visitor<S>, of: impl Place<S, Self>) {
        options(visit, of.at(place!(Wishes: options)));
        placement(
            visit,
            (
                of.at(place!(Wishes: routing)),
                of.at(place!(Wishes: workers)),
            ),
            of.at(place!(Wishes: resources)),
            of.at(place!(Wishes: fairness)),
        );
    }
}

/// Shows where contexts may run, who takes them, and with whom they share.
pub(super) fn placement<S: 'static>(
    visit: &mut impl Visitor<S>,
    (routing, workers): (impl Place<S, Routing>, impl Place<S, Selection>),
    resources: impl Place<S, Units>,
    fairness: impl Place<S, Fairness>,
) {
    visit.field(
        optional("routing", "Which of the workers that fit takes a context."),
        ROUTING,
        routing,
    );
    visit.field(optional("workers", "Which workers fit."), WORKERS, workers);
    visit.field(
        optional(
            "resources",
            "What a context takes of its worker's resources while it runs: memory and disk as sizes, everything else as numbers.",
        ),
        Amounts,
        resources,
    );
    visit.field(
        optional(
            "fairness",
            "With whom its contexts share the permits of the group.",
        ),
        FAIRNESS,
        fairness,
    );
}
