//! Registering and changing jobs. Script: `lua/job/apply.lua`.

use bytes::Bytes;
use fred::types::Value;
use tickwheel_core::id::{JobName, Namespace};
use tickwheel_core::job::{AfterOn, JobSpec, Trigger};
use tickwheel_core::routing::Placement;
use tickwheel_core::time::TimestampMs;

use super::{Plan, changed, deleting, followers_of};
use crate::args::Args;
use crate::error::Error;
use crate::placement::{placement_args, placements_full};
use crate::record::{Options, Rest};
use crate::script::APPLY_JOB;
use crate::store::Store;

/// What an apply came to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Applied {
    /// The present revision.
    pub revision: u64,
    /// Whether this call made it.
    pub change: Change,
    /// The next due time, when it is known.
    pub next_due: Option<TimestampMs>,
    /// Who follows it, as far as that can be read.
    pub followers: Vec<(JobName, AfterOn)>,
}

/// Whether an apply changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// The job is new.
    Created,
    /// It has a new revision.
    Updated,
    /// It is as it was.
    Unchanged,
}

/// What has to hold for a job to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Only {
    /// One that is new: only while its partition has fewer than so many of its namespace.
    pub below: Option<u64>,
    /// Only while it has this revision; 0: while there is none of its name. One that is as it shall be already is left as it is.
    pub revision: Option<u64>,
}

impl Store {
    /// Registers `spec`, or gives its job a new revision when it differs. Idempotent.
    ///
    /// What the job fired so far stays, and a paused job stays paused. Due times of `plan` that were decided before are dropped. The
    /// caller registers an `after` job with its upstream ([`Store::add_follower`]).
    ///
    /// # Errors
    /// [`Error::Conflict`] while the job is being deleted; [`Error::Exhausted`] when Redis is full; [`Error::Unavailable`]: repeat.
    pub async fn apply_job(&self, spec: &JobSpec, plan: &Plan) -> Result<Applied, Error> {
        self.apply_job_if(spec, plan, Only::default()).await
    }

    /// The same, as far as `only` holds.
    ///
    /// # Errors
    /// As [`Store::apply_job`], and where it does not hold [`Error::Full`] or [`Error::Changed`]; then nothing was written.
    pub async fn apply_job_if(
        &self,
        spec: &JobSpec,
        plan: &Plan,
        only: Only,
    ) -> Result<Applied, Error> {
        self.redis.has_room()?;
        // The body is kept once, in the template.
        let kept = JobSpec {
            body: Bytes::new(),
            ..spec.clone()
        };
        let placement = spec.placement();
        let fields = definition(spec, plan, placement.as_ref()).into_iter();
        let fields = fields.flat_map(|(name, value)| [Value::from(name), value]);
        let args = Args::new()
            .with("job", spec.name.as_str())
            .with("digest", spec.digest())
            .with("spec", Bytes::from(kept.encode()))
            .with("dues", plan.dues_arg(&self.zones))
            .with_number("plan_end", u8::from(plan.end))
            .with_optional_number("jobs_most", only.below)
            .with_optional_number("if_revision", only.revision)
            .items(fields.chain(placement_args(placement.iter())));
        let (status, mut reply) = self.call_job(&APPLY_JOB, &spec.name, args).await?;
        let change = match status.as_str() {
            "CREATED" => Change::Created,
            "UPDATED" => Change::Updated,
            "UNCHANGED" => Change::Unchanged,
            "CHANGED" => return Err(changed(&spec.name, reply.number()?)),
            "DELETING" => return Err(deleting(&spec.name)),
            "JOBS_FULL" => return Err(jobs_full(spec.name.namespace())),
            "PLACEMENTS_FULL" => return Err(placements_full()),
            other => return Err(Error::contract(APPLY_JOB.name(), other)),
        };
        let revision = reply.number()?;
        let next_due = reply.optional_number()?.map(TimestampMs::new);
        let followers = followers_of(&reply.text()?).unwrap_or_default();
        Ok(Applied {
            revision,
            change,
            next_due,
            followers,
        })
    }
}

/// Others took the room that there was.
fn jobs_full(namespace: &str) -> Error {
    Error::Full(format!(
        "namespace `{namespace}` has as many jobs as it may (`quotas.jobs` of the trackers): delete some, or have it raised"
    ))
}

/// The fields of a job's hash that scripts read, from its spec.
fn definition(
    spec: &JobSpec,
    plan: &Plan,
    placement: Option<&Placement>,
) -> Vec<(&'static str, Value)> {
    let text = |number: u64| Value::from(number.to_string());
    let optional = |number: Option<u64>| {
        Value::from(number.map(|number| number.to_string()).unwrap_or_default())
    };
    let (period, anchor) = if let Trigger::FixedRate {
        period_ms,
        anchor_ms,
    } = &spec.trigger
    {
        (Some(*period_ms), anchor_ms.or(plan.dues.first().copied()))
    } else {
        (spec.trigger.delay_ms(), None)
    };
    let options = Options {
        placement: placement.map(Placement::id),
        // A spec that names a value its body does not have was refused.
        hash: spec
            .routing
            .hash_of(&spec.body, Some(&spec.name))
            .unwrap_or_default(),
        key: spec.fairness.key_of(&spec.body).unwrap_or_default(),
        weight: spec.fairness.weight,
        split: !spec.model.is_standalone(),
        ..Options::from(&spec.options)
    };
    let after = match &spec.trigger {
        Trigger::After { job, on } => format!("{job} {on}"),
        Trigger::Cron { .. }
        | Trigger::FixedRate { .. }
        | Trigger::FixedDelay { .. }
        | Trigger::Once { .. }
        | Trigger::Manual => String::new(),
    };
    let followed_by: Vec<&str> = spec.followed_by.iter().map(Namespace::as_str).collect();
    let template = Rest::encode(
        &spec.group,
        &spec.handler,
        spec.options.priority,
        options,
        &spec.body,
    );
    vec![
        ("kind", Value::from(spec.trigger.kind())),
        ("period", optional(period)),
        ("anchor", optional(anchor.map(TimestampMs::as_u64))),
        ("start_at", optional(spec.start_at.map(TimestampMs::as_u64))),
        ("end_at", optional(spec.end_at.map(TimestampMs::as_u64))),
        ("max_runs", optional(spec.max_runs)),
        ("jitter", text(spec.jitter_ms)),
        ("misfire", Value::from(spec.misfire.policy.as_str())),
        ("misfire_limit", text(u64::from(spec.misfire.limit))),
        ("tolerance", text(spec.misfire.tolerance_ms)),
        ("catch_up", optional(spec.misfire.catch_up_window_ms)),
        ("overlap", Value::from(spec.overlap.word())),
        (
            "overlap_limit",
            optional(spec.overlap.limit().map(u64::from)),
        ),
        ("tmpl", Value::Bytes(template)),
        ("ledger_limit", text(u64::from(spec.ledger_limit))),
        ("runs_limit", text(u64::from(spec.runs_limit))),
        ("after", Value::from(after)),
        ("followed_by", Value::from(followed_by.join(" "))),
    ]
}
