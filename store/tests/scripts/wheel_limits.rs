//! Limits over four partitions, step by step: what turns claim, report and give back, and what the owner of a limit grants.

mod kept;
mod many;
mod split;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::harness::{Harness, fresh, partition};
use bytes::Bytes;
use tickwheel_core::id::{Namespace, WorkerId};
use tickwheel_core::limits::{GroupLimits, Limit, LimitName, Rate};
use tickwheel_core::routing::Units;
use tickwheel_core::time::TimestampMs;
use tickwheel_store::lease::{Outcome, Settlement, Verdict};
use tickwheel_store::limit::{Grant, LimitInput, LimitReport};
use tickwheel_store::wheel::{Claim, NewContext, Offer, Told, TurnLimits, Turned, When};

/// Trackers that lose nothing, and what runs.
struct Cluster {
    test: Harness,
    limits: GroupLimits,
    grants: BTreeMap<u16, Vec<Grant>>,
    running: Vec<Claim>,
    /// What each turn is told that others wait for, as the owner of a limit says.
    recalled: Vec<LimitName>,
    /// When the limits changed.
    changed: Option<TimestampMs>,
    /// Those of each turn.
    permits: u32,
    next: usize,
}

fn group(concurrency: u32) -> GroupLimits {
    GroupLimits {
        all: at_once(concurrency),
        ..GroupLimits::default()
    }
}

fn at_once(concurrency: u32) -> Limit {
    Limit {
        concurrency: Some(concurrency),
        rate: None,
    }
}

impl Cluster {
    async fn start(limits: GroupLimits) -> Option<Self> {
        Some(Self {
            test: fresh().await?,
            limits,
            grants: BTreeMap::new(),
            running: Vec::new(),
            recalled: Vec::new(),
            changed: None,
            permits: 100,
            next: 0,
        })
    }

    async fn submit(&mut self, number: u16, rest: &str, count: usize) {
        let contexts: Vec<NewContext> = (0..count)
            .map(|_| {
                self.next += 1;
                NewContext {
                    when: When::Delay(Duration::ZERO),
                    rest: Bytes::from(rest.to_owned()),
                    namespace: Namespace::default(),
                    uniq: format!("1-{:06}", self.next),
                    dedup: None,
                    partition: partition(number),
                    placement: None,
                }
            })
            .collect();
        self.test.store.submit(&contexts).await.unwrap();
    }

    /// One turn with a hundred permits, and the sharing of what it reports.
    async fn turn(&mut self, number: u16) -> Turned {
        let mut turned = self.turn_only(number).await;
        self.running.append(&mut turned.claims.clone());
        let reports = std::mem::take(&mut turned.reports);
        self.share(number, &reports).await;
        turned
    }

    async fn turn_only(&mut self, number: u16) -> Turned {
        let line = self.limits.line(&"g".parse().unwrap());
        self.turn_lines(number, &[line]).await
    }

    async fn turn_lines(&mut self, number: u16, lines: &[String]) -> Turned {
        let offer = Offer {
            worker: WorkerId::new("w-1").unwrap(),
            group: "g".parse().unwrap(),
            permits: self.permits,
            soon: false,
            units: Units::default(),
            handlers: "h".into(),
        };
        let told = LimitInput {
            groups: lines.to_vec(),
            grants: self.grants.remove(&number).unwrap_or_default(),
            recalled: self.recalled.clone(),
            changed: self.changed,
        };
        let told = Told {
            placements: &[],
            random: 1,
            limits: Some(&told),
            served: &[],
        };
        let limits = TurnLimits {
            dispatch_lease: Duration::from_secs(60),
            entries: 500,
        };
        let turned = (self.test.store)
            .turn_told(partition(number), &[offer], told, limits)
            .await;
        turned.unwrap()
    }

    async fn share(&mut self, number: u16, reports: &[LimitReport]) {
        for report in reports {
            let store = &self.test.store;
            let owner = store.owner_of_limit(&report.limit);
            let limit = match &report.limit.key {
                Some(key) => self.limits.of_key(key.as_str()),
                None => self.limits.all,
            };
            let asked = [(report.clone(), limit)];
            let granted = store.share_limits(owner, partition(number), &asked).await;
            self.grants
                .entry(number)
                .or_default()
                .extend(granted.unwrap());
        }
    }

    async fn turn_all(&mut self) {
        for number in 0..4 {
            self.turn(number).await;
        }
    }

    /// Settles the oldest of what runs.
    async fn settle(&mut self, count: usize) {
        for claim in self.running.drain(..count).collect::<Vec<_>>() {
            let settlement = Settlement {
                attempt: claim.holding().attempt,
                worker: claim.worker.clone(),
                outcome: Outcome::Succeeded(Bytes::new()),
                random: 0,
            };
            let home = claim.member.id.partition();
            let verdicts = self.test.store.settle(home, &[settlement]).await.unwrap();
            assert_eq!(verdicts, [Verdict::Settled]);
        }
    }

    /// Until no partition has anything of a limit: the number of a report that ran ahead of the clock is kept a second longer,
    /// and what was used is kept for ten.
    async fn forgotten(&mut self) {
        for number in 0..4 {
            for name in ["limit_shares", "limit_waiting", "limit_contended"] {
                let began = tokio::time::Instant::now();
                while !self.value(number, name).await.is_empty() {
                    assert!(
                        began.elapsed() < Duration::from_secs(15),
                        "{name} of {number}"
                    );
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    self.turn(number).await;
                }
            }
        }
    }

    async fn value(&self, number: u16, name: &str) -> String {
        let key = self.test.key(partition(number), name);
        let words = ["ZRANGE", &key, "0", "-1", "WITHSCORES"];
        let words = if name == "backlog" {
            &words[..]
        } else {
            &["HGETALL", &key]
        };
        self.test.text(words).await
    }
}

#[tokio::test]
async fn five_at_once_over_four_partitions_and_each_has_its_turn() {
    let Some(mut cluster) = Cluster::start(group(5)).await else {
        return;
    };
    cluster.recalled = vec!["g".parse().unwrap()];
    for number in 0..4 {
        cluster.submit(number, "g h 2 - b", 10).await;
    }
    let mut ended = 0;
    let mut by_partition: BTreeMap<u16, usize> = BTreeMap::new();
    for _ in 0..400 {
        cluster.turn_all().await;
        let running = cluster.running.len();
        assert!(running <= 5, "{running} run, 5 may");
        if running > 0 {
            for claim in &cluster.running[..1] {
                let home = claim.member.id.partition().as_u16();
                *by_partition.entry(home).or_default() += 1;
            }
            cluster.settle(1).await;
            ended += 1;
        }
        if ended == 20 {
            // The first one that asked had all five at once; from then on they take turns.
            let least = by_partition.values().min().unwrap();
            assert!(*least >= 3 && by_partition.len() == 4, "{by_partition:?}");
        }
    }
    assert_eq!(ended, 40, "all of them ran");
    cluster.turn_all().await;
    cluster.forgotten().await;
    let name: LimitName = "g".parse().unwrap();
    let state = cluster.test.store.limit_states(&[name]).await.unwrap();
    assert_eq!((state[0].granted, state[0].partitions), (0, 0));
}

#[tokio::test]
async fn a_grant_that_is_lost_is_granted_anew_and_a_late_one_is_nothing() {
    let Some(mut cluster) = Cluster::start(group(3)).await else {
        return;
    };
    cluster.submit(0, "g h 2 - b", 10).await;
    cluster.turn(0).await;
    let lost = cluster.grants.remove(&0).unwrap();
    assert_eq!(lost[0].starts, 3);
    tokio::time::sleep(Duration::from_millis(300)).await;
    cluster.turn(0).await;
    assert_eq!(cluster.running.len(), 0);
    // The answer of the first report arrives in place of the second's.
    let second = cluster.grants.insert(0, lost).unwrap();
    cluster.turn(0).await;
    assert_eq!(cluster.running.len(), 0, "a late grant is nothing");
    cluster.grants.insert(0, second);
    cluster.turn(0).await;
    cluster.turn(0).await;
    assert!(cluster.running.len() <= 3, "{}", cluster.running.len());
    tokio::time::sleep(Duration::from_millis(300)).await;
    for _ in 0..3 {
        cluster.turn(0).await;
    }
    assert_eq!(cluster.running.len(), 3);
}

#[tokio::test]
async fn a_group_without_limits_is_not_touched_by_those_of_another() {
    let Some(mut cluster) = Cluster::start(group(1)).await else {
        return;
    };
    let line = "other c c";
    cluster.submit(0, "g h 2 k=a b", 3).await;
    cluster.submit(0, "g h 2 - b", 3).await;
    let turned = cluster.turn_lines(0, &[line.to_owned()]).await;
    assert_eq!((turned.claims.len(), turned.limited), (6, false));
}

#[tokio::test]
async fn a_repeated_report_grants_nothing_more() {
    let Some(mut cluster) = Cluster::start(group(3)).await else {
        return;
    };
    cluster.submit(0, "g h 2 - b", 10).await;
    let turned = cluster.turn_only(0).await;
    assert_eq!(turned.reports.len(), 1, "{turned:?}");
    assert!(turned.limited && turned.claims.is_empty());
    cluster.share(0, &turned.reports).await;
    let first = cluster.grants.remove(&0).unwrap();
    cluster.share(0, &turned.reports).await;
    let again = cluster.grants.remove(&0).unwrap();
    assert_eq!((first[0].starts, again[0].starts), (3, 0));
}

#[tokio::test]
async fn a_key_at_its_limit_makes_room_and_goes_on_when_one_ends() {
    let limits = GroupLimits {
        per_key: at_once(1),
        ..GroupLimits::default()
    };
    let Some(mut cluster) = Cluster::start(limits).await else {
        return;
    };
    cluster.submit(0, "g h 2 k=big b", 50).await;
    cluster.submit(0, "g h 2 k=small b", 2).await;
    for _ in 0..3 {
        cluster.turn(0).await;
    }
    let keys = |cluster: &Cluster| -> Vec<String> {
        let claims = cluster.running.iter();
        let key = |claim: &Claim| claim.member.rest.options.key.clone().unwrap().to_string();
        claims.map(key).collect()
    };
    let mut first = keys(&cluster);
    first.sort();
    assert_eq!(first, ["big", "small"]);
    for ended in 0..51 {
        cluster.settle(1).await;
        for _ in 0..3 {
            cluster.turn(0).await;
        }
        let running = keys(&cluster);
        let big = running.iter().filter(|key| *key == "big").count();
        assert!(big <= 1, "{running:?}");
        assert!(!running.is_empty(), "after {ended}");
    }
    cluster.settle(1).await;
    cluster.turn(0).await;
    let found = cluster
        .test
        .store
        .check(tickwheel_store::check::Pace { rest: 0.0 });
    assert!(found.await.unwrap().findings.is_empty());
    for name in ["fair", "backlog", "limit_waiting"] {
        assert_eq!(cluster.value(0, name).await, "", "{name}");
    }
}

#[tokio::test]
async fn a_context_under_two_limits_runs_when_both_have_room() {
    let limits = GroupLimits {
        all: at_once(5),
        per_key: at_once(1),
        ..GroupLimits::default()
    };
    let Some(mut cluster) = Cluster::start(limits).await else {
        return;
    };
    cluster.submit(0, "g h 2 k=a b", 3).await;
    cluster.submit(0, "g h 2 k=b b", 3).await;
    let mut ended = 0;
    for round in 0..60 {
        cluster.turn(0).await;
        let key = |claim: &Claim| claim.member.rest.options.key.clone();
        let (first, second) = (cluster.running.first(), cluster.running.get(1));
        let twice = second.is_some() && first.map(key) == second.map(key);
        assert!(cluster.running.len() <= 2 && !twice, "one of each key");
        if round % 4 == 3 && !cluster.running.is_empty() {
            cluster.settle(1).await;
            ended += 1;
        }
    }
    assert_eq!(ended, 6, "all of them ran");
}

#[tokio::test]
async fn a_context_whose_key_is_at_its_limit_expires_all_the_same() {
    let limits = GroupLimits {
        per_key: at_once(1),
        ..GroupLimits::default()
    };
    let Some(mut cluster) = Cluster::start(limits).await else {
        return;
    };
    cluster.submit(0, "g h 2 k=a b", 1).await;
    for _ in 0..3 {
        cluster.turn(0).await;
    }
    assert_eq!(cluster.running.len(), 1);
    cluster.submit(0, "g h 2 k=a,s=20 b", 1).await;
    cluster.turn(0).await;
    assert!(cluster.value(0, "backlog").await.contains("g h k=a"));
    tokio::time::sleep(Duration::from_millis(30)).await;
    cluster.turn(0).await;
    assert_eq!(cluster.value(0, "fair").await, "");
    assert_eq!(cluster.value(0, "backlog").await, "");
}

#[tokio::test]
async fn a_bucket_fills_evenly_and_no_further_than_its_burst() {
    let limits = GroupLimits {
        all: Limit {
            concurrency: None,
            rate: Some(Rate {
                starts: 100,
                per_ms: 1_000,
                burst: 4,
            }),
        },
        ..GroupLimits::default()
    };
    let Some(mut cluster) = Cluster::start(limits).await else {
        return;
    };
    cluster.submit(0, "g h 2 - b", 100).await;
    let begun = cluster.test.now().await;
    while cluster.running.len() < 30 {
        cluster.turn(0).await;
        let passed = cluster.test.now().await - begun;
        let most = 4 + usize::try_from(passed / 10).unwrap() + 1;
        assert!(
            cluster.running.len() <= most,
            "{} after {passed} ms",
            cluster.running.len()
        );
        tokio::time::sleep(Duration::from_millis(7)).await;
    }
    assert!(cluster.test.now().await - begun >= 240);
}

#[tokio::test]
async fn what_a_turn_is_told_wrongly_is_refused_before_anything_is_written() {
    let Some(cluster) = Cluster::start(group(1)).await else {
        return;
    };
    let test = &cluster.test;
    let commands = ["HSET | shares | g | 1 1 0 17 u", "RPUSH | left | 1 g"];
    test.seed(partition(0), &commands).await;
    let before = test.dump().await;
    for words in [
        &["limits\nnonsense"][..],
        &["limits\ng onlyagroup"],
        &["limits\nt 1 2 k g"],
        // Limits as they should be, behind placements that are not.
        &["0", "0", "limits\ng g c -"],
    ] {
        let args = [&["", "1000", "100", "0"], words].concat();
        let reply = test.eval("wheel/turn", partition(0), &args).await;
        assert!(
            format!("{reply:?}").contains("BAD_ARG"),
            "{words:?}: {reply:?}"
        );
        assert_eq!(test.dump().await, before, "{words:?}");
    }
}
