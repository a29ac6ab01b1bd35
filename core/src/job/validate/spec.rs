//! The ranges of a job, all checked at once, and that it has a due time.

use crate::bounds::{
    BODY_BYTES_MAX, INSTANT_MS_MAX, MISFIRE_LIMIT_MAX, PARALLEL_MAX, PERIOD_MS_MIN, QUEUE_MAX,
};
use crate::calendar::Calendar;
use crate::cron::CronSchedule;
use crate::error::{Violation, Violations};
use crate::job::{JobSpec, Misfire, Overlap, Trigger};
use crate::labels;
use crate::routing::Placement;
use crate::shape::check_fields;
use crate::time::TimestampMs;
use crate::zone::Zone;

use super::{check_range, check_span};

impl JobSpec {
    /// Checks every range and, for triggers with a calendar, that a due time lies ahead of `now`.
    ///
    /// # Errors
    /// All violations, each with the path of its field.
    pub fn validate(&self, now: TimestampMs) -> Result<(), Violations> {
        self.check()?;
        let calendar = Calendar::new(self, now)?;
        if self.trigger.has_calendar() && calendar.first().is_none() {
            let rule = "never fires: no due time lies ahead within start_at and end_at";
            return Err(Violation::new("trigger", rule, self.trigger.kind()).into());
        }
        Ok(())
    }

    /// Checks everything that does not depend on the clock.
    ///
    /// # Errors
    /// All violations, each with the path of its field.
    pub fn check(&self) -> Result<(), Violations> {
        // Ranges of single fields are declared with the fields; here is what needs more than one value, or has words of its own.
        let mut found = check_fields(self);
        self.trigger.check(&mut found);
        self.check_bounds(&mut found);
        check_misfire(&self.misfire, &mut found);
        check_overlap(self.overlap, &mut found);
        found.keep(
            self.options
                .validate()
                .map_err(|wrong| wrong.prefix("options")),
        );
        found.keep(self.model.validate(self.reduce.as_ref(), self.reduce_on));
        found.keep(
            self.subtask
                .validate()
                .map_err(|wrong| wrong.prefix("subtask")),
        );
        found.keep(Placement::validate(
            &self.routing,
            (&self.workers, &self.resources),
        ));
        let fairness = self.fairness.validate();
        let sound = found
            .keep(fairness.map_err(|wrong| wrong.prefix("fairness")))
            .is_some();
        if sound {
            let key = self.fairness.key_of(&self.body);
            found.keep(key.map_err(|wrong| wrong.prefix("fairness")));
        }
        let key = self.routing.hash_of(&self.body, Some(&self.name));
        found.keep(key.map_err(|wrong| wrong.prefix("routing")));
        found.into_result()
    }

    fn check_bounds(&self, found: &mut Violations) {
        if self.body.len() > BODY_BYTES_MAX {
            let rule = format!("has at most {BODY_BYTES_MAX} bytes");
            found.add("body", rule, format_args!("{} bytes", self.body.len()));
        }
        found.keep(labels::check(&self.labels).map_err(|wrong| wrong.prefix("labels")));
        for (field, at) in [("start_at", self.start_at), ("end_at", self.end_at)] {
            check_instant(field, at, found);
        }
        if let (Some(start), Some(end)) = (self.start_at, self.end_at)
            && end < start
        {
            found.add("end_at", "is not before start_at", end);
        }
        check_span("jitter_ms", self.jitter_ms, 0, found);
    }
}

impl Trigger {
    /// What is valid and was perhaps not meant: see [`CronSchedule::warning`].
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        match self {
            Self::Cron {
                expression,
                time_zone: zone,
            } => {
                let schedule = CronSchedule::parse(expression, zone).ok()?;
                schedule.warning()
            }
            Self::FixedRate { .. }
            | Self::FixedDelay { .. }
            | Self::Once { .. }
            | Self::Manual
            | Self::After { .. } => None,
        }
    }

    fn check(&self, found: &mut Violations) {
        match self {
            Self::FixedRate {
                period_ms,
                anchor_ms,
            } => {
                check_span("trigger.period_ms", *period_ms, PERIOD_MS_MIN, found);
                check_instant("trigger.anchor_ms", *anchor_ms, found);
            }
            Self::FixedDelay { delay_ms } => check_span("trigger.delay_ms", *delay_ms, 1, found),
            Self::Once { at_ms } => check_instant("trigger.at_ms", Some(*at_ms), found),
            Self::Cron {
                expression,
                time_zone: zone,
            } => {
                let mut check = |zone: &str| {
                    let parsed = CronSchedule::parse(expression, zone);
                    found.keep(parsed.map_err(|wrong| wrong.prefix("trigger")));
                };
                check(zone);
                // A wrong zone hides no wrong expression.
                if Zone::parse(zone).is_err() {
                    check("UTC");
                }
            }
            Self::Manual | Self::After { .. } => {}
        }
    }
}

fn check_misfire(misfire: &Misfire, found: &mut Violations) {
    check_range("misfire.limit", misfire.limit, 1..=MISFIRE_LIMIT_MAX, found);
    check_span("misfire.tolerance_ms", misfire.tolerance_ms, 0, found);
    if let Some(window_ms) = misfire.catch_up_window_ms {
        check_span("misfire.catch_up_window_ms", window_ms, 0, found);
    }
}

fn check_overlap(overlap: Overlap, found: &mut Violations) {
    match overlap {
        Overlap::Parallel(limit) => check_range("overlap.limit", limit, 1..=PARALLEL_MAX, found),
        Overlap::Queue(limit) => check_range("overlap.limit", limit, 1..=QUEUE_MAX, found),
        Overlap::QueueOne | Overlap::Discard | Overlap::Replace => {}
    }
}

fn check_instant(field: &str, given: Option<TimestampMs>, found: &mut Violations) {
    if let Some(at) = given
        && at.as_u64() > INSTANT_MS_MAX
    {
        found.add(field, "lies before the year 2527", at);
    }
}
