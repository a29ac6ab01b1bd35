//! When a job is due: exactly one kind of trigger.

use crate::bounds::CRON_CHARS_MAX;
use crate::error::{Violation, Violations};
use crate::id::JobName;
use crate::job::{AfterOn, Trigger};
use crate::shape::{
    Exactly, Fields, Maybe, Name, Record, SPAN, TEXT, Text, Unit, Via, Visitor, WHEN, Words,
    needed, optional, place,
};
use crate::time::TimestampMs;

/// The zone of an expression that names none.
const ZONE_DEFAULT: &str = "UTC";

/// A map with one kind, or the bare word `manual`.
pub(super) const TRIGGER: Via<Exactly<Kinds>, Kinds, Trigger> = Via {
    form: Exactly::one_of(
        &[
            "cron",
            "fixed_rate",
            "fixed_delay",
            "once",
            "manual",
            "after",
        ],
        &["manual"],
        &[
            ("api", "is called `manual`"),
            (
                "second_delay",
                "is no trigger; `fixed_delay` waits a span after the end, like fixed_delay: 5s",
            ),
        ],
    ),
    read: trigger_of,
    write: kinds_of,
};

/// A trigger, key by key.
#[derive(Default)]
pub(super) struct Kinds {
    cron: Option<String>,
    time_zone: Option<String>,
    fixed_rate: Option<Grid>,
    fixed_delay: Option<u64>,
    once: Option<TimestampMs>,
    manual: Option<()>,
    after: Option<Upstream>,
}

#[derive(Clone, PartialEq)]
struct Grid {
    period_ms: u64,
    anchor: Option<TimestampMs>,
}

#[derive(Clone, PartialEq)]
struct Upstream {
    job: JobName,
    on: AfterOn,
}

impl Record for Kinds {
    fn blank() -> Self {
        Self::default()
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        visit.field(
            optional(
                "cron",
                "At local times of a zone: five fields are crontab, six or seven are Quartz, and @daily and its like are words.",
            ),
            Maybe(Text {
                most: CRON_CHARS_MAX,
            }),
            place!(Self: cron),
        );
        visit.field(
            optional(
                "time_zone",
                "The zone of `cron`, an IANA name; without it UTC.",
            ),
            Maybe(TEXT),
            place!(Self: time_zone),
        );
        visit.field(
            optional(
                "fixed_rate",
                "On a grid of instants, whatever the runs take.",
            ),
            Maybe(Fields::<Grid>::or("every")),
            place!(Self: fixed_rate),
        );
        visit.field(
            optional("fixed_delay", "This long after the run before ended."),
            Maybe(SPAN),
            place!(Self: fixed_delay),
        );
        visit.field(
            optional("once", "At one instant."),
            Maybe(WHEN),
            place!(Self: once),
        );
        visit.field(
            optional("manual", "Only when somebody asks for it."),
            Maybe(Unit),
            place!(Self: manual),
        );
        visit.field(
            optional("after", "When a run of another job ended."),
            Maybe(Fields::<Upstream>::or("job")),
            place!(Self: after),
        );
        visit.misnamed("zone", "is called `time_zone`");
        visit.misnamed("api", "is called `manual`");
        visit.misnamed(
            "second_delay",
            "is no trigger; `fixed_delay` waits a span after the end, like fixed_delay: 5s",
        );
    }
}

impl Record for Grid {
    fn blank() -> Self {
        Self {
            period_ms: 1_000,
            anchor: None,
        }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        visit.field(
            needed("every", "Between two due times, 10ms at least."),
            SPAN,
            place!(Self: period_ms),
        );
        visit.field(
            optional(
                "anchor",
                "One instant of the grid; without it start_at, or the instant of registration.",
            ),
            Maybe(WHEN),
            place!(Self: anchor),
        );
    }
}

impl Record for Upstream {
    fn blank() -> Self {
        Self {
            job: JobName::placeholder(),
            on: AfterOn::Succeeded,
        }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        visit.field(
            needed("job", "The job that it follows."),
            Name,
            place!(Self: job),
        );
        visit.field(
            optional("on", "Which of its ends count."),
            Words {
                all: AfterOn::ALL,
                word: AfterOn::as_str,
            },
            place!(Self: on),
        );
    }
}

fn trigger_of(kinds: Kinds) -> Result<Trigger, Violations> {
    if let (None, Some(zone)) = (&kinds.cron, &kinds.time_zone) {
        return Err(Violation::new("time_zone", "belongs to `cron`", zone).into());
    }
    let zone = kinds.time_zone;
    let kinds = [
        kinds.cron.map(|expression| Trigger::Cron {
            expression,
            time_zone: zone.unwrap_or_else(|| ZONE_DEFAULT.to_owned()),
        }),
        kinds.fixed_rate.map(|grid| Trigger::FixedRate {
            period_ms: grid.period_ms,
            anchor_ms: grid.anchor,
        }),
        kinds
            .fixed_delay
            .map(|delay_ms| Trigger::FixedDelay { delay_ms }),
        kinds.once.map(|at_ms| Trigger::Once { at_ms }),
        kinds.after.map(|after| Trigger::After {
            job: after.job,
            on: after.on,
        }),
    ];
    Ok(kinds
        .into_iter()
        .flatten()
        .next()
        .unwrap_or(Trigger::Manual))
}

fn kinds_of(trigger: &Trigger) -> Kinds {
    let mut kinds = Kinds::default();
    match trigger.clone() {
        Trigger::Cron {
            expression,
            time_zone,
        } => {
            kinds.cron = Some(expression);
            kinds.time_zone = (!time_zone.is_empty()).then_some(time_zone);
        }
        Trigger::FixedRate {
            period_ms,
            anchor_ms: anchor,
        } => kinds.fixed_rate = Some(Grid { period_ms, anchor }),
        Trigger::FixedDelay { delay_ms } => kinds.fixed_delay = Some(delay_ms),
        Trigger::Once { at_ms } => kinds.once = Some(at_ms),
        Trigger::Manual => kinds.manual = Some(()),
        Trigger::After { job, on } => kinds.after = Some(Upstream { job, on }),
    }
    kinds
}
