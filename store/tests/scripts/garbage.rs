//! Garbage in every kind of key: each list shows the rest and says how much it could not read, the partition's turns go on, and no other
//! partition notices.

#[expect(unreachable_pub, reason = "the fault rig uses it as well")]
#[path = "../../../tests/src/garbage.rs"]
pub(crate) mod table;

mod lists;

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use tickwheel_core::id::{ContextId, GroupName, JobName, Namespace};
use tickwheel_core::partition::PartitionId;
use tickwheel_store::Error;
use tickwheel_store::check::{Finding, Kind, Subject};
use tickwheel_store::lease::{AttemptRef, Outcome, Settlement, Verdict};
use tickwheel_store::limit::LimitInput;
use tickwheel_store::roster::{LiveTracker, WorkerHeartbeat, WorkerReport};
use tickwheel_store::wheel::{NewContext, Offer, Told, TurnLimits, Turned, When};

use crate::call::Part;
use crate::damage::good::{FAST, Good, good};
use crate::harness::{Harness, alone_many, partition};
pub(crate) use lists::{lists_of_contexts, other_lists};
use table::{Garbage, Names};

const LIMITS: TurnLimits = TurnLimits {
    dispatch_lease: Duration::from_secs(3_000),
    entries: 1_000,
};

pub(crate) fn names(good: &Good) -> Names {
    Names {
        partition: 0,
        group: "default".to_owned(),
        handler: "work".to_owned(),
        job: "a/queue".to_owned(),
        root: good.running.clone(),
        worker: "w-1".to_owned(),
    }
}

fn offer(handlers: &str) -> Offer {
    Offer {
        worker: "w-1".parse().unwrap(),
        group: "default".parse().unwrap(),
        permits: 1_000,
        soon: false,
        units: tickwheel_core::routing::Units::default(),
        handlers: handlers.into(),
    }
}

/// A new context in `p`.
fn context(p: PartitionId, uniq: String, delay: u64) -> NewContext {
    NewContext {
        when: When::Delay(Duration::from_millis(delay)),
        rest: Bytes::from_static(b"default good 2 - body"),
        namespace: Namespace::default(),
        uniq,
        dedup: None,
        partition: p,
        placement: None,
    }
}

/// Turns until nothing more is due.
pub(crate) async fn turns(
    test: &Harness,
    p: PartitionId,
    with_limits: bool,
) -> Result<Vec<Turned>, Error> {
    let told = LimitInput {
        groups: vec!["default cr c".to_owned()],
        ..LimitInput::default()
    };
    let told = Told {
        placements: &[],
        random: 1,
        limits: with_limits.then_some(&told),
        served: &[],
    };
    let mut all = Vec::new();
    for _ in 0..20 {
        let handlers = if with_limits { "nothing" } else { "good,work" };
        let turned = test
            .store
            .turn_told(p, &[offer(handlers)], told, LIMITS)
            .await?;
        let more = turned.more;
        all.push(turned);
        if !more {
            return Ok(all);
        }
    }
    panic!("the turns of partition {p} do not end");
}

/// Work goes on in `p`: what is submitted is claimed and settled, and leases are looked at.
async fn goes_on(test: &Harness, p: PartitionId, uniq: &str) {
    turns(test, p, true).await.unwrap();
    let submitted = [
        context(p, format!("{uniq}-1"), 0),
        context(p, format!("{uniq}-2"), 1),
    ];
    let ids = test.store.submit(&submitted).await.unwrap();
    let ids: BTreeSet<ContextId> = ids.into_iter().map(|one| one.id).collect();
    tokio::time::sleep(Duration::from_millis(3)).await;
    let turned = turns(test, p, false).await.unwrap();
    let claims: Vec<_> = turned
        .into_iter()
        .flat_map(|turned| turned.claims)
        .collect();
    let mine: Vec<Settlement> = claims
        .iter()
        .filter(|claim| ids.contains(&claim.member.id))
        .map(|claim| Settlement {
            attempt: AttemptRef {
                context: claim.member.id.clone(),
                attempt: claim.member.attempt,
            },
            worker: claim.worker.clone(),
            outcome: Outcome::Fatal("no".to_owned()),
            random: 0,
        })
        .collect();
    assert_eq!(mine.len(), 2, "{uniq}: both are claimed in {p}");
    let settled = test.store.settle(p, &mine).await.unwrap();
    assert_eq!(settled, [Verdict::Settled, Verdict::Settled], "{uniq}");
    test.store.look(p).await.unwrap();
    let page = ["", "0", "1000", "", "0", "100", "0"];
    test.eval("lease/reap", p, &page).await.unwrap();
}

async fn heartbeat(test: &Harness) -> Vec<String> {
    let group: GroupName = "default".parse().unwrap();
    let sign = |worker: &str, group: GroupName| WorkerHeartbeat {
        worker: worker.parse().unwrap(),
        group,
        report: Some(WorkerReport {
            host: "h".to_owned(),
            ..WorkerReport::default()
        }),
    };
    let tracker = LiveTracker {
        id: "trk-1".parse().unwrap(),
        url: "http://127.0.0.1:1".to_owned(),
    };
    let workers = [sign("w-1", group), sign("w-2", "other".parse().unwrap())];
    let ttl = Duration::from_secs(60);
    let written = test
        .store
        .heartbeat(Some(&tracker), ttl, &workers)
        .await
        .unwrap();
    assert!(written.live.contains(&tracker), "{written:?}");
    written.damaged
}

/// A good partition with a split context, and one beside it.
pub(crate) async fn prepared() -> Option<(Harness, crate::harness::Server, Good)> {
    let (test, server) = alone_many(2).await?;
    let good = good(&test).await;
    let root = good.running.as_str();
    test.seed(
        partition(0),
        &[
            &format!("HSET | fans | {root} | map"),
            &format!(
                "HSET | fan:{root} | model | map | state | open | round | 1 | created_ms | 5 | total | 50 | group | default | handlers | work"
            ),
            &format!("HSET | fan:{root} | t:work | default work 2 - "),
            &format!("RPUSH | parts:work:{root} | 0 0:0 item"),
            &format!("ZADD | backlog | 0 | default work /{root}"),
        ],
    )
    .await;
    heartbeat(&test).await;
    Some((test, server, good))
}

/// Left by a repair: foreign keys, a job that cannot be read and its place, and a job that more wait for and run of than may.
fn of_a_person(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::BadJob | Kind::WrongPartition | Kind::TooManyActive | Kind::TooMany
    )
}

/// A finding of a key that nobody makes.
fn names_key(finding: &Finding, key: &str) -> bool {
    finding.kind == Kind::UnknownKey && finding.subject == Subject::Key(key.to_owned())
}

pub(crate) async fn put(test: &Harness, garbage: &[Garbage]) {
    let mut refused = 0;
    for one in garbage {
        refused += usize::from(!test.raw(&one.words).await);
    }
    assert!(refused * 2 < garbage.len(), "{refused} were refused");
}

#[tokio::test]
async fn garbage_in_every_kind_of_key_fails_no_list_and_no_turn() {
    let Some((test, _server, good)) = prepared().await else {
        return;
    };
    let names = names(&good);
    let job: JobName = names.job.parse().unwrap();
    let tag = test.key(partition(0), "");
    let garbage = table::of_partition(&tag, &names);
    let mut keys: Vec<&str> = garbage.iter().map(|one| one.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut told = Vec::new();
    for (n, key) in keys.iter().enumerate() {
        println!("garbage in {key}");
        let of_key: Vec<Garbage> = garbage
            .iter()
            .filter(|one| one.key == *key)
            .cloned()
            .collect();
        put(&test, &of_key).await;
        let unreadable = lists_of_contexts(&test, &job).await + other_lists(&test, &good).await;
        told.push((*key, unreadable));
        goes_on(&test, partition(0), &format!("p-{n}")).await;
        goes_on(&test, partition(1), &format!("q-{n}")).await;
    }
    // What a list shows, it counts where it cannot be read.
    for key in [
        "wheel",
        "dead",
        "held",
        "retry",
        "events",
        "jobs",
        "fans",
        "queue:a/queue",
        "active:a/queue",
        "ledger:a/queue",
        "runs:a/queue",
    ] {
        let of_key = told.iter().filter(|(one, _)| *one == key);
        let unreadable: u64 = of_key.map(|(_, unreadable)| unreadable).sum();
        assert!(unreadable > 0, "garbage in {key} is not counted: {told:?}");
    }
    test.store.check(FAST).await.unwrap();
    let repairs = test.store.repair(FAST).await.unwrap();
    // What a script could repair is repaired; what is left is a person's, or ends by itself.
    let left: Vec<String> = repairs
        .after
        .findings
        .iter()
        .filter(|one| !of_a_person(one.kind))
        // Keys that nobody makes are those of the table, and no turn has made another.
        .filter(|one| !keys.iter().any(|key| names_key(one, key)))
        .map(ToString::to_string)
        .collect();
    assert_eq!(left, Vec::<String>::new());
    goes_on(&test, partition(0), "last").await;
}

#[tokio::test]
async fn garbage_in_the_keys_of_the_cluster_stops_no_tracker_and_no_list() {
    let Some((test, _server, good)) = prepared().await else {
        return;
    };
    let tag = format!("{{{}}}:", test.prefix);
    put(&test, &table::of_cluster(&tag, &names(&good))).await;
    assert_eq!(heartbeat(&test).await, Vec::<String>::new());
    assert!(other_lists(&test, &good).await > 0);
    let listed = test.store.read_workers(None).await.unwrap();
    let workers: BTreeSet<&str> = listed.items.iter().map(|one| one.id.as_str()).collect();
    let workers: Vec<&str> = workers.into_iter().collect();
    assert_eq!(workers, ["w-1", "w-2"]);
    let all = test.store.list_workers(None).await;
    assert!(matches!(all, Err(Error::Damaged { .. })), "{all:?}");
}

#[tokio::test]
async fn keys_of_a_wrong_type_stop_no_tracker() {
    let Some((test, _server, good)) = prepared().await else {
        return;
    };
    let tag = format!("{{{}}}:", test.prefix);
    let wrong = table::wrong_types_of_cluster(&tag, &names(&good));
    for one in &wrong {
        let key = format!("{tag}{}", one.key);
        test.command(&["DEL", &key]).await;
        put(&test, std::slice::from_ref(one)).await;
        other_lists(&test, &good).await;
        // Whoever shows a token, pauses a group or drains a worker is told of those.
        let is_told = [
            "pauses",
            "tokens",
            "tokens_used",
            "sessions",
            "audit",
            "drained",
        ]
        .contains(&one.key.as_str());
        let said: Vec<String> = (!is_told).then(|| key.clone()).into_iter().collect();
        assert_eq!(heartbeat(&test).await, said, "the heartbeat says so");
        other_lists(&test, &good).await;
        if is_told || one.key == "limits" {
            assert_eq!(test.text(&["GET", &key]).await, "x", "it needs a person");
            test.command(&["DEL", &key]).await;
        }
        assert_eq!(heartbeat(&test).await, Vec::<String>::new(), "{key}");
        let workers = test.store.list_workers(None).await.unwrap();
        assert_eq!(workers.len(), 2, "{key}");
        let groups = test.texts(&["HKEYS", &format!("{tag}groups")]).await;
        let groups: BTreeSet<&str> = groups.iter().map(String::as_str).collect();
        assert_eq!(groups, BTreeSet::from(["default", "other"]), "{key}");
    }
}

#[tokio::test]
async fn keys_of_a_wrong_type_fail_no_list_and_no_other_partition() {
    let Some((test, _server, good)) = prepared().await else {
        return;
    };
    let names = names(&good);
    let job: JobName = names.job.parse().unwrap();
    let tag = test.key(partition(0), "");
    for (n, one) in table::wrong_types_of_partition(&tag, &names)
        .iter()
        .enumerate()
    {
        println!("a wrong type: {}", one.key);
        let key = format!("{tag}{}", one.key);
        let there = test.texts(&["EXISTS", &key]).await == ["1"];
        if there {
            test.command(&["RENAME", &key, &format!("{tag}kept")]).await;
        }
        put(&test, std::slice::from_ref(one)).await;
        lists_of_contexts(&test, &job).await;
        goes_on(&test, partition(1), &format!("q-{n}")).await;
        test.command(&["DEL", &key]).await;
        if there {
            test.command(&["RENAME", &format!("{tag}kept"), &key]).await;
        }
        other_lists(&test, &good).await;
    }
}

#[tokio::test]
async fn a_key_of_a_wrong_type_is_moved_by_a_repair_and_the_partition_goes_on() {
    let Some((test, _server, good)) = prepared().await else {
        return;
    };
    let tag = test.key(partition(0), "");
    for (n, one) in table::wrong_types_of_partition(&tag, &names(&good))
        .iter()
        .enumerate()
    {
        println!("a wrong type: {}", one.key);
        test.command(&["DEL", &format!("{tag}{}", one.key)]).await;
        put(&test, std::slice::from_ref(one)).await;
        let repairs = test.store.repair(FAST).await.unwrap();
        let left: Vec<&Finding> = (repairs.after.findings.iter())
            .filter(|one| !of_a_person(one.kind))
            .collect();
        assert!(left.is_empty(), "{}: {left:#?}", one.key);
        // By what trackers do when a turn fails.
        test.command(&["DEL", &format!("{tag}{}", one.key)]).await;
        put(&test, std::slice::from_ref(one)).await;
        assert_eq!(test.store.make_room(partition(0)).await.unwrap(), 1);
        goes_on(&test, partition(0), &format!("m-{n}")).await;
        let moved = format!("{tag}aside:{}:*", one.key);
        assert_eq!(test.texts(&["KEYS", &moved]).await.len(), 2, "{}", one.key);
        goes_on(&test, partition(0), &format!("p-{n}")).await;
    }
}

#[tokio::test]
async fn a_retry_that_is_asked_for_too_late_ends_the_context() {
    let Some(test) = crate::harness::fresh().await else {
        return;
    };
    let part = Part::new(&test);
    let now = crate::call::T;
    for (n, after) in [
        "316224000000",
        "316224000001",
        "18446744073709551615",
        "99999999999999999999999999",
    ]
    .iter()
    .enumerate()
    {
        let (bad, good) = (format!("3.{now}.a-{n}"), format!("3.{now}.b-{n}"));
        part.hold(&bad, "1:0", "-").await;
        part.hold(&good, "1:0", "-").await;
        let payload = format!("0 {after} later");
        let verdicts = part
            .settle(
                now,
                &[
                    [&bad, "1", "retry_after", &payload],
                    [&good, "1", "succeeded", ""],
                ],
            )
            .await;
        assert_eq!(verdicts, if n == 0 { "RS" } else { "SS" }, "{after}");
    }
    let state = part.state().await;
    assert_eq!(
        state
            .zset("wheel")
            .iter()
            .filter(|(entry, _)| entry.contains(".a-"))
            .count(),
        1
    );
    let dead = state.zset("dead");
    assert_eq!(dead.len(), 3);
    assert!(
        dead[1].0.contains("asked for its next attempt in")
            && dead[1]
                .0
                .contains("at most 316224000000 are allowed: later"),
        "{dead:?}"
    );
}
