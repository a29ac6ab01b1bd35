//! lua/inspect: readable JSON from a plain redis-cli, without this program or its files.

mod split;
mod unread;

use std::process::Command;

use crate::harness::{Harness, fresh, job, ms, name, partition};
use serde_json::Value;
use tickwheel_core::job::{Overlap, Trigger};
use tickwheel_core::ledger::Reason;
use tickwheel_store::job::Plan;

const FAR: u64 = 5_000_000_000_000;

/// `redis-cli fcall_ro tickwheel_<script> <keys and arguments>`, its reply read as JSON.
fn inspect(test: &Harness, script: &str, words: &[&str]) -> Value {
    let output = Command::new("redis-cli")
        .args(["-c", "-p", &test.port.to_string(), "fcall_ro"])
        .arg(format!("tickwheel_{script}"))
        .args(addressed(test, script, words))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{script} {words:?}: {text}"))
}

/// What a person types where it runs: in a cluster a tag is the key, so that the node is found, and no prefix stands behind.
fn addressed(test: &Harness, script: &str, words: &[&str]) -> Vec<String> {
    let words: Vec<&str> = words.iter().copied().filter(|word| *word != ",").collect();
    let subject = words[0];
    let keys = usize::from(subject.starts_with('{'));
    if keys == 1 || !in_cluster() {
        let typed = words.iter().map(|&word| word.to_owned());
        return [keys.to_string()].into_iter().chain(typed).collect();
    }
    let prefix = &test.prefix;
    let rest = words[1..].iter().filter(|word| **word != prefix);
    let (number, named) = match script {
        "worker" => (String::new(), true),
        "wheel" | "partition" => (format!(":{subject}"), false),
        _ if subject.contains('/') && !subject.contains('@') => {
            let home = test.store.partition_of_job(&name(subject)).as_u16();
            (format!(":{home}"), true)
        }
        _ => (format!(":{}", subject.split('.').next().unwrap()), true),
    };
    let mut typed = vec!["1".to_owned(), format!("{{{prefix}{number}}}")];
    typed.extend(named.then(|| subject.to_owned()));
    typed.extend(rest.map(|&word| word.to_owned()));
    typed
}

fn in_cluster() -> bool {
    std::env::var("TICKWHEEL_REDIS_TOPOLOGY").is_ok_and(|topology| topology == "cluster")
}

async fn registered(test: &Harness, overlap: Overlap) -> u16 {
    let mut spec = job(
        "a/b",
        Trigger::FixedRate {
            period_ms: 1_000,
            anchor_ms: None,
        },
    );
    spec.body = bytes::Bytes::from_static(b"body");
    spec.overlap = overlap;
    drop(
        test.store
            .apply_job(
                &spec,
                &Plan {
                    dues: vec![ms(FAR)],
                    end: false,
                },
            )
            .await
            .unwrap(),
    );
    test.store.partition_of_job(&name("a/b")).as_u16()
}

fn explained(test: &Harness, words: &[&str]) -> String {
    let reply = inspect(test, "explain", words);
    let sentences: Vec<&str> = reply["because"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sentence| sentence.as_str().unwrap())
        .collect();
    sentences.join(" ")
}

/// One context in each place of partition 1.
const PLACES: [&str; 10] = [
    "ZADD | wheel | 11 | 1.11.a-1 0:0 default work 2 t=500 {\"x\":1}",
    "ZADD | wheel | 9000 | 1.22.a-2 2:1 default work 2 t=500 \u{1}",
    "HSET | retry | 1.22.a-2 | 9000",
    "ZADD | backlog | 0 | default work",
    "ZADD | ready:default:work | 35184372088865 | 1.33.a-3 0:0 default work 2 t=500 ",
    "ZADD | queue:a/b | 44 | 1.44.f@a/b 0:0 default work 2 t=500 ",
    "HSET | held | 1.55.a-5 | 2:1 w-1 100 2100 600 - default work 2 t=500 body",
    "HSET | held | 1.88.a-8 | 1:0 w-1 100 2100 600gk - default work 2 t=500,k=acme body",
    "RPUSH | log:1.55.a-5 | 1000 2 0 2\ni5 3:one\nw0 3:two",
    "ZADD | dead | 70 | 1.66.a-6\tfailed\t3\tw-1\t60\t70\tboom\tdefault\twork\t3\n3 default work 2 t=500 body",
];
const EVENT: &str = "XADD | events | * | s | 1.6.a-6\tsucceeded\t1\tw-1\t5\t6\t\tdefault\twork\t0\n\
    1.66.a-6\tfailed\t3\tw-1\t60\t70\tboom\tdefault\twork\t3";

#[tokio::test]
async fn a_context_is_shown_in_each_place() {
    let Some(test) = fresh().await else { return };
    test.seed(partition(1), &PLACES).await;
    test.seed(partition(1), &[EVENT]).await;
    let places = [
        ("1.11.a-1", "wheel"),
        ("1.22.a-2", "retry"),
        ("1.33.a-3", "ready"),
        ("1.44.f@a/b", "queue"),
        ("1.55.a-5", "held"),
        ("1.88.a-8", "held"),
        ("1.66.a-6", "ended"),
    ];
    for (id, place) in places {
        let shown = inspect(&test, "context", &[id, ",", &test.prefix]);
        assert_eq!(
            (shown["place"].as_str(), shown["id"].as_str()),
            (Some(place), Some(id))
        );
        assert_eq!(shown["handler"].as_str(), Some("work"), "{shown}");
        let options = shown["options"].as_str().unwrap();
        assert!(options.starts_with("t=500"), "{shown}");
    }
    let missing = inspect(&test, "context", &["1.77.a-7", ",", &test.prefix]);
    assert_eq!(missing["place"].as_str(), Some("nowhere"));
}

#[tokio::test]
async fn a_context_is_shown_with_what_belongs_to_its_place() {
    let Some(test) = fresh().await else { return };
    test.seed(partition(1), &PLACES).await;
    test.seed(partition(1), &[EVENT]).await;
    let held = inspect(
        &test,
        "context",
        &[&format!("{{{}:1}}", test.prefix), ",", "1.55.a-5"],
    );
    assert_eq!(held["worker"].as_str(), Some("w-1"));
    assert_eq!(held["lease_expires_ms"].as_u64(), Some(2_100));
    assert_eq!(held["log"][1].as_str(), Some("1000 #2 w two"));
    let ended = inspect(&test, "context", &["1.66.a-6", ",", &test.prefix]);
    assert_eq!(ended["state"].as_str(), Some("failed"));
    assert_eq!(
        (ended["message"].as_str(), ended["body"].as_str()),
        (Some("boom"), Some("body"))
    );
    let wheel = inspect(&test, "context", &["1.11.a-1", ",", &test.prefix]);
    assert_eq!(wheel["body"].as_str(), Some("{\"x\":1}"));
    let binary = inspect(&test, "context", &["1.22.a-2", ",", &test.prefix]);
    assert_eq!(
        (binary["body"].as_str(), binary["body_bytes"].as_u64()),
        (None, Some(1))
    );
}

#[tokio::test]
async fn a_job_is_shown_with_its_spec_and_history() {
    let Some(test) = fresh().await else { return };
    let p = registered(&test, Overlap::Discard).await;
    test.command(&[
        "RPUSH",
        &test.job_key("a/b", "ledger:a/b"),
        "5 F +1",
        "6 S overlap_discard",
    ])
    .await;
    let shown = inspect(&test, "job", &["a/b", ",", &test.prefix]);
    assert_eq!(
        (shown["partition"].as_u64(), shown["next"].as_str()),
        (Some(u64::from(p)), Some("5000000000000"))
    );
    assert_eq!(
        (shown["spec"]["handler"].as_str(), shown["kind"].as_str()),
        (Some("work"), Some("fixed_rate"))
    );
    assert_eq!(
        (shown["wheel_score"].as_str(), shown["ledger"][1].as_str()),
        (Some("5000000000000"), Some("6 S overlap_discard"))
    );
    let tagged = inspect(
        &test,
        "job",
        &[&format!("{{{}:{p}}}", test.prefix), ",", "a/b"],
    );
    assert_eq!(tagged, shown);
    assert_eq!(
        inspect(&test, "job", &["a/c", ",", &test.prefix])["exists"].as_bool(),
        Some(false)
    );
}

#[tokio::test]
async fn a_wheel_and_a_partition_are_shown_with_what_is_overdue() {
    let Some(test) = fresh().await else { return };
    let p = registered(&test, Overlap::Discard).await;
    let key = |name: &str| test.key(partition(p), name);
    test.command(&[
        "ZADD",
        &key("wheel"),
        "11",
        &format!("{p}.11.a-1 0:0 default work 2 - secret"),
        "12",
        "!reap",
    ])
    .await;
    test.command(&["ZADD", &key("backlog"), "0", "default work"])
        .await;
    test.command(&[
        "ZADD",
        &key("ready:default:work"),
        "35184372088865",
        &format!("{p}.33.a-3 0:0 default work 2 - "),
    ])
    .await;
    test.command(&["HSET", &key("stats"), "stale", "3"]).await;
    let wheel = inspect(&test, "wheel", &[&p.to_string(), ",", &test.prefix]);
    assert_eq!(
        (
            wheel["entries_count"].as_u64(),
            wheel["overdue_count"].as_u64()
        ),
        (Some(3), Some(2))
    );
    let kinds: Vec<_> = wheel["next"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["context", "lease_scan", "job"]);
    assert!(!wheel.to_string().contains("secret"));
    let shown = inspect(&test, "partition", &[&p.to_string(), ",", &test.prefix]);
    assert_eq!(
        (
            shown["wheel_count"].as_u64(),
            shown["jobs_count"].as_u64(),
            shown["held_count"].as_u64()
        ),
        (Some(3), Some(1), Some(0))
    );
    assert_eq!(
        (
            shown["ready"][0]["count"].as_u64(),
            shown["stats"]["stale"].as_u64()
        ),
        (Some(1), Some(3))
    );
    assert!(shown["wheel_late_ms"].as_u64().unwrap() > 1_000_000_000_000);
}

#[tokio::test]
async fn a_worker_is_shown_with_what_it_runs() {
    let Some(test) = fresh().await else { return };
    let cluster = |name: &str| format!("{{{}}}:{name}", test.prefix);
    test.command(&["HSET", &cluster("groups"), "default", "1"])
        .await;
    test.command(&["ZADD", &cluster("workers:default"), &FAR.to_string(), "w-1"])
        .await;
    test.command(&[
        "HSET",
        &cluster("worker:w-1"),
        "host",
        "mill",
        "permits",
        "4",
    ])
    .await;
    test.command(&[
        "HSET",
        &test.key(partition(2), "held"),
        "2.5.a-1",
        "2:1 w-1 100 2100 0 - default work 2 - ",
    ])
    .await;
    let shown = inspect(&test, "worker", &["w-1", ",", &test.prefix]);
    assert_eq!(
        (
            shown["alive"].as_bool(),
            shown["host"].as_str(),
            shown["group"].as_str()
        ),
        (Some(true), Some("mill"), Some("default"))
    );
    // What it runs lies in partitions, which other nodes of a cluster have.
    let expected = (!in_cluster()).then_some(("2.5.a-1", 2));
    let run = &shown["runs"][0];
    assert_eq!(run["id"].as_str().zip(run["attempt"].as_u64()), expected);
    let tagged = inspect(
        &test,
        "worker",
        &[&format!("{{{}}}", test.prefix), ",", "w-1"],
    );
    assert_eq!(tagged["alive"].as_bool(), Some(true));
    assert_eq!(
        inspect(&test, "worker", &["w-2", ",", &test.prefix])["alive"].as_bool(),
        Some(false)
    );
}

#[tokio::test]
async fn a_waiting_context_is_explained() {
    let Some(test) = fresh().await else { return };
    let p = registered(&test, Overlap::Queue(5)).await;
    let seeds = [
        "ZADD | wheel | 5000000000000 | P.5000000000000.f@a/b 0:0 default work 2 - ",
        "ZADD | wheel | 2 | P.2.f@a/b 0:0 default work 2 - ",
        "ZADD | wheel | 5000000000000 | P.3.f@a/b 2:2 default work 2 - ",
        "HSET | retry | P.3.f@a/b | 5000000000000",
        "ZADD | backlog | 0 | default work",
        "ZADD | ready:default:work | 35184372088836 | P.4.f@a/b 0:0 default work 2 - ",
        "HSET | active:a/b | P.9.f@a/b | s",
        "ZADD | queue:a/b | 5 | P.5.f@a/b 0:0 default work 2 - ",
        "HSET | held | P.6.f@a/b | 2:1 w-1 100 2100 0 REPLACED@7 default work 2 - ",
        "RPUSH | runs:a/b | P.7.f@a/b\tfailed\t3\tw-1\t1\t951868799123\tboom\tdefault\twork\t3",
    ];
    for seed in seeds {
        test.seed(partition(p), &[&seed.replace("P.", &format!("{p}."))])
            .await;
    }
    let sentences = [
        (1, "It is in no place"),
        (
            FAR,
            "It is in the wheel and due at 2128-06-11T08:53:20.000Z (in ",
        ),
        (2, "It is overdue: no tracker has turned partition P since."),
        (
            3,
            "Attempt 2 ended without success, the 2. of its failures; the next one is due at 2128-",
        ),
        (
            4,
            "waits for a permit; 0 contexts of group default and handler work go before it. ",
        ),
        (
            4,
            if in_cluster() {
                ":workers:default for the live workers of its group."
            } else {
                "No worker of group default is alive."
            },
        ),
        (
            5,
            "(overlap policy queue); 0 wait before it. Active now: P.9.f@a/b.",
        ),
        (6, "Attempt 2 runs on w-1 since 1970-01-01T00:00:00.100Z"),
        (6, "Its worker is told to stop (REPLACED)"),
        (7, "It ended as failed at 2000-02-29T23:59:59.123Z"),
        (7, "Its message: boom"),
    ];
    for (due, expected) in sentences {
        let text = explained(&test, &[&format!("{p}.{due}.f@a/b"), ",", &test.prefix]);
        let expected = expected
            .replace("P.", &format!("{p}."))
            .replace(" P ", &format!(" {p} "));
        assert!(text.contains(&expected), "{due}: {text}");
    }
}

#[tokio::test]
async fn a_wait_for_workers_names_what_is_missing() {
    let Some(test) = fresh().await else { return };
    let cluster = |name: &str| format!("{{{}}}:{name}", test.prefix);
    let key = |name: &str| test.key(partition(1), name);
    test.command(&["ZADD", &key("backlog"), "0", "default work"])
        .await;
    test.command(&[
        "ZADD",
        &key("ready:default:work"),
        "35184372088836",
        "1.4.a-1 0:0 default work 2 - ",
    ])
    .await;
    test.command(&[
        "ZADD",
        &cluster("workers:default"),
        &FAR.to_string(),
        "w-1",
        "1",
        "w-2",
    ])
    .await;
    test.command(&[
        "HSET",
        &cluster("worker:w-1"),
        "handlers",
        "other",
        "running",
        "4",
        "permits",
        "8",
    ])
    .await;
    if in_cluster() {
        let text = explained(&test, &["1.4.a-1", ",", &test.prefix]);
        assert!(
            text.contains(":workers:default for the live workers"),
            "{text}"
        );
        return; // workers lie on another node
    }
    let text = explained(&test, &["1.4.a-1", ",", &test.prefix]);
    assert!(
        text.contains(
            "1 workers of group default are alive, and none of them has the handler work."
        ),
        "{text}"
    );
    test.command(&["HSET", &cluster("worker:w-1"), "handlers", "other,work"])
        .await;
    let text = explained(&test, &["1.4.a-1", ",", &test.prefix]);
    assert!(text.contains("1 live workers of group default have the handler work: by their last reports 4 of 8 permits"), "{text}");
}

#[tokio::test]
async fn a_job_and_its_due_times_are_explained() {
    let Some(test) = fresh().await else { return };
    let p = registered(&test, Overlap::Discard).await;
    let text = explained(&test, &["a/b", ",", &test.prefix]);
    assert!(
        text.starts_with(
            "The job is active, by its revision 1. It is due next at 2128-06-11T08:53:20.000Z"
        ),
        "{text}"
    );
    let records = [
        "5000 F +3",
        "6000 S overlap_discard",
        "7000-9000x3 M misfire_collapsed",
        "9500 R 1",
    ];
    for record in records {
        test.command(&["RPUSH", &test.job_key("a/b", "ledger:a/b"), record])
            .await;
    }
    let says = |due: u64, expected: &str| {
        let text = explained(&test, &["a/b", ",", &due.to_string(), &test.prefix]);
        assert!(text.contains(expected), "{due}: {text}");
        let tagged = explained(
            &test,
            &[
                &format!("{{{}:{p}}}", test.prefix),
                ",",
                "a/b",
                &due.to_string(),
            ],
        );
        assert_eq!(tagged.split(" (").next(), text.split(" (").next());
    };
    says(5_000, "It fired, 3 ms after its due time.");
    says(
        6_000,
        "It was skipped. An earlier context was still active, and the overlap policy is discard.",
    );
    says(
        8_000,
        "It was missed. It was popped later than its tolerance, and a newer late due time",
    );
    says(9_500, "The job was created later, at ");
    says(FAR, "It is planned for ");
    says(FAR + 1, "It lies ahead and is not planned");
    test.store.pause_job(&name("a/b"), "holiday").await.unwrap();
    let text = explained(&test, &["a/b", ",", &test.prefix]);
    assert!(
        text.contains("The job is paused") && text.contains("until it is resumed: holiday"),
        "{text}"
    );
    assert!(
        explained(&test, &["a/c", ",", &test.prefix]).contains("There is no job of this name.")
    );
}

#[test]
fn the_reasons_have_the_sentences_of_the_rules() {
    let source = include_str!("../../../lua/inspect/explain.lua");
    for reason in Reason::ALL {
        let line = format!("{} = '{}',", reason.as_str(), reason.sentence());
        assert!(
            source.contains(&line),
            "lua/inspect/explain.lua has no `{line}`"
        );
    }
}
