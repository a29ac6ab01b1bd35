//! Any job that is written is read as the same job.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::schema::Schema;
use crate::bounds::SPAN_MS_MAX;
use crate::fairness::Fairness;
use crate::id::{GroupName, HandlerName, JobName};
use crate::job::{
    AfterOn, Backoff, ContextOptions, JobSpec, Misfire, MisfirePolicy, Overlap, Priority,
    RetryPolicy, Trigger,
};
use crate::manifest::{Defaults, Document, parse_documents, write_job};
use crate::model::{Allocation, Broadcast, Indexed, Model, ReduceOn, ShardItem, Sharding, Success};
use crate::routing::{Routing, RoutingPolicy, Selection, Units};
use crate::time::TimestampMs;

fn spans(least: u64) -> impl Strategy<Value = u64> {
    prop_oneof![
        least..5_000,
        (1_u64..10_000).prop_map(|s| s * 1_000),
        least..=SPAN_MS_MAX
    ]
}

fn instants() -> impl Strategy<Value = TimestampMs> {
    (0_u64..1 << 44).prop_map(TimestampMs::new)
}

fn triggers() -> impl Strategy<Value = Trigger> {
    let expressions = select(vec!["30 2 * * *", "@daily", "*/15 * * * * ?", "0 0 1 1 *"]);
    let zones = select(vec!["UTC", "Europe/Berlin", "Asia/Shanghai"]);
    prop_oneof![
        (expressions, zones).prop_map(|(expression, zone)| Trigger::Cron {
            expression: expression.to_owned(),
            time_zone: zone.to_owned(),
        }),
        (spans(10), option::of(instants())).prop_map(|(period_ms, anchor_ms)| Trigger::FixedRate {
            period_ms,
            anchor_ms
        }),
        spans(1).prop_map(|delay_ms| Trigger::FixedDelay { delay_ms }),
        instants().prop_map(|at_ms| Trigger::Once { at_ms }),
        Just(Trigger::Manual),
        select(AfterOn::ALL.to_vec()).prop_map(|on| Trigger::After {
            job: JobName::new("up/stream").unwrap(),
            on,
        }),
    ]
}

fn misfires() -> impl Strategy<Value = Misfire> {
    let policies = select(MisfirePolicy::ALL.to_vec());
    (policies, 1_u32..=1_000, spans(0), option::of(spans(0))).prop_map(
        |(policy, limit, tolerance_ms, catch_up_window_ms)| Misfire {
            policy,
            limit,
            tolerance_ms,
            catch_up_window_ms,
        },
    )
}

fn overlaps() -> impl Strategy<Value = Overlap> {
    prop_oneof![
        (1_u32..=1_000).prop_map(Overlap::Parallel),
        (1_u32..=100_000).prop_map(Overlap::Queue),
        Just(Overlap::QueueOne),
        Just(Overlap::Discard),
        Just(Overlap::Replace),
    ]
}

fn retries() -> impl Strategy<Value = RetryPolicy> {
    let backoffs = prop_oneof![
        spans(0).prop_map(|delay_ms| Backoff::Fixed { delay_ms }),
        (spans(0), select(vec![0, 1, 60_000])).prop_map(|(delay_ms, more)| {
            let cap_ms = if more == 60_000 {
                delay_ms.max(more)
            } else {
                (delay_ms + more).min(SPAN_MS_MAX)
            };
            Backoff::Exponential { delay_ms, cap_ms }
        }),
    ];
    (1_u32..=1_000, backoffs, any::<bool>()).prop_map(|(max_attempts, backoff, full_jitter)| {
        RetryPolicy {
            max_attempts,
            backoff,
            full_jitter,
        }
    })
}

fn options() -> impl Strategy<Value = ContextOptions> {
    let spans = (
        option::of(spans(1)),
        spans(0),
        option::of(spans(1)),
        1_000_u64..=3_600_000,
    );
    let usual = Just(ContextOptions::default());
    let any = (0_u8..=4, retries(), spans, any::<bool>()).prop_map(
        |(priority, retry, (timeout_ms, cancel_grace_ms, start_deadline_ms, lease_ms), fail)| {
            ContextOptions {
                priority: Priority::new(priority).unwrap(),
                retry,
                timeout_ms,
                cancel_grace_ms,
                start_deadline_ms,
                lease_ms,
                fail_on_lease_lost: fail,
            }
        },
    );
    prop_oneof![usual, any]
}

fn models() -> impl Strategy<Value = Model> {
    let item = |index, parameter| ShardItem { index, parameter };
    let items = proptest::collection::btree_map(any::<u32>(), "[ -~]{0,20}", 1..5)
        .prop_map(move |items| items.into_iter().map(|(at, text)| item(at, text)).collect());
    let success = (
        proptest::collection::btree_set(0_u64..10, 1..5),
        any::<bool>(),
    )
        .prop_map(|(indexes, counts)| Success {
            count: counts.then_some(1),
            indexes: indexes.into_iter().collect(),
        });
    prop_oneof![
        Just(Model::Standalone),
        option::of(1_u32..=1_000).prop_map(|quorum| Model::Broadcast(Broadcast { quorum })),
        (items, select(Allocation::ALL.to_vec()))
            .prop_map(|(items, allocation)| Model::Sharding(Sharding { items, allocation })),
        (
            10_u64..=10_000_000,
            1_u32..=1_000_000,
            option::of(0_u64..=10),
            option::of(success)
        )
            .prop_map(
                |(completions, parallelism, max_failed, success)| Model::Indexed(Indexed {
                    completions,
                    parallelism,
                    max_failed,
                    success,
                })
            ),
    ]
}

fn bodies() -> impl Strategy<Value = Bytes> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    let json = leaf.prop_recursive(3, 12, 4, |inner| {
        let maps = proptest::collection::btree_map("[a-z]{1,4}", inner.clone(), 0..4);
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Value::from),
            maps.prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    prop_oneof![
        Just(Bytes::new()),
        json.prop_map(|json| Bytes::from(json.to_string())),
        proptest::collection::vec(any::<u8>(), 1..20).prop_map(Bytes::from),
        "[ -~]{1,20}".prop_map(Bytes::from),
    ]
}

fn placements() -> impl Strategy<Value = (Routing, Selection, Units, Fairness)> {
    // Each name occurs once.
    let names = || {
        proptest::collection::btree_set("[a-z]{1,8}", 1..4)
            .prop_map(|names| names.into_iter().collect::<Vec<_>>())
    };
    let routing = prop_oneof![
        select(vec![
            RoutingPolicy::Any,
            RoutingPolicy::RoundRobin,
            RoutingPolicy::ConsistentHash
        ])
        .prop_map(Routing::new),
        names().prop_map(|list| Routing {
            list,
            ..Routing::new(RoutingPolicy::Failover)
        }),
    ];
    let select = option::of(Just("gpu && region == \"eu\"".parse().unwrap()));
    let deny = prop_oneof![Just(Vec::new()), names()];
    let workers = (
        select,
        option::of(names()),
        deny,
        option::of(1_u32..=10_000),
    )
        .prop_map(|(select, allow, mut deny, max)| {
            // Both ways at once is refused.
            deny.retain(|worker| !allow.iter().flatten().any(|allowed| allowed == worker));
            Selection {
                select,
                allow,
                deny,
                max,
            }
        });
    let amounts = proptest::collection::btree_map("cpu|gpu|memory|disk", 1_u64..1 << 53, 0..4);
    let fairness = option::of(("[a-z]{1,8}", 1_u32..=64)).prop_map(|own| {
        own.map_or_else(Fairness::default, |(key, weight)| Fairness {
            key: Some(key),
            weight,
        })
    });
    (routing, workers, amounts.prop_map(Units::of), fairness)
}

fn labels() -> impl Strategy<Value = BTreeMap<String, String>> {
    proptest::collection::btree_map("[a-z][a-z0-9./-]{0,9}", "[A-Za-z0-9._/@+-]{0,9}", 0..4)
}

fn specs() -> impl Strategy<Value = JobSpec> {
    let bounds = (
        option::of(instants()),
        option::of(instants()),
        option::of(1_u64..),
    );
    let kept = (
        1_u32..=100_000,
        1_u32..=10_000,
        ".{0,40}",
        labels(),
        proptest::collection::btree_set("[a-z][a-z0-9._-]{0,9}", 0..4),
        bodies(),
    );
    let split = (models(), any::<bool>(), any::<bool>(), options());
    let rules = (triggers(), misfires(), overlaps(), options(), spans(0));
    (rules, bounds, kept, split, placements()).prop_map(|(rules, bounds, kept, split, placed)| {
        let (trigger, misfire, overlap, options, jitter_ms) = rules;
        let (one, other, max_runs) = bounds;
        let (start_at, end_at) = match (one, other) {
            (Some(one), Some(other)) => (Some(one.min(other)), Some(one.max(other))),
            bounds => bounds,
        };
        let (ledger_limit, runs_limit, description, labels, namespaces, body) = kept;
        let namespaces = namespaces.iter();
        let (model, reduces, on_success, subtask) = split;
        let reduces = reduces && !model.is_standalone();
        let (routing, workers, resources, fairness) = placed;
        let name = JobName::new("billing/nightly").unwrap();
        let handler = HandlerName::new("close").unwrap();
        JobSpec {
            body,
            start_at,
            end_at,
            max_runs,
            jitter_ms,
            misfire,
            overlap,
            options,
            routing,
            workers,
            resources,
            fairness,
            model,
            reduce: reduces.then(|| HandlerName::new("sum").unwrap()),
            reduce_on: if reduces && on_success {
                ReduceOn::Succeeded
            } else {
                ReduceOn::Ended
            },
            subtask,
            ledger_limit,
            runs_limit,
            description,
            labels,
            followed_by: namespaces.map(|one| one.parse().unwrap()).collect(),
            ..JobSpec::new(name, GroupName::new("heavy").unwrap(), handler, trigger)
        }
    })
}

thread_local! {
    static SCHEMA: Schema = Schema::published();
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same_job(spec in specs(), all: bool) {
        let defaults = if all { Defaults::Written } else { Defaults::LeftOut };
        let written = write_job(&spec, defaults).into_value();
        let read = parse_documents(&written);
        prop_assert_eq!(read, Ok(vec![Document::Job(Box::new(spec))]), "{}", written);
        prop_assert_eq!(SCHEMA.with(|schema| schema.refuses(&written)), None, "{}", written);
    }
}

#[test]
fn defaults_are_left_out_and_keys_keep_their_order() {
    let name = JobName::new("x").unwrap();
    let handler = HandlerName::new("h").unwrap();
    let trigger = Trigger::FixedRate {
        period_ms: 1_000,
        anchor_ms: None,
    };
    let spec = JobSpec::new(name, GroupName::default(), handler, trigger);
    let written = serde_json::to_string(&write_job(&spec, Defaults::LeftOut)).unwrap();
    assert_eq!(
        written,
        r#"{"kind":"Job","name":"default/x","group":"default","handler":"h","trigger":{"fixed_rate":{"every":"1s"}}}"#
    );
}

#[test]
fn structured_values_are_what_is_written() {
    let name = JobName::new("x").unwrap();
    let handler = HandlerName::new("h").unwrap();
    let mut spec = JobSpec::new(name, GroupName::default(), handler, Trigger::Manual);
    spec.overlap = Overlap::Queue(3);
    spec.misfire.policy = MisfirePolicy::Skip;
    let written = write_job(&spec, Defaults::LeftOut).into_value();
    assert_eq!(
        written["overlap"],
        serde_json::json!({ "policy": "queue", "limit": 3 })
    );
    assert_eq!(written["misfire"], serde_json::json!({ "policy": "skip" }));
    assert_eq!(written["trigger"], serde_json::json!({ "manual": {} }));
}
