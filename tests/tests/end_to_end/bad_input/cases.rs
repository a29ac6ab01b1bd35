//! The bad jobs: what is changed in a good one, and the field and the part of the rule that the answer must name.

use bytes::Bytes;
use tickwheel_core::id::JobName;
use tickwheel_core::job::{AfterOn, JobSpec, Misfire, MisfirePolicy, Overlap, Trigger};
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::v1;
use tickwheel_tests::harness::jobs::{cron, delay, every, once};
use tickwheel_tests::harness::wall_ms;

/// Name, change, field below `jobs[0]`, part of the rule or of the value.
pub(crate) type Case<T> = (&'static str, fn(&mut T), &'static str, &'static str);

fn on_cron(spec: &mut JobSpec, expression: &str) {
    spec.trigger = cron(expression);
}

fn on_zone(spec: &mut JobSpec, zone: &str) {
    let expression = "0 3 * * *".to_owned();
    spec.trigger = Trigger::Cron {
        expression,
        time_zone: zone.to_owned(),
    };
}

fn on_nobody(spec: &mut JobSpec) {
    if let Ok(job) = JobName::new("nobody") {
        spec.trigger = Trigger::After {
            job,
            on: AfterOn::Ended,
        };
    }
}

fn fire_all(limit: u32) -> Misfire {
    let policy = MisfirePolicy::FireAll;
    Misfire {
        policy,
        limit,
        ..Misfire::default()
    }
}

fn in_ms(ms: i64) -> Option<TimestampMs> {
    wall_ms().checked_add_signed(ms).map(TimestampMs::new)
}

fn many_elements() -> String {
    "1,".repeat(2_000) + "1 * * * *"
}

/// Triggers that cannot be.
pub(crate) const TRIGGERS: &[Case<JobSpec>] = &[
    (
        "30 February",
        |s| on_cron(s, "0 0 30 2 *"),
        "trigger",
        "never",
    ),
    (
        "a past year",
        |s| on_cron(s, "0 0 0 1 1 ? 2001"),
        "trigger",
        "never",
    ),
    (
        "2,000 elements",
        |s| on_cron(s, &many_elements()),
        "trigger.cron.expression",
        "256",
    ),
    (
        "three fields",
        |s| on_cron(s, "1 2 3"),
        "trigger.cron.expression",
        "field",
    ),
    (
        "minute 61",
        |s| on_cron(s, "61 * * * *"),
        "trigger.cron.expression",
        "59",
    ),
    (
        "an unknown zone",
        |s| on_zone(s, "Europe/Berln"),
        "trigger.cron.time_zone",
        "Europe/Berlin",
    ),
    (
        "period 0",
        |s| s.trigger = every(0),
        "trigger.fixed_rate.period_ms",
        "10",
    ),
    (
        "period 9 ms",
        |s| s.trigger = every(9),
        "trigger.fixed_rate.period_ms",
        "10",
    ),
    (
        "period for ever",
        |s| s.trigger = every(u64::MAX),
        "trigger.fixed_rate.period_ms",
        "",
    ),
    (
        "delay 0",
        |s| s.trigger = delay(0),
        "trigger.fixed_delay.delay_ms",
        "",
    ),
    (
        "beyond 2527",
        |s| s.trigger = once(1 << 45),
        "trigger.once.at_ms",
        "",
    ),
    ("no such upstream", on_nobody, "trigger.after", ""),
];

/// Bounds and policies that cannot be.
pub(crate) const POLICIES: &[Case<JobSpec>] = &[
    (
        "a body over 256 KiB",
        |s| s.body = Bytes::from(vec![0; 262_145]),
        "body",
        "262144",
    ),
    ("max_runs 0", |s| s.max_runs = Some(0), "max_runs", ""),
    ("a span that is over", |s| s.end_at = in_ms(-1_000), "", ""),
    (
        "an end before its start",
        |s| (s.start_at, s.end_at) = (in_ms(9_000), in_ms(5_000)),
        "",
        "",
    ),
    (
        "parallel(0)",
        |s| s.overlap = Overlap::Parallel(0),
        "overlap",
        "",
    ),
    (
        "queue(100001)",
        |s| s.overlap = Overlap::Queue(100_001),
        "overlap",
        "",
    ),
    (
        "fire_all(1001)",
        |s| s.misfire = fire_all(1_001),
        "misfire.limit",
        "1000",
    ),
    (
        "no attempt",
        |s| s.options.retry.max_attempts = 0,
        "options.retry.max_attempts",
        "",
    ),
    (
        "a lease of 10 ms",
        |s| s.options.lease_ms = 10,
        "options.lease_ms",
        "1000",
    ),
    (
        "a timeout of 0",
        |s| s.options.timeout_ms = Some(0),
        "options.timeout_ms",
        "",
    ),
    ("a ledger of 0", |s| s.ledger_limit = 0, "ledger_limit", ""),
    (
        "a ledger too long",
        |s| s.ledger_limit = 100_001,
        "ledger_limit",
        "100000",
    ),
];

fn priority(level: u32) -> Option<v1::ContextOptions> {
    Some(v1::ContextOptions {
        priority: Some(level),
        ..v1::ContextOptions::default()
    })
}

fn unknown_policy() -> Option<v1::Overlap> {
    Some(v1::Overlap {
        policy: 77,
        limit: 0,
    })
}

/// What only the wire can say.
pub(crate) const ON_THE_WIRE: &[Case<v1::JobSpec>] = &[
    (
        "a name with a space",
        |s| s.name = "a b".to_owned(),
        "name",
        "",
    ),
    ("no name", |s| s.name = String::new(), "name", ""),
    (
        "a name of 129 characters",
        |s| s.name = "x".repeat(129),
        "name",
        "128",
    ),
    (
        "a name with a brace",
        |s| s.name = "a{b}".to_owned(),
        "name",
        "",
    ),
    (
        "a name with a line break",
        |s| s.name = "a\nb".to_owned(),
        "name",
        "",
    ),
    (
        "a handler with a space",
        |s| s.handler = "a b".to_owned(),
        "handler",
        "",
    ),
    ("no handler", |s| s.handler = String::new(), "handler", ""),
    (
        "a handler of 129 characters",
        |s| s.handler = "x".repeat(129),
        "handler",
        "128",
    ),
    (
        "a handler with a comma",
        |s| s.handler = "a,b".to_owned(),
        "handler",
        "",
    ),
    (
        "a group with a space",
        |s| s.group = "a b".to_owned(),
        "group",
        "",
    ),
    (
        "a group of 129 characters",
        |s| s.group = "x".repeat(129),
        "group",
        "128",
    ),
    (
        "priority 5",
        |s| s.options = priority(5),
        "options.priority",
        "4",
    ),
    ("no trigger", |s| s.trigger = None, "trigger", ""),
    (
        "an unknown policy",
        |s| s.overlap = unknown_policy(),
        "overlap.policy",
        "",
    ),
];
