//! Random histories of split contexts: whatever is called in whatever order, W8 holds after every step, and everything ends.

use crate::call;
use crate::harness;
use std::collections::BTreeMap;

use crate::call::{Offer, Part, T};
use crate::harness::{Harness, alone};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tickwheel_store::check::Pace;

const WORKERS: [&str; 3] = ["w1", "w2", "w3"];
const HANDLERS: &str = "h,leaf,other,sum";
/// Turns and settlements after which nothing may be left.
const ROUNDS_MAX: u32 = 200;

/// One call; numbers choose among what there is.
#[derive(Debug, Clone)]
enum Op {
    Submit(usize),
    Open(usize, usize),
    Split(usize, usize, usize),
    Turn([u64; 3]),
    Settle(usize, usize, bool),
    Release(usize),
    Evict(usize),
    Reclaim(usize),
    Cancel(usize),
    CancelSubtask(usize, usize),
    Unpin(usize, usize),
    Pass(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let some = || 0_usize..1_000;
    prop_oneof![
        1 => some().prop_map(Op::Submit),
        2 => (some(), some()).prop_map(|(root, kind)| Op::Open(root, kind)),
        4 => (some(), some(), 0_usize..4).prop_map(|(held, kind, items)| Op::Split(held, kind, items)),
        5 => [0_u64..4, 0_u64..4, 0_u64..4].prop_map(Op::Turn),
        7 => (some(), some(), prop::bool::ANY).prop_map(|(held, how, stale)| Op::Settle(held, how, stale)),
        1 => some().prop_map(Op::Release),
        1 => some().prop_map(Op::Evict),
        1 => some().prop_map(Op::Reclaim),
        1 => some().prop_map(Op::Cancel),
        1 => (some(), some()).prop_map(|(root, n)| Op::CancelSubtask(root, n)),
        1 => (some(), some()).prop_map(|(root, worker)| Op::Unpin(root, worker)),
        2 => prop_oneof![4 => Just(10), 4 => Just(70), 1 => Just(2_500)].prop_map(Op::Pass),
    ]
}

/// A walk through one history.
struct Walk<'a> {
    part: Part<'a>,
    now: u64,
    roots: Vec<String>,
}

impl<'a> Walk<'a> {
    fn new(test: &'a Harness) -> Self {
        Self {
            part: Part {
                test,
                id: harness::partition(0),
            },
            now: T,
            roots: Vec::new(),
        }
    }

    async fn hash(&self, name: &str) -> BTreeMap<String, String> {
        let mut state = self.part.state().await;
        state.hashes.remove(name).unwrap_or_default()
    }

    /// The running contexts with their attempts, and the one that a number chooses.
    async fn held(&self, number: usize) -> Option<(String, String)> {
        let held = self.hash("held").await;
        let (id, value) = held.iter().nth(number % held.len().max(1))?;
        let attempt = value.split(':').next().unwrap();
        Some((id.clone(), attempt.to_owned()))
    }

    async fn fan(&self, number: usize) -> Option<String> {
        let fans = self.hash("fans").await;
        fans.keys().nth(number % fans.len().max(1)).cloned()
    }

    async fn answer(&self, script: &str, args: &[&str]) {
        let now = self.now.to_string();
        let args: Vec<&str> = [&[now.as_str()], args].concat();
        self.part.answer(script, &args).await;
    }

    async fn turn(&self, permits: [u64; 3]) -> Vec<String> {
        let offers: Vec<Offer<'_>> = WORKERS
            .iter()
            .zip(permits)
            .map(|(worker, permits)| (*worker, "g", permits, HANDLERS))
            .collect();
        let words = [
            self.now.to_string(),
            "2000".to_owned(),
            "100".to_owned(),
            offers.len().to_string(),
        ];
        let permits: Vec<String> = offers.iter().map(|offer| offer.2.to_string()).collect();
        let mut args: Vec<&str> = words.iter().map(String::as_str).collect();
        for ((worker, group, _, handlers), permits) in offers.iter().zip(&permits) {
            args.extend([*worker, *group, permits.as_str(), *handlers]);
        }
        let reply = self.part.call("wheel/turn", "TURNED", &args).await;
        call::texts(call::field(&reply, "opens"))
    }

    async fn open(&self, waiting: &str, kind: usize) {
        let words: Vec<&str> = waiting.split(' ').take(5).collect();
        let waiting = words.join(" ");
        let reduce = if kind.is_multiple_of(2) {
            ""
        } else {
            "sum 2 r=2,p=r:0"
        };
        let (model, rules): (&str, [&str; 6]) = match kind % 4 {
            0 => ("broadcast", ["3", "0", "2", "", "", ""]),
            1 => ("sharding", ["3", "0", "", "", "", ""]),
            2 => ("indexed", ["4", "2", "", "1", "", ""]),
            _ => ("indexed", ["4", "1", "", "", "1", "0,2"]),
        };
        let mut args = vec![
            waiting.as_str(),
            model,
            "2 r=2,b=f:0:0:0,p=b:3",
            reduce,
            "ended",
        ];
        args.extend(rules);
        if model != "indexed" {
            args.extend(["w1", "0 1:x", "w1", "1 1:y", "w3", "2 1:z"]);
        }
        self.answer("fan/open", &args).await;
    }

    async fn step(&mut self, op: &Op) {
        match *op {
            Op::Submit(kind) if self.roots.len() < 9 => {
                let number = self.roots.len();
                let due = self.now + 7;
                let options = ["-", "r=2,b=f:0:0:0", "m=1", "r=1,m=1", "b=f:50:50:0"][kind % 5];
                let rest = format!("g h 2 {options} body{number}");
                let unique = format!("a-{number}");
                let when = due.to_string();
                let context = [[when.as_str(), unique.as_str(), rest.as_str(), ""]];
                self.part.submit(self.now, &context).await;
                self.roots.push(format!("0.{due}.{unique}"));
            }
            Op::Open(root, kind) => {
                let opens = self.turn([0, 0, 0]).await;
                if let Some(waiting) = opens.get(root % opens.len().max(1)) {
                    self.open(waiting, kind).await;
                }
            }
            Op::Split(number, kind, items) => self.split(number, kind, items).await,
            Op::Turn(permits) => drop(self.turn(permits).await),
            Op::Settle(number, how, stale) => self.settle(number, how, stale).await,
            Op::Release(number) => {
                if let Some((id, attempt)) = self.held(number).await {
                    self.part.release(self.now, &[[&id, &attempt]]).await;
                }
            }
            Op::Evict(worker) => {
                self.part.reap(self.now, &[WORKERS[worker % 3]]).await;
            }
            Op::Reclaim(worker) => {
                let before = self.now.to_string();
                let args = ["0", "1000", &before, "2000", "1", WORKERS[worker % 3]];
                self.answer("lease/reclaim", &args).await;
            }
            Op::Cancel(root) => {
                if let Some(root) = self.roots.get(root % self.roots.len().max(1)) {
                    self.part.cancel(self.now, root).await;
                }
            }
            Op::CancelSubtask(root, n) => {
                if let Some(root) = self.fan(root).await {
                    let id = format!("{root}~{}", ["0", "1", "2", "3", "r"][n % 5]);
                    self.part.cancel(self.now, &id).await;
                }
            }
            Op::Unpin(root, worker) => {
                if let Some(root) = self.fan(root).await {
                    self.answer("fan/unpin", &[&root, WORKERS[worker % 3]])
                        .await;
                }
            }
            Op::Pass(ms) => self.now += ms,
            Op::Submit(_) => {}
        }
    }

    async fn split(&self, number: usize, kind: usize, items: usize) {
        let Some((id, attempt)) = self.held(number).await else {
            return;
        };
        let handler = ["leaf", "other"][kind % 2];
        let options = ["2 p=m:0", "2 r=1,p=m:0", "3 b=f:30:30:0,p=m:0"][kind % 3];
        let parallelism = ["0", "2"][kind % 2];
        let reduce = ["", "sum 2 p=r:0"][usize::from(!kind.is_multiple_of(4))];
        let holder = self.part.holder(&id, &attempt).await;
        let mut args = vec![
            id.as_str(),
            holder.as_str(),
            "0",
            handler,
            options,
            parallelism,
            reduce,
            "ended",
        ];
        args.extend(["i0", "i1", "i2"].iter().take(items));
        self.answer("fan/split", &args).await;
    }

    async fn settle(&self, number: usize, how: usize, stale: bool) {
        let Some((id, attempt)) = self.held(number).await else {
            return;
        };
        let attempt = if stale && how.is_multiple_of(5) {
            format!("{attempt}0")
        } else {
            attempt
        };
        let (outcome, payload) = [
            ("succeeded", ""),
            ("succeeded", ""),
            ("succeeded", "result"),
            ("failed", "500000 0 no"),
            ("fatal", "0 0 no"),
            ("retry_after", "0 40 later"),
            ("retry_after", "0 0 at once"),
            ("cancelled", "0 0 told"),
        ][how % 8];
        let ended = [[id.as_str(), attempt.as_str(), outcome, payload]];
        self.part.settle(self.now, &ended).await;
    }

    /// Nothing that a check finds is wrong. It reads the server's clock, which is far behind the test's: what is late by it does not count.
    async fn holds(&self, op: &str) -> Result<(), TestCaseError> {
        let checked = self.part.test.store.check(Pace { rest: 0.0 }).await;
        let findings: Vec<String> = checked
            .unwrap()
            .findings
            .iter()
            .map(ToString::to_string)
            .collect();
        prop_assert!(findings.is_empty(), "after {op}: {findings:#?}");
        Ok(())
    }

    /// Everything succeeds from here on: nothing of any root is left.
    async fn finish(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..ROUNDS_MAX {
            self.now += 3_000;
            for waiting in self.turn([50, 50, 50]).await {
                self.open(&waiting, 2).await;
            }
            for root in self.hash("fans").await.keys() {
                self.answer("fan/unpin", &[root, "w1", "w2", "w3"]).await;
            }
            let held = self.hash("held").await;
            for (id, value) in &held {
                let attempt = value.split(':').next().unwrap();
                let ended = [[id.as_str(), attempt, "succeeded", ""]];
                self.part.settle(self.now, &ended).await;
            }
            self.holds("finish").await?;
            let state = self.part.state().await;
            let waits = state.zsets.get("wheel").is_some_and(|wheel| {
                wheel
                    .keys()
                    .any(|member| member.starts_with(|first: char| first.is_ascii_digit()))
            });
            if held.is_empty() && !waits && !state.hashes.contains_key("fans") {
                let left: Vec<String> = state
                    .keys()
                    .iter()
                    .filter(|key| {
                        ["fan:", "parts", "results:", "ready", "backlog", "held"]
                            .iter()
                            .any(|kind| key.starts_with(kind))
                    })
                    .map(ToString::to_string)
                    .collect();
                prop_assert!(left.is_empty(), "{left:?}");
                return Ok(());
            }
        }
        Err(TestCaseError::fail("it does not end"))
    }
}

/// Histories that broke something once.
fn known() -> Vec<Vec<Op>> {
    let index_of_a_cancelled_root = vec![
        Op::Split(121, 0, 0),
        Op::Settle(80, 79, false),
        Op::Release(0),
        Op::Submit(539),
        Op::Open(0, 591),
        Op::Unpin(0, 0),
        Op::Submit(164),
        Op::Pass(10),
        Op::Split(0, 0, 2),
        Op::Turn([1, 0, 1]),
        Op::Turn([3, 1, 3]),
        Op::Split(358, 0, 1),
        Op::Cancel(962),
        Op::CancelSubtask(466, 237),
    ];
    vec![index_of_a_cancelled_root]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_the_counts_agree_and_everything_ends() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let config = Config {
        cases: 60,
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    let handle = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| {
        let run = |ops: Vec<Op>| {
            handle.block_on(async {
                for key in test.keys().await {
                    if key.contains(":0}") {
                        test.command(&["DEL", &key]).await;
                    }
                }
                let mut walk = Walk::new(&test);
                let begin = [0, 1, 2, 3, 4].map(Op::Submit);
                let due = [Op::Pass(10), Op::Turn([2, 2, 2]), Op::Open(0, 1)];
                for op in begin.iter().chain(&due).chain(&ops) {
                    walk.step(op).await;
                    walk.holds(&format!("{op:?}")).await?;
                }
                walk.finish().await
            })
        };
        for known in known() {
            run(known).unwrap();
        }
        TestRunner::new(config)
            .run(&proptest::collection::vec(op(), 20..100), run)
            .unwrap();
    });
}
