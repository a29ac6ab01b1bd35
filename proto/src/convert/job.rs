//! Jobs as users describe them.

use tickwheel_core::bounds::{LEDGER_DEFAULT, RUNS_DEFAULT};
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::{HandlerName, JobName, Namespace};
use tickwheel_core::job::{ContextOptions, JobSpec, Misfire, Overlap, Trigger};
use tickwheel_core::model::{Model, ReduceOn};
use tickwheel_core::time::TimestampMs;

use super::routing::{
    fairness_of, fairness_to_wire, placement, resources_to_wire, routing_to_wire, workers_to_wire,
};
use super::{field, group, reduce_on_from_wire, reduce_on_to_wire};
use crate::v1;

impl TryFrom<v1::JobSpec> for JobSpec {
    type Error = Violations;

    fn try_from(wire: v1::JobSpec) -> Result<Self, Violations> {
        let mut found = Violations::new();
        let name = field(&mut found, "name", JobName::new(&wire.name));
        let group = group(&mut found, &wire.group);
        let handler = field(&mut found, "handler", HandlerName::new(&wire.handler));
        let trigger = found.keep(trigger_of(wire.trigger));
        let misfire = found.keep(
            wire.misfire
                .map_or(Ok(Misfire::default()), Misfire::try_from),
        );
        let overlap = found.keep(
            wire.overlap
                .map_or(Ok(Overlap::default()), Overlap::try_from),
        );
        let placed =
            found.keep(placement(wire.options.as_ref()).map_err(|wrong| wrong.prefix("options")));
        let (routing, workers, resources) = placed.unwrap_or_default();
        let fairness = fairness_of(wire.options.as_ref());
        let options = wire
            .options
            .map_or(Ok(ContextOptions::default()), ContextOptions::try_from);
        let options = found.keep(options.map_err(|wrong| wrong.prefix("options")));
        let fan = fan_of(&mut found, wire.model, &wire.reduce, wire.reduce_on);
        let subtask = wire
            .subtask
            .map_or(Ok(ContextOptions::default()), ContextOptions::try_from);
        let subtask = found.keep(subtask.map_err(|wrong| wrong.prefix("subtask")));
        let named = wire.followed_by.iter().enumerate();
        let followed_by = named.filter_map(|(at, name)| {
            let path = format!("followed_by[{at}]");
            field(&mut found, &path, Namespace::new(name))
        });
        let followed_by = followed_by.collect();
        let (Some(name), Some(group), Some(handler), Some(trigger)) =
            (name, group, handler, trigger)
        else {
            return Err(found);
        };
        let unread = !found.is_empty();
        // A part that could not be read has its default here, so that the mistakes of the others are found as well.
        let spec = Self {
            body: wire.body,
            start_at: wire.start_at_ms.map(TimestampMs::new),
            end_at: wire.end_at_ms.map(TimestampMs::new),
            max_runs: wire.max_runs,
            jitter_ms: wire.jitter_ms,
            misfire: misfire.unwrap_or_default(),
            overlap: overlap.unwrap_or_default(),
            options: options.unwrap_or_default(),
            model: fan.model,
            reduce: fan.reduce,
            reduce_on: fan.reduce_on,
            subtask: subtask.unwrap_or_default(),
            routing,
            workers,
            resources,
            fairness,
            ledger_limit: wire.ledger_limit.unwrap_or(LEDGER_DEFAULT),
            runs_limit: wire.runs_limit.unwrap_or(RUNS_DEFAULT),
            description: wire.description,
            labels: wire.labels.into_iter().collect(),
            followed_by,
            ..Self::new(name, group, handler, trigger)
        };
        if unread {
            if let Err(more) = spec.check() {
                found.merge(wire_paths(more, &spec.trigger));
            }
            return Err(found);
        }
        Ok(spec)
    }
}

/// How a job is split, as far as it could be read: a mistake is reported once, and not again by what it would contradict.
#[derive(Default)]
struct Fan {
    model: Model,
    reduce: Option<HandlerName>,
    reduce_on: ReduceOn,
}

fn fan_of(found: &mut Violations, model: Option<v1::Model>, reduce: &str, reduce_on: i32) -> Fan {
    let model = found.keep(model.map_or(Ok(Model::default()), Model::try_from));
    let handler = (!reduce.is_empty()).then(|| field(found, "reduce", HandlerName::new(reduce)));
    let reduce_on = found.keep(reduce_on_from_wire(reduce_on));
    let (Some(model), Some(reduce_on)) = (model, reduce_on) else {
        return Fan::default();
    };
    let Some(reduce) = handler else {
        return Fan {
            model,
            reduce: None,
            reduce_on,
        };
    };
    Fan {
        model,
        reduce_on: if reduce.is_some() {
            reduce_on
        } else {
            ReduceOn::default()
        },
        reduce,
    }
}

fn trigger_of(wire: Option<v1::Trigger>) -> Result<Trigger, Violations> {
    wire.unwrap_or_default()
        .try_into()
        .map_err(|wrong: Violations| wrong.prefix("trigger"))
}

impl From<&JobSpec> for v1::JobSpec {
    fn from(spec: &JobSpec) -> Self {
        Self {
            name: spec.name.to_string(),
            group: spec.group.to_string(),
            handler: spec.handler.to_string(),
            body: spec.body.clone(),
            trigger: Some((&spec.trigger).into()),
            start_at_ms: spec.start_at.map(TimestampMs::as_u64),
            end_at_ms: spec.end_at.map(TimestampMs::as_u64),
            max_runs: spec.max_runs,
            jitter_ms: spec.jitter_ms,
            misfire: Some(spec.misfire.into()),
            overlap: Some(spec.overlap.into()),
            options: Some(v1::ContextOptions {
                routing: routing_to_wire(&spec.routing),
                workers: workers_to_wire(&spec.workers),
                resources: resources_to_wire(&spec.resources),
                fairness: fairness_to_wire(&spec.fairness),
                ..spec.options.into()
            }),
            ledger_limit: Some(spec.ledger_limit),
            runs_limit: Some(spec.runs_limit),
            description: spec.description.clone(),
            labels: spec.labels.clone().into_iter().collect(),
            followed_by: spec.followed_by.iter().map(Namespace::to_string).collect(),
            model: (!spec.model.is_standalone()).then(|| (&spec.model).into()),
            reduce: spec
                .reduce
                .as_ref()
                .map_or_else(String::new, HandlerName::to_string),
            reduce_on: reduce_on_to_wire(spec.reduce_on).into(),
            subtask: (spec.subtask != ContextOptions::default()).then(|| spec.subtask.into()),
        }
    }
}

/// Turns the paths of core's `validate` into those of the message, where the fields of a trigger lie below its kind.
#[must_use]
pub fn wire_paths(violations: Violations, trigger: &Trigger) -> Violations {
    let kind = trigger.kind();
    let below = |mut violation: Violation| {
        if ["routing", "workers", "resources", "fairness"]
            .contains(&violation.field.split('.').next().unwrap_or_default())
        {
            return violation.prefix("options");
        }
        match violation.field.strip_prefix("trigger.") {
            // Core calls the expression by the name of its kind.
            Some("cron") => violation.field = "trigger.cron.expression".to_owned(),
            Some(inner) if inner.split(['.', '[']).next() != Some(kind) => {
                violation.field = format!("trigger.{kind}.{inner}");
            }
            Some(_) | None => {}
        }
        violation
    };
    violations.into_iter().map(below).collect()
}
