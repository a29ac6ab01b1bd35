//! Short ways to describe jobs and contexts.

use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use tickwheel_core::id::{GroupName, HandlerName, JobName};
use tickwheel_core::job::{AfterOn, Backoff, ContextOptions, JobSpec, RetryPolicy, Trigger};
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::v1;

/// A job of group `default` with every policy at its default, and histories long enough to check all of a test.
///
/// # Errors
/// When a name breaks its rule.
pub fn job(name: &str, handler: &str, trigger: Trigger) -> Result<JobSpec> {
    let (name, group, handler) = (
        JobName::new(name)?,
        GroupName::new("default")?,
        HandlerName::new(handler)?,
    );
    Ok(JobSpec {
        ledger_limit: 20_000,
        runs_limit: 10_000,
        ..JobSpec::new(name, group, handler, trigger)
    })
}

/// Like [`job`], with a number as its body.
///
/// # Errors
/// When a name breaks its rule.
pub fn job_of(name: &str, handler: &str, number: u64, trigger: Trigger) -> Result<JobSpec> {
    Ok(JobSpec {
        body: Bytes::from(number.to_string()),
        ..job(name, handler, trigger)?
    })
}

/// A cron expression in UTC.
#[must_use]
pub fn cron(expression: &str) -> Trigger {
    Trigger::Cron {
        expression: expression.to_owned(),
        time_zone: String::new(),
    }
}

/// Each `period_ms`.
#[must_use]
pub fn every(period_ms: u64) -> Trigger {
    Trigger::FixedRate {
        period_ms,
        anchor_ms: None,
    }
}

/// So many milliseconds after each end.
#[must_use]
pub fn delay(delay_ms: u64) -> Trigger {
    Trigger::FixedDelay { delay_ms }
}

/// When `job` ended as `on` says.
///
/// # Errors
/// When the name breaks its rule.
pub fn after(job: &str, on: AfterOn) -> Result<Trigger> {
    Ok(Trigger::After {
        job: JobName::new(job)?,
        on,
    })
}

/// Once, at this instant.
#[must_use]
pub fn once(at_ms: u64) -> Trigger {
    Trigger::Once {
        at_ms: TimestampMs::new(at_ms),
    }
}

/// Options with so many attempts, a fixed delay between them.
#[must_use]
pub fn tries(max_attempts: u32, delay_ms: u64) -> ContextOptions {
    let retry = RetryPolicy {
        max_attempts,
        backoff: Backoff::Fixed { delay_ms },
        full_jitter: false,
    };
    ContextOptions {
        retry,
        ..ContextOptions::default()
    }
}

/// A context of group `default`, due at once.
#[must_use]
pub fn submission(handler: &str, number: u64) -> v1::Submission {
    let body = Bytes::from(number.to_string());
    v1::Submission {
        handler: handler.to_owned(),
        body,
        ..v1::Submission::default()
    }
}

/// The same, due after `delay`.
#[must_use]
pub fn delayed(submission: v1::Submission, delay: Duration) -> v1::Submission {
    let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
    v1::Submission {
        when: Some(v1::submission::When::DelayMs(delay_ms)),
        ..submission
    }
}

/// The same with these options.
#[must_use]
pub fn with_options(submission: v1::Submission, options: ContextOptions) -> v1::Submission {
    v1::Submission {
        options: Some(options.into()),
        ..submission
    }
}
