//! tracker/heartbeat and tracker/retire: who is alive; tracker/drain: who takes no more work.

use std::time::Duration;

use crate::harness::{Harness, alone, call_words, fresh, partition};
use tickwheel_core::id::{GroupName, TrackerId, WorkerId};
use tickwheel_store::roster::{LiveTracker, Silence, WorkerHeartbeat, WorkerReport};

const T: u64 = 1_000_000;

/// A key of the cluster.
fn key(test: &Harness, name: &str) -> String {
    format!("{{{}}}:{name}", test.prefix)
}

/// Calls a script of the roster, which must not raise an error.
async fn call(test: &Harness, name: &str, args: &[&str]) -> Vec<String> {
    let words = call_words(name, &key(test, "trackers"), args);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    test.texts(&words).await
}

/// The reply of a heartbeat, its lists flattened.
fn written(now: &str, live: Option<&str>, store: &str) -> Vec<String> {
    let mut words = vec!["WRITTEN", "now_ms", now, "live"];
    words.extend(live);
    words.extend(["changes", "0", "store", store]);
    words.into_iter().map(str::to_owned).collect()
}

async fn read(test: &Harness, command: &str, name: &str) -> Vec<String> {
    let name = key(test, name);
    match command {
        "ZRANGE" => {
            test.texts(&["ZRANGE", &name, "0", "-1", "WITHSCORES"])
                .await
        }
        _ => {
            let mut pairs: Vec<String> = test
                .texts(&[command, &name])
                .await
                .chunks(2)
                .map(|pair| pair.join("="))
                .collect();
            pairs.sort();
            pairs
        }
    }
}

#[tokio::test]
async fn a_drained_worker_is_so_since_the_first_time_and_each_change_is_counted() {
    let Some(test) = fresh().await else { return };
    let drained = key(&test, "drained");
    let drain = async |now: &str, worker: &str, takes: &str| {
        let words = call_words("tracker/drain", &drained, &[now, worker, takes]);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        test.texts(&words).await
    };
    let counted = async || {
        let words = ["HMGET", &key(&test, "meta"), "drain_changes"];
        test.texts(&words).await.join("")
    };
    assert_eq!(drain("1000000", "w-1", "0").await, ["DRAINED", "1000000"]);
    let first = counted().await;
    assert_eq!(drain("1000500", "w-1", "0").await, ["DRAINED", "1000000"]);
    assert_eq!(counted().await, first, "nothing changed");
    assert_eq!(drain("1000600", "w-2", "1").await, ["TAKES"]);
    assert_eq!(counted().await, first, "nothing changed");
    assert_eq!(drain("1000700", "w-1", "1").await, ["TAKES"]);
    assert_ne!(counted().await, first);
    assert_eq!(read(&test, "ZRANGE", "drained").await, [""; 0]);

    for number in 0..1_000 {
        let told = drain("1000800", &format!("w-{number}"), "0").await;
        assert_eq!(told[0], "DRAINED");
    }
    assert_eq!(drain("1000900", "one-more", "0").await, ["FULL"]);
    // Those of a month ago make room.
    let later = (1_000_800_u64 + 2_592_000_001).to_string();
    assert_eq!(drain(&later, "one-more", "0").await[0], "DRAINED");
    assert_eq!(read(&test, "ZRANGE", "drained").await, ["one-more", &later]);
}

#[tokio::test]
async fn a_heartbeat_prolongs_lives_and_answers_with_the_live_trackers() {
    let Some(test) = fresh().await else { return };
    let meta = [
        "HMGET",
        &key(&test, "meta"),
        "schema",
        "partitions",
        "created_ms",
    ];
    let store = format!("{} - -", test.texts(&meta).await.join(" "));
    let with = |heartbeats: u32| format!("{store} {heartbeats}");
    let args = [
        "1000000",
        "trk-1 http://a:1",
        "6000",
        "3",
        "g",
        "w-1",
        "host a b\npermits 9\ntags \n",
        "g",
        "w-2",
        "",
        "k",
        "w-3",
        "host c\n",
    ];
    for heartbeats in 1..=2 {
        let age = with(heartbeats);
        assert_eq!(
            call(&test, "tracker/heartbeat", &args).await,
            written("1000000", Some("trk-1 http://a:1"), &age)
        );
        assert_eq!(
            read(&test, "ZRANGE", "trackers").await,
            ["trk-1 http://a:1", "1006000"]
        );
        assert_eq!(
            read(&test, "ZRANGE", "workers:g").await,
            ["w-1", "1006000", "w-2", "1006000"]
        );
        assert_eq!(read(&test, "ZRANGE", "workers:k").await, ["w-3", "1006000"]);
        assert_eq!(
            read(&test, "HGETALL", "groups").await,
            ["g=1000000", "k=1000000"]
        );
        assert_eq!(
            read(&test, "HGETALL", "worker:w-1").await,
            ["host=a b", "permits=9", "tags="]
        );
    }
    let mut keys = test.keys().await;
    keys.retain(|key| !key.ends_with(":meta"));
    assert_eq!(keys.len(), 7, "{keys:?}");
    let left: u64 = test
        .text(&["PTTL", &key(&test, "worker:w-1")])
        .await
        .parse()
        .unwrap();
    assert!((1..=60_000).contains(&left));
    assert_eq!(
        call(&test, "tracker/heartbeat", &["1005999", "", "6000", "0"]).await,
        written("1005999", Some("trk-1 http://a:1"), &with(2))
    );
    assert_eq!(
        call(&test, "tracker/heartbeat", &["1006000", "", "6000", "0"]).await,
        written("1006000", None, &with(2)),
        "its heartbeat expired"
    );
}

/// Of a cluster whose data were restored, or of whoever wrote it by hand: nobody lives by it, and workers are not sent there.
#[tokio::test]
async fn a_sign_of_life_that_is_good_for_years_is_none() {
    const YEARS: u64 = 10 * 365 * 86_400_000;
    let Some(test) = fresh().await else { return };
    let group = GroupName::new("g").unwrap();
    let worker = WorkerId::new("w-new-00000001").unwrap();
    let heartbeat = WorkerHeartbeat {
        worker: worker.clone(),
        group: group.clone(),
        report: Some(WorkerReport::default()),
    };
    let tracker = LiveTracker {
        id: TrackerId::of_incarnation(7),
        url: "http://new:1".to_owned(),
    };
    let old = LiveTracker {
        id: TrackerId::of_incarnation(6),
        url: "http://old:1".to_owned(),
    };
    let ttl = Duration::from_secs(60);
    let until = (test.now().await + YEARS).to_string();
    let sign = format!("{} {}", old.id, old.url);
    let (trackers, workers) = (key(&test, "trackers"), key(&test, "workers:g"));
    for [at, who] in [[&trackers, sign.as_str()], [&workers, "w-old-00000001"]] {
        test.command(&["ZADD", at, &until, who]).await;
    }
    let heartbeats = [heartbeat];
    let told = test.store.heartbeat(Some(&tracker), ttl, &heartbeats).await;
    assert_eq!(told.unwrap().live, std::slice::from_ref(&tracker));
    assert_eq!(test.store.list_trackers().await.unwrap(), [tracker]);
    for of in [Some(&group), None] {
        let live = test.store.list_workers(of).await.unwrap();
        let live: Vec<_> = live.into_iter().map(|view| view.id).collect();
        assert_eq!(live, std::slice::from_ref(&worker));
    }
    // Whoever asks after them is told that they are silent.
    let silence = Silence {
        longer_than: Duration::from_secs(1),
        ttl,
    };
    let old_worker = WorkerId::new("w-old-00000001").unwrap();
    let named = [(group.clone(), old_worker.clone()), (group.clone(), worker)];
    let retired = test.store.retire(Some(&old), silence, &named).await;
    assert_eq!(retired.unwrap(), [old_worker]);
    assert_eq!(test.text(&["ZCARD", &trackers]).await, "1");
    assert_eq!(test.text(&["ZCARD", &workers]).await, "1");
    // A group that nobody else works for is forgotten in a day.
    let groups = key(&test, "groups");
    test.command(&["HSET", &groups, "old", "1"]).await;
    let workers = key(&test, "workers:old");
    test.command(&["ZADD", &workers, &until, "w-old"]).await;
    let newer = ["", "", "60000", "1", "g", "w-newer", ""];
    call(&test, "tracker/heartbeat", &newer).await;
    assert_eq!(test.text(&["HEXISTS", &groups, "old"]).await, "0");
}

#[tokio::test]
async fn those_that_crashed_are_forgotten_when_a_new_one_comes() {
    let Some(test) = fresh().await else { return };
    call(
        &test,
        "tracker/heartbeat",
        &["1000000", "trk-1 u", "6000", "1", "g", "w-1", ""],
    )
    .await;
    call(
        &test,
        "tracker/heartbeat",
        &["1066000", "trk-2 u", "6000", "1", "g", "w-2", ""],
    )
    .await;
    assert_eq!(
        read(&test, "ZRANGE", "trackers").await,
        ["trk-2 u", "1072000"]
    );
    assert_eq!(read(&test, "ZRANGE", "workers:g").await, ["w-2", "1072000"]);
}

#[tokio::test]
async fn groups_without_a_worker_for_a_day_are_forgotten() {
    const DAY: u64 = 86_400_000;
    let Some(test) = fresh().await else { return };
    let groups = key(&test, "groups");
    for chunk in 0..3 {
        let names: Vec<String> = (0..1_000)
            .map(|n| format!("g{}", 1_000 * chunk + n))
            .collect();
        let mut words = vec!["HSET", &groups];
        names
            .iter()
            .for_each(|name| words.extend([name.as_str(), "1000000"]));
        test.command(&words).await;
    }
    let later = T + DAY;
    let heartbeat = async |now: u64, group: &str, worker: &str| {
        let (now, ttl) = (now.to_string(), "3000");
        let args = [now.as_str(), "", ttl, "1", group, worker, ""];
        call(&test, "tracker/heartbeat", &args).await;
    };
    // The group of a worker that has lived for long is kept, and so is one that had a worker within the day.
    heartbeat(later - 2_000, "g7", "w-1").await;
    test.command(&["HSET", &groups, "g7", "1000000"]).await;
    for number in 0..1_000_u64 {
        heartbeat(later, "fresh", &format!("w-{}", 10 + number)).await;
        let left: usize = test.text(&["HLEN", &groups]).await.parse().unwrap();
        if left <= 3 {
            break;
        }
    }
    let mut left = test.texts(&["HKEYS", &groups]).await;
    left.retain(|name| name != "!");
    left.sort();
    assert_eq!(left, ["fresh", "g7"]);
    let since = test.text(&["HGET", &groups, "g7"]).await;
    assert_eq!(since, later.to_string());
}

#[tokio::test]
async fn only_a_silent_worker_is_retired() {
    let Some(test) = fresh().await else { return };
    let heartbeat = [
        "1000000", "trk-1 u", "6000", "2", "g", "w-1", "host a\n", "g", "w-2", "host a\n",
    ];
    call(&test, "tracker/heartbeat", &heartbeat).await;
    let retire = |now: u64, silent: &'static str| {
        let now = now.to_string();
        let test = &test;
        async move {
            call(
                test,
                "tracker/retire",
                &[&now, "", silent, "6000", "2", "g", "w-1", "g", "w-9"],
            )
            .await
        }
    };
    assert_eq!(
        retire(T + 2_999, "3000").await,
        ["RETIRED", "w-9"],
        "one that is unknown counts as forgotten"
    );
    assert_eq!(retire(T + 3_000, "3000").await, ["RETIRED", "w-1", "w-9"]);
    assert_eq!(retire(T + 3_000, "3000").await, ["RETIRED", "w-1", "w-9"]);
    assert_eq!(read(&test, "ZRANGE", "workers:g").await, ["w-2", "1006000"]);
    assert!(
        read(&test, "HGETALL", "worker:w-1").await.is_empty()
            && !read(&test, "HGETALL", "worker:w-2").await.is_empty()
    );
    assert_eq!(read(&test, "ZRANGE", "trackers").await.len(), 2);
    let both = ["1000001", "trk-1 u", "0", "6000", "1", "g", "w-2"];
    assert_eq!(
        call(&test, "tracker/retire", &both).await,
        ["RETIRED", "w-2"],
        "one that leaves need not be silent"
    );
    assert!(read(&test, "ZRANGE", "trackers").await.is_empty());
}

#[tokio::test]
async fn a_tracker_that_gives_heartbeats_is_not_taken_off_by_the_word_of_another() {
    let Some(test) = fresh().await else { return };
    let heartbeat = ["1000000", "trk-1 u", "3000", "0"];
    call(&test, "tracker/heartbeat", &heartbeat).await;
    for (now, silent, left) in [
        ("1001199", "1200", 1),
        ("1000000", "1200", 1),
        ("1001200", "1200", 0),
        ("1001200", "1200", 0),
    ] {
        let retire = [now, "trk-1 u", silent, "3000", "0"];
        assert_eq!(call(&test, "tracker/retire", &retire).await, ["RETIRED"]);
        let trackers = read(&test, "ZRANGE", "trackers").await;
        assert_eq!(trackers.len(), 2 * left, "{now}");
    }
    call(&test, "tracker/heartbeat", &heartbeat).await;
    // One that stops says so itself, also when the clock was set back.
    let own = ["900000", "trk-1 u", "0", "3000", "0"];
    call(&test, "tracker/retire", &own).await;
    assert!(read(&test, "ZRANGE", "trackers").await.is_empty());
}

#[tokio::test]
async fn the_store_lists_who_is_alive() {
    let Some(test) = fresh().await else { return };
    let tracker = |number: u64| LiveTracker {
        id: TrackerId::of_incarnation(number),
        url: format!("http://h:{number}"),
    };
    let group = |name: &str| GroupName::new(name).unwrap();
    let sign = |worker: &str, of: &str, permits: Option<u32>| WorkerHeartbeat {
        worker: WorkerId::new(worker).unwrap(),
        group: group(of),
        report: permits.map(|permits| WorkerReport {
            permits,
            host: "a\nb".to_owned(),
            ..WorkerReport::default()
        }),
    };
    let ttl = Duration::from_secs(60);
    test.store
        .heartbeat(
            Some(&tracker(1)),
            ttl,
            &[sign("w-1", "g", Some(8)), sign("w-2", "k", None)],
        )
        .await
        .unwrap();
    let written = test
        .store
        .heartbeat(Some(&tracker(2)), ttl, &[])
        .await
        .unwrap();
    assert_eq!(written.live, [tracker(1), tracker(2)]);
    let all = test.store.list_workers(None).await.unwrap();
    assert_eq!(all.len(), 2);
    let of_group = test.store.list_workers(Some(&group("g"))).await.unwrap();
    assert_eq!(
        (
            of_group.len(),
            of_group[0].report.permits,
            of_group[0].report.host.as_str()
        ),
        (1, 8, "a b")
    );
    let leaving = [(group("g"), WorkerId::new("w-1").unwrap())];
    let silence = Silence {
        longer_than: Duration::ZERO,
        ttl,
    };
    let retired = test
        .store
        .retire(Some(&tracker(1)), silence, &leaving)
        .await
        .unwrap();
    assert_eq!(retired, [WorkerId::new("w-1").unwrap()]);
    assert_eq!(test.store.list_trackers().await.unwrap(), [tracker(2)]);
}

#[tokio::test]
async fn every_bad_argument_is_refused_before_the_first_write() {
    let Some(test) = fresh().await else { return };
    let heartbeat = ["", "trk-1 u", "6000", "1", "g", "w-1", "host a\n"];
    let changes = [
        (1, "-1", "now_ms"),
        (3, "99", "ttl_ms"),
        (3, "600001", "ttl_ms"),
        (4, "1001", "workers"),
        (4, "2", "workers"),
        (7, "host", "report"),
        (7, " ", "report"),
    ];
    test.assert_refused("tracker/heartbeat", partition(3), &heartbeat, &changes)
        .await;
    let retire = ["", "trk-1 u", "0", "6000", "1", "g", "w-1"];
    let changes = [
        (1, "-1", "now_ms"),
        (3, "-1", "silent_ms"),
        (3, "600001", "silent_ms"),
        (4, "99", "ttl_ms"),
        (5, "1001", "workers"),
        (5, "2", "workers"),
    ];
    test.assert_refused("tracker/retire", partition(3), &retire, &changes)
        .await;
}

#[tokio::test]
async fn they_cost_what_their_headers_say_however_many_are_known() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let (groups, reports) = (20, 200);
    let mut args = vec![
        "".to_owned(),
        "trk-9 u".to_owned(),
        "6000".to_owned(),
        "1000".to_owned(),
    ];
    let mut leaving = vec![
        "".to_owned(),
        "trk-9 u".to_owned(),
        "0".to_owned(),
        "6000".to_owned(),
        "1000".to_owned(),
    ];
    for i in 0..1_000 {
        let (group, worker) = (format!("g{}", i % groups), format!("w-{i}"));
        args.extend([
            group.clone(),
            worker.clone(),
            if i < reports {
                "host a\n".to_owned()
            } else {
                String::new()
            },
        ]);
        leaving.extend([group, worker]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let leaving: Vec<&str> = leaving.iter().map(String::as_str).collect();
    for size in [10_u32, 1_000, 100_000] {
        let fill = format!(
            "for i = 1, {size} do redis.call('ZADD', KEYS[1], 9e15, 'trk-x' .. i) redis.call('ZADD', KEYS[2], 9e15, i) end"
        );
        test.text(&[
            "EVAL",
            &fill,
            "2",
            &test.key(partition(0), "wheel"),
            &test.key(partition(0), "workers:g0"),
        ])
        .await;
        let heartbeat = test.cost("tracker/heartbeat", partition(0), &args).await;
        assert!(
            heartbeat <= 47 + 3 * groups + 2 * reports,
            "{heartbeat} commands with {size} known"
        );
        let retire = test.cost("tracker/retire", partition(0), &leaving).await;
        assert!(
            retire <= 3 + 3 * 1_000,
            "{retire} commands with {size} known"
        );
        println!(
            "tracker/heartbeat {heartbeat}, tracker/retire {retire} commands with {size} known"
        );
    }
}
