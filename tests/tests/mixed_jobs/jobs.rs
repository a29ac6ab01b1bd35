//! A thousand jobs of every kind.

use anyhow::Result;
use tickwheel_core::job::{AfterOn, ContextOptions, JobSpec, Overlap, Trigger};
use tickwheel_core::time::TimestampMs;
use tickwheel_tests::harness::jobs::{after, cron, delay, every, job_of, once, tries};

/// Of every job's contexts.
pub(crate) const LEASE_MS: u64 = 2_000;

/// The span in which jobs fire.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// One of the overlap policies.
fn overlap(number: u64) -> Overlap {
    match number % 5 {
        0 => Overlap::Discard,
        1 => Overlap::Parallel(3),
        2 => Overlap::Queue(200),
        3 => Overlap::QueueOne,
        _ => Overlap::Parallel(50),
    }
}

/// A handler and its number: most succeed at once, some take a while, some fail first or for good.
fn work(number: u64) -> (&'static str, u64) {
    match number % 10 {
        0 => ("sleep", 20 + number % 300),
        1 => ("sleep", 5),
        2 => ("fail", 1),
        3 if number.is_multiple_of(3) => ("fatal", 0),
        4 if number.is_multiple_of(3) => ("retry_after", 50),
        5 if number.is_multiple_of(7) => ("panic", 1),
        _ => ("ok", number),
    }
}

/// When job `number` is due.
fn trigger(number: u64, span: Span) -> Result<(&'static str, Trigger)> {
    let at = span.start + (number * 7_919) % (span.end - span.start);
    let seconds = 1 + number % 3;
    let even = number.is_multiple_of(2);
    let on = if number % 40 < 20 {
        AfterOn::Succeeded
    } else {
        AfterOn::Failed
    };
    Ok(match number % 20 {
        0..=4 => (
            "cron",
            cron(if even { "* * * * * *" } else { "*/3 * * * * *" }),
        ),
        5..=8 => ("rate", every(700 + 10 * (number % 331))),
        9 => ("fast", every(150 + number % 50)),
        10..=12 => ("delay", delay(200 + number % 900)),
        13 | 14 => ("second", delay(1_000 * seconds)),
        15 | 16 => ("once", once(at)),
        17 => ("manual", Trigger::Manual),
        18 => ("after", after(&name("cron", number - 18), AfterOn::Ended)?),
        _ => ("then", after(&name("rate", number - 13), on)?),
    })
}

/// A thousand jobs: their number decides everything.
pub(crate) fn specs(span: Span) -> Result<Vec<JobSpec>> {
    let mut specs = Vec::new();
    for number in 0..1_000_u64 {
        let (kind, trigger) = trigger(number, span)?;
        let (handler, argument) = match kind {
            "once" if number.is_multiple_of(4) => ("cancel_aware", 30),
            _ => work(number / 20 + number),
        };
        let begins = Some(TimestampMs::new(span.start + number % 1_000));
        let jittery = kind == "rate" && number.is_multiple_of(3);
        let options = ContextOptions {
            lease_ms: LEASE_MS,
            timeout_ms: number.is_multiple_of(6).then_some(20_000),
            ..tries(3, 100)
        };
        specs.push(JobSpec {
            start_at: begins.filter(|_| !matches!(kind, "manual" | "after" | "then" | "once")),
            jitter_ms: if jittery { 200 } else { 0 },
            overlap: match kind {
                "after" | "then" => Overlap::Parallel(500),
                _ => overlap(number / 3),
            },
            options,
            ..job_of(&name(kind, number), handler, argument, trigger)?
        });
    }
    // A replaced context is cancelled: handlers that listen.
    for number in 0..10 {
        let start_at = Some(TimestampMs::new(span.start));
        let (name, trigger) = (format!("replace-{number}"), every(400 + 50 * number));
        let spec = job_of(&name, "cancel_aware", 900, trigger)?;
        specs.push(JobSpec {
            overlap: Overlap::Replace,
            start_at,
            ..spec
        });
    }
    Ok(specs)
}

fn name(kind: &str, number: u64) -> String {
    format!("mixed/{kind}-{number}")
}
