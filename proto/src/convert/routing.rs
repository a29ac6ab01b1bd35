//! Where contexts may run, and who takes them.

use std::collections::HashMap;

use tickwheel_core::error::Violations;
use tickwheel_core::fairness::Fairness;
use tickwheel_core::manifest::Wishes;
use tickwheel_core::routing::{Condition, Routing, RoutingPolicy, Selection, Units};

use crate::v1;

/// The parts of a context's options that make its placement.
pub(super) fn placement(
    options: Option<&v1::ContextOptions>,
) -> Result<(Routing, Selection, Units), Violations> {
    let Some(options) = options else {
        return Ok(Default::default());
    };
    let mut found = Violations::new();
    let routing = options.routing.as_ref().map(Routing::try_from);
    let routing = found.keep(
        routing
            .unwrap_or_else(|| Ok(Routing::default()))
            .map_err(|wrong| wrong.prefix("routing")),
    );
    let workers = options.workers.as_ref().map(Selection::try_from);
    let workers = found.keep(
        workers
            .unwrap_or_else(|| Ok(Selection::default()))
            .map_err(|wrong| wrong.prefix("workers")),
    );
    let resources = Units::of(options.resources.clone());
    match (routing, workers) {
        (Some(routing), Some(workers)) => Ok((routing, workers, resources)),
        (None, _) | (_, None) => Err(found),
    }
}

/// With whom a context shares.
pub(super) fn fairness_of(options: Option<&v1::ContextOptions>) -> Fairness {
    let wire = options.and_then(|options| options.fairness.clone());
    wire.map_or_else(Fairness::default, |wire| Fairness {
        key: (!wire.key.is_empty()).then_some(wire.key),
        weight: wire.weight.unwrap_or(1),
    })
}

/// Absent where it is the default.
pub(super) fn fairness_to_wire(fairness: &Fairness) -> Option<v1::Fairness> {
    (*fairness != Fairness::default()).then(|| v1::Fairness {
        key: fairness.key.clone().unwrap_or_default(),
        weight: (fairness.weight != 1).then_some(fairness.weight),
    })
}

impl From<&Wishes> for v1::ContextOptions {
    fn from(wishes: &Wishes) -> Self {
        Self {
            routing: routing_to_wire(&wishes.routing),
            workers: workers_to_wire(&wishes.workers),
            resources: resources_to_wire(&wishes.resources),
            fairness: fairness_to_wire(&wishes.fairness),
            ..wishes.options.into()
        }
    }
}

/// What a context takes, as it travels.
pub(super) fn resources_to_wire(resources: &Units) -> HashMap<String, u64> {
    resources
        .iter()
        .map(|(name, amount)| (name.to_owned(), amount))
        .collect()
}

impl TryFrom<&v1::Routing> for Routing {
    type Error = Violations;

    fn try_from(wire: &v1::Routing) -> Result<Self, Violations> {
        let policy = match wire.policy.as_str() {
            "" => RoutingPolicy::default(),
            word => RoutingPolicy::of_word(word).map_err(|wrong| wrong.at("policy"))?,
        };
        Ok(Self {
            policy,
            key: (!wire.key.is_empty()).then(|| wire.key.clone()),
            list: wire.list.clone(),
        })
    }
}

/// Absent where it is the default.
pub(super) fn routing_to_wire(routing: &Routing) -> Option<v1::Routing> {
    (*routing != Routing::default()).then(|| v1::Routing {
        policy: routing.policy.as_str().to_owned(),
        key: routing.key.clone().unwrap_or_default(),
        list: routing.list.clone(),
    })
}

impl TryFrom<&v1::WorkerSelection> for Selection {
    type Error = Violations;

    fn try_from(wire: &v1::WorkerSelection) -> Result<Self, Violations> {
        let select = match wire.select.as_str() {
            "" => None,
            text => Some(
                text.parse::<Condition>()
                    .map_err(|wrong| wrong.at("select"))?,
            ),
        };
        Ok(Self {
            select,
            allow: (!wire.allow.is_empty()).then(|| wire.allow.clone()),
            deny: wire.deny.clone(),
            max: wire.max,
        })
    }
}

/// Absent where it is the default.
pub(super) fn workers_to_wire(workers: &Selection) -> Option<v1::WorkerSelection> {
    (*workers != Selection::default()).then(|| v1::WorkerSelection {
        select: workers
            .select
            .as_ref()
            .map(|condition| condition.as_str().to_owned())
            .unwrap_or_default(),
        allow: workers.allow.clone().unwrap_or_default(),
        deny: workers.deny.clone(),
        max: workers.max,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parts_survive_the_wire() {
        let routing = Routing {
            list: vec!["a".to_owned(), "b".to_owned()],
            ..Routing::new(RoutingPolicy::Failover)
        };
        let workers = Selection {
            select: Some("gpu && cores >= 8".parse().unwrap()),
            allow: Some(vec!["a".to_owned()]),
            deny: vec!["c".to_owned()],
            max: Some(3),
        };
        let resources = Units::of([("gpu".to_owned(), 1_000)]);
        let wire = v1::ContextOptions {
            routing: routing_to_wire(&routing),
            workers: workers_to_wire(&workers),
            resources: resources_to_wire(&resources),
            ..v1::ContextOptions::default()
        };
        assert_eq!(
            placement(Some(&wire)).unwrap(),
            (routing, workers, resources)
        );
        assert_eq!(routing_to_wire(&Routing::default()), None);
        assert_eq!(workers_to_wire(&Selection::default()), None);
        assert_eq!(placement(None).unwrap(), Default::default());
    }

    #[test]
    fn mistakes_of_both_parts_are_told() {
        let wire = v1::ContextOptions {
            routing: Some(v1::Routing {
                policy: "rondom".to_owned(),
                ..v1::Routing::default()
            }),
            workers: Some(v1::WorkerSelection {
                select: "gpu &".to_owned(),
                ..v1::WorkerSelection::default()
            }),
            ..v1::ContextOptions::default()
        };
        let wrong = placement(Some(&wire)).unwrap_err().to_string();
        assert!(wrong.contains("routing.policy: is one of any"), "{wrong}");
        assert!(wrong.contains("did you mean `random`?"), "{wrong}");
        assert!(
            wrong.contains("workers.select: is `&&` for both at character 5 (given: gpu &)"),
            "{wrong}"
        );
    }
}
