//! docs/keyspace.md is true: its lines run, every key is in it, and nothing in Redis is without it.

mod access;
mod history;
mod kinds;
mod mapped;
mod placement;
mod turns;
mod writers;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use self::turns::{ID, WORKER, settlement, turn_all};
use crate::harness::{Harness, Server, job, ms, name, note, or_skip};
use bytes::Bytes;
use tickwheel_core::id::{DedupKey, GroupName, HandlerName, Namespace, TrackerId, WorkerId};
use tickwheel_core::job::{AfterOn, ContextOptions, JobSpec, Overlap, Priority, Trigger};
use tickwheel_core::partition::partition_of;
use tickwheel_store::Store;
use tickwheel_store::context::{AttemptLog, Progress};
use tickwheel_store::job::Plan;
use tickwheel_store::lease::Outcome;
use tickwheel_store::record::Rest;
use tickwheel_store::roster::{LiveTracker, WorkerHeartbeat, WorkerReport};
use tickwheel_store::wheel::{Claim, Fire, Fired, NewContext, When};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn page() -> String {
    fs::read_to_string(root().join("docs/keyspace.md")).unwrap()
}

/// A row of one of the tables of keys.
struct Row {
    pattern: String,
    function: String,
    kind: String,
    writers: Vec<String>,
}

fn rows() -> Vec<Row> {
    let page = page();
    let rows = page.lines().filter(|line| line.starts_with("| `{tw"));
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        Row {
            pattern: cells[0].trim_matches('`').to_owned(),
            function: cells[1].trim_matches('`').to_owned(),
            kind: cells[2].to_owned(),
            writers: cells[4]
                .split(' ')
                .filter(|word| word.contains('/'))
                .map(str::to_owned)
                .collect(),
        }
    })
    .collect()
}

/// True when `key` follows `pattern`: `{tw:p}` is any partition, `<name>` is any name.
fn follows(key: &str, pattern: &str) -> bool {
    // What stands in square brackets may be absent.
    if let Some((head, behind)) = pattern.split_once('[') {
        let (optional, tail) = behind.split_once(']').unwrap_or((behind, ""));
        let (without, whole) = (format!("{head}{tail}"), format!("{head}{optional}{tail}"));
        return follows(key, &without) || follows(key, &whole);
    }
    let Some((tag, rest)) = key.split_once("}:") else {
        return false;
    };
    let Some((pattern_tag, pattern_rest)) = pattern.split_once("}:") else {
        return false;
    };
    let partitioned = |tag: &str| {
        tag.strip_prefix("{tw:")
            .is_some_and(|p| p.parse::<u16>().is_ok())
    };
    let tags = if pattern_tag == "{tw:p" {
        partitioned(tag)
    } else {
        tag == pattern_tag
    };
    let (mut key_parts, mut pattern_parts) = (rest.split(':'), pattern_rest.split(':'));
    tags && loop {
        match (key_parts.next(), pattern_parts.next()) {
            (None, None) => break true,
            (Some(part), Some(pattern))
                if part == pattern
                    || (pattern.starts_with('<') && !part.is_empty())
                    || (pattern.starts_with("c=<") && part.starts_with("c=")) => {}
            _ => break false,
        }
    }
}

/// A cluster as the page shows it: prefix `tw`, sixteen partitions, a server of its own.
async fn cluster() -> Option<(Harness, Server)> {
    let server = or_skip(Server::start(&[]))?;
    Some((
        Harness::open(&server.url(), server.port, "tw", 16).await,
        server,
    ))
}

/// An attempt of the example that ended without success.
async fn seed_an_attempt(test: &Harness) {
    let list = test.key(crate::harness::partition(6), &format!("attempts:{ID}"));
    let past = format!("1 {WORKER} 7 8 failed no");
    test.command(&["RPUSH", &list, &past]).await;
    let index = test.key(crate::harness::partition(6), "attempted");
    test.command(&["ZADD", &index, "8", ID]).await;
}

/// One of each key, with the names of the page.
async fn seed_the_examples(test: &Harness) {
    let spec = job(
        "billing/nightly",
        Trigger::Cron {
            expression: "@daily".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
        },
    );
    let dues = vec![ms(5_000_000_000_000), ms(5_000_086_400_000)];
    let plan = Plan { dues, end: false };
    drop(test.store.apply_job(&spec, &plan).await.unwrap());
    let rest = "default invoice 2 - {}";
    let ready = (2 * (1_u64 << 44) + 3).to_string();
    let (held, retry, dead) = (
        format!("1:0 {WORKER} 1 2 0 - {rest}"),
        format!("6.4.a-1 1:1 {rest}"),
        format!("6.5.a-1\tfailed\t3\t{WORKER}\t8\t9\tno\tdefault\tinvoice\t3\n3 {rest}"),
    );
    let (ready_member, queued) = (
        format!("6.3.a-1 0:0 {rest}"),
        format!("6.6.f@billing/nightly 0:0 {rest}"),
    );
    let settled = "6.7.f@billing/nightly\tsucceeded\t1\tmill-1a2b3c4d\t7\t8\t\tdefault\tinvoice\t0";
    let (progress, result) = (format!("progress:{ID}"), format!("result:{ID}"));
    let seeds: [&[&str]; 23] = [
        &["ZADD", "wheel", "5000000000001", &retry],
        &["HSET", "retry", "6.4.a-1", "5000000000001"],
        &["HSET", "held", ID, &held],
        &["ZADD", "ready:default:invoice", &ready, &ready_member],
        &["ZADD", "backlog", "0", "default invoice"],
        &["HSET", "active:billing/nightly", ID, "s"],
        &["ZADD", "queue:billing/nightly", "6", &queued],
        &["SET", "awaited:billing/nightly", "billing/report:succeeded"],
        &["RPUSH", "ledger:billing/nightly", "1767225600000 F +2"],
        &["RPUSH", "runs:billing/nightly", settled],
        &["XADD", "events", "*", "s", settled],
        &["ZADD", "dead", "9", &dead],
        &["SET", "dedup:order-42", "6.3.a-1"],
        &["SET", &progress, "40 half"],
        &["SET", &result, "done"],
        &["HSET", "stats", "stale", "1"],
        &["HSET", "used_placements", "0123456789", "1"],
        &[
            "RPUSH",
            "quarantine",
            "9 wheel 7\nunreadable\n6.7.a-1 nonsense",
        ],
        &["RPUSH", "asides", "72 aside:retry:1767225600000"],
        &["ZADD", "wheel", "2", "!reap"],
        &["ZADD", "wheel", "2", "!limits"],
        &[
            "ZADD",
            "wheel",
            "2",
            "&billing/report 6.7.f@billing/nightly succeeded",
        ],
        &["ZADD", "wheel", "2", "#6.3.a-1 default invoice 2"],
    ];
    for words in seeds {
        let key = format!("{{tw:6}}:{}", words[1]);
        let words: Vec<&str> = [&words[..1], &[key.as_str()], &words[2..]].concat();
        test.command(&words).await;
    }
    access::seed(test).await;
    history::seed(test).await;
    placement::seed(test).await;
    mapped::seed(test).await;
    heartbeat(test).await;
}

async fn heartbeat(test: &Harness) {
    test.store.next_incarnation().await.unwrap();
    drop(test.store.guard().await.unwrap());
    let tracker = LiveTracker {
        id: TrackerId::new("trk-1").unwrap(),
        url: "http://127.0.0.1:7700".to_owned(),
    };
    let worker = WorkerHeartbeat {
        worker: WorkerId::new(WORKER).unwrap(),
        group: GroupName::new("default").unwrap(),
        report: Some(WorkerReport {
            handlers: ["invoice".to_owned(), "work".to_owned()].into(),
            permits: 4,
            ..WorkerReport::default()
        }),
    };
    let written = test
        .store
        .heartbeat(Some(&tracker), Duration::from_secs(60), &[worker])
        .await;
    assert!(written.is_ok(), "{written:?}");
}

#[tokio::test]
async fn every_line_of_the_page_runs_and_shows_something() {
    let Some((test, _server)) = cluster().await else {
        return;
    };
    assert_eq!(
        partition_of("billing/nightly", test.store.partitions()).as_u16(),
        6
    );
    seed_the_examples(&test).await;
    seed_an_attempt(&test).await;
    let page = page();
    let blocks = page
        .split("```sh\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap());
    let lines: Vec<&str> = blocks.flat_map(str::lines).collect();
    assert!(lines.len() > 30);
    for line in lines {
        let output = Command::new("sh")
            .args(["-c", line])
            .env("PORT", test.port.to_string())
            .current_dir(root())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let failed = ["ERR ", "WRONGTYPE", "USAGE", "NOSCRIPT"]
            .iter()
            .any(|word| text.starts_with(word));
        assert!(
            output.status.success() && !failed && !text.trim().is_empty(),
            "{line}\n{text}"
        );
    }
}

#[tokio::test]
async fn the_examples_have_every_key_of_the_page_with_its_type() {
    let Some((test, _server)) = cluster().await else {
        return;
    };
    seed_the_examples(&test).await;
    seed_an_attempt(&test).await;
    let keys = test.keys().await;
    for row in rows() {
        let key = keys.iter().find(|key| follows(key, &row.pattern));
        let key = key.unwrap_or_else(|| panic!("no example of {}", row.pattern));
        assert_eq!(test.text(&["TYPE", key]).await, row.kind, "{key}");
    }
    for key in keys {
        assert!(
            rows().iter().any(|row| follows(&key, &row.pattern)),
            "docs/keyspace.md does not know {key}"
        );
    }
}

fn spec(name: &str, trigger: Trigger, overlap: Overlap) -> JobSpec {
    let mut spec = job(name, trigger);
    spec.overlap = overlap;
    spec.options.start_deadline_ms = Some(60_000);
    spec
}

/// A job with a follower, contexts submitted alone, and firings by hand.
async fn intake(store: &Store) {
    let now = store.time().await.unwrap();
    let due = Plan {
        dues: vec![now],
        end: false,
    };
    let upstream = spec(
        "a/up",
        Trigger::FixedDelay { delay_ms: 1_000 },
        Overlap::Queue(5),
    );
    let follower = spec("a/down", Trigger::Manual, Overlap::Parallel(4));
    let zoned = Trigger::Cron {
        expression: "@daily".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
    };
    let zoned = spec("a/zoned", zoned, Overlap::Parallel(4));
    drop(store.apply_job(&zoned, &Plan::default()).await.unwrap());
    drop(store.apply_job(&upstream, &due).await.unwrap());
    drop(store.apply_job(&follower, &Plan::default()).await.unwrap());
    store
        .add_follower(&name("a/up"), &name("a/down"), AfterOn::Ended)
        .await
        .unwrap();
    let (group, handler) = (
        GroupName::new("default").unwrap(),
        HandlerName::new("work").unwrap(),
    );
    let rest = Rest::encode(
        &group,
        &handler,
        Priority::NORMAL,
        &ContextOptions::default(),
        b"body",
    );
    let dedup = DedupKey::new("order-42").unwrap();
    let context = |number: u64| NewContext {
        when: When::Delay(Duration::from_secs(number / 2 * 100)),
        rest: rest.clone(),
        namespace: Namespace::default(),
        uniq: format!("1-{number}"),
        dedup: (number == 0).then(|| (dedup.clone(), Duration::from_secs(60))),
        partition: partition_of("order-42", store.partitions()),
        placement: None,
    };
    store
        .submit(&[context(0), context(1), context(2)])
        .await
        .unwrap();
}

/// Lets the attempts say something and end: the first well, the second for good, the others for another attempt.
async fn note_and_settle(store: &Store, claims: &[Claim]) {
    for (index, claim) in claims.iter().enumerate() {
        let (id, held) = (&claim.member.id, claim.holding());
        let progress = Progress {
            percent: 1,
            message: String::new(),
        };
        let _ = store
            .append_log(&held, &note(&["line"], Some(progress)))
            .await
            .unwrap();
        let mut later = held;
        later.attempt.attempt = later.attempt.attempt.next();
        let _ = store
            .append_log(&later, &AttemptLog::default())
            .await
            .unwrap();
        let outcome = match index {
            0 => Outcome::Succeeded(Bytes::from_static(b"done")),
            1 => Outcome::Fatal("boom".to_owned()),
            _ => Outcome::Failed("again".to_owned()),
        };
        let settled = store
            .settle(id.partition(), &[settlement(claim, outcome)])
            .await
            .unwrap();
        assert_eq!(settled.len(), 1);
    }
}

#[tokio::test]
async fn whatever_the_scripts_write_is_on_the_page() {
    let Some((test, _server)) = cluster().await else {
        return;
    };
    let store = &test.store;
    heartbeat(&test).await;
    store.next_incarnation().await.unwrap();
    drop(store.guard().await.unwrap());
    intake(store).await;
    let mut claims = turn_all(&test).await;
    claims.sort_by_key(|claim| claim.member.id.job().is_none());
    assert_eq!(claims.len(), 3);
    claims.push(placement::in_a_placement(store).await);
    placement::with_a_key(store).await;
    for (job, uniq) in [("a/up", "1-9"), ("a/down", "1-8")] {
        let fire = Fire {
            uniq: uniq.to_owned(),
            due: None,
            body: None,
            dedup: None,
        };
        let fired = store.fire_job(&name(job), fire).await.unwrap();
        assert!(
            matches!(fired, Fired::Started(_) | Fired::Queued(_)),
            "{fired:?}"
        );
    }
    mapped::map(&test, &claims[2]).await;
    note_and_settle(store, &claims).await;
    let keys = test.keys().await;
    let missing = |row: &Row| !keys.iter().any(|key| follows(key, &row.pattern));
    let unwritten: Vec<String> = rows()
        .into_iter()
        .filter(missing)
        .map(|row| row.pattern)
        .collect();
    assert_eq!(
        unwritten,
        [
            "{tw:p}:held",
            "{tw:p}:limit:<group>[:k=<key>]",
            "{tw:p}:limit_shares",
            "{tw:p}:limit_released",
            "{tw:p}:limit_waiting",
            "{tw:p}:limit_contended",
            "{tw:p}:awaited:<job>",
            "{tw:p}:queue:<job>",
            "{tw:p}:subtraced:<root>",
            "{tw:p}:untraced",
            "{tw:p}:quarantine",
            "{tw:p}:asides",
            "{tw}:limits",
            "{tw}:pauses",
            "{tw}:tokens",
            "{tw}:tokens_used",
            "{tw}:sessions",
            "{tw}:audit",
            "{tw}:drained",
        ],
        "what this walk leaves empty"
    );
    for key in keys {
        let known = rows().iter().any(|row| follows(&key, &row.pattern));
        assert!(known, "docs/keyspace.md does not know {key}");
    }
}
