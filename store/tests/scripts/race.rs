//! Sixteen callers, each with a connection of its own, on one partition: every attempt number is claimed once, every context ends once,
//! and in the end nothing is left. Repairs that run meanwhile change none of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::harness::{Harness, alone, partition};
use tickwheel_core::id::{ContextId, Namespace};
use tickwheel_core::partition::PartitionCount;
use tickwheel_store::check::{Evidence, Finding, Kind, Subject};
use tickwheel_store::lease::{AttemptRef, Holding, Outcome, Settlement, Verdict};
use tickwheel_store::record::Settled;
use tickwheel_store::repair::Repaired;
use tickwheel_store::wheel::{NewContext, Offer, TurnLimits, When};
use tickwheel_store::{Cancelled, Redis, Store};

const CALLERS: u64 = 16;
const CONTEXTS: usize = 4_000;
const LIMITS: TurnLimits = TurnLimits {
    dispatch_lease: Duration::from_millis(150),
    entries: 50,
};

/// What one caller saw.
#[derive(Default)]
struct Seen {
    claims: Vec<AttemptRef>,
    /// Contexts that this caller's settlement ended, and those its cancellation ended.
    ended: Vec<ContextId>,
}

/// A small generator of its own for each caller, so that a run can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn outcome(roll: u64) -> Outcome {
    match roll {
        0 => Outcome::Failed("no".to_owned()),
        1 => Outcome::RetryAfter(Duration::from_millis(3), "later".to_owned()),
        2 => Outcome::Fatal("no".to_owned()),
        3 => Outcome::TimedOut("slow".to_owned()),
        _ => Outcome::Succeeded("result".into()),
    }
}

async fn submit(store: &Store) -> Vec<ContextId> {
    let context = |i: usize| NewContext {
        when: When::Delay(Duration::from_millis(u64::try_from(i % 40).unwrap())),
        rest: format!("g h{} {} b=f:2:2:0 {i}", i % 3, i % 5).into(),
        namespace: Namespace::default(),
        uniq: format!("a-{i}"),
        dedup: None,
        partition: partition(0),
        placement: None,
    };
    let contexts: Vec<NewContext> = (0..CONTEXTS).map(context).collect();
    store
        .submit(&contexts)
        .await
        .unwrap()
        .into_iter()
        .map(|submitted| submitted.id)
        .collect()
}

/// One caller: its store, its dice, what it saw.
struct Caller {
    store: Store,
    dice: Dice,
    seen: Seen,
}

impl Caller {
    /// Turns, and lets some of the claims go: refused, forgotten, or only accepted.
    async fn claim(&mut self, offer: &Offer) -> (Vec<Holding>, bool) {
        let p = partition(0);
        let turned = self
            .store
            .turn(p, std::slice::from_ref(offer), LIMITS)
            .await
            .unwrap();
        let mut kept = Vec::new();
        for claim in turned.claims {
            let held = claim.holding();
            self.seen.claims.push(held.attempt.clone());
            match self.dice.roll(20) {
                0 => drop(self.store.release(p, &[held]).await.unwrap()),
                1 => {} // its lease runs out
                2 => drop(self.store.renew(p, &[held]).await.unwrap()),
                _ => kept.push(held),
            }
        }
        (kept, turned.scan)
    }

    /// Settles attempts twice, as after a lost reply.
    async fn settle(&mut self, attempts: Vec<Holding>) {
        let settlements: Vec<Settlement> = attempts
            .into_iter()
            .map(|Holding { attempt, worker }| Settlement {
                attempt,
                worker,
                outcome: outcome(self.dice.roll(12)),
                random: 0,
            })
            .collect();
        if settlements.is_empty() {
            return;
        }
        let verdicts = self.store.settle(partition(0), &settlements).await.unwrap();
        let settled = settlements
            .iter()
            .zip(verdicts)
            .filter(|(_, verdict)| *verdict == Verdict::Settled);
        self.seen
            .ended
            .extend(settled.map(|(settlement, _)| settlement.attempt.context.clone()));
        let again = self.store.settle(partition(0), &settlements).await.unwrap();
        assert!(
            again
                .iter()
                .all(|verdict| [Verdict::Gone, Verdict::LeaseLost].contains(verdict)),
            "{again:?}"
        );
    }

    async fn cancel(&mut self, ids: &[ContextId]) {
        let id = &ids[usize::try_from(self.dice.roll(CONTEXTS.try_into().unwrap())).unwrap()];
        if self.store.cancel_context(id).await.unwrap() == Cancelled::Ended {
            self.seen.ended.push(id.clone());
        }
    }

    async fn reap(&mut self) {
        let evicted = format!("w-{}", self.dice.roll(CALLERS)).parse().unwrap();
        let reaped = self
            .store
            .reap(partition(0), &[evicted], LIMITS.dispatch_lease, 0)
            .await
            .unwrap();
        let ended = reaped.lost.into_iter().filter(|lost| !lost.retrying);
        self.seen
            .ended
            .extend(ended.map(|lost| lost.attempt.context));
    }
}

/// Turns, settles, releases, renews, reaps and cancels until every context has ended.
async fn call(
    store: Store,
    number: u64,
    ids: Arc<Vec<ContextId>>,
    ended: Arc<AtomicUsize>,
) -> Seen {
    let mut caller = Caller {
        store,
        dice: Dice(number + 1),
        seen: Seen::default(),
    };
    let offer = Offer {
        worker: format!("w-{number}").parse().unwrap(),
        group: "g".parse().unwrap(),
        permits: 20,
        soon: false,
        units: tickwheel_core::routing::Units::default(),
        handlers: "h0,h1,h2".into(),
    };
    let started = tokio::time::Instant::now();
    while ended.load(Ordering::SeqCst) < CONTEXTS {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "{} of {CONTEXTS} ended",
            ended.load(Ordering::SeqCst)
        );
        let (kept, scan) = caller.claim(&offer).await;
        caller.settle(kept).await;
        if caller.dice.roll(4) == 0 {
            caller.cancel(&ids).await;
        }
        if scan || caller.dice.roll(40) == 0 {
            caller.reap().await;
        }
    }
    caller.seen
}

/// Repairs contexts that are all right, as after a check that is long over, until every context has ended; then how often.
async fn repair(store: Store, ids: Arc<Vec<ContextId>>, ended: Arc<AtomicUsize>) -> u32 {
    let (mut dice, mut repairs) = (Dice(99), 0);
    let finding = |kind: Kind, subject: Subject, evidence: Vec<Evidence>| Finding {
        kind,
        partition: partition(0),
        subject,
        detail: String::new(),
        evidence,
    };
    while ended.load(Ordering::SeqCst) < CONTEXTS {
        let roll = dice.roll(CONTEXTS.try_into().unwrap());
        let id = ids[usize::try_from(roll).unwrap()].clone();
        let was = |key: &str, score: u64| Evidence {
            key: key.to_owned(),
            at: score.to_string(),
            text: format!("{id} 0:0 "),
        };
        let (due, handler) = (id.due().as_u64(), format!("h{}", roll % 3));
        let seen = vec![
            was("wheel", due),
            was(
                &format!("ready:g:{handler}"),
                (4 - roll % 5) * (1 << 44) + due,
            ),
        ];
        for finding in [
            finding(Kind::TwoPlaces, Subject::Context(id.clone()), seen),
            finding(Kind::RetryIndex, Subject::Context(id), Vec::new()),
            finding(
                Kind::Backlog,
                Subject::Queue(format!("g {handler}")),
                Vec::new(),
            ),
            finding(Kind::NoLeaseScan, Subject::Scan, Vec::new()),
        ] {
            let found = store.repair_one(&finding).await.unwrap();
            // A scan that is under way stands a second ahead: an earlier look does no harm.
            let look = |did: &String| did.contains("looked at");
            let only_looks = matches!(&found, Repaired::Done(did) if did.iter().all(look));
            assert!(
                only_looks || found == Repaired::Clean,
                "{finding:?}: {found:?}"
            );
            repairs += 1;
        }
    }
    repairs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_attempt_is_claimed_once_and_every_context_ends_once() {
    let Some((test, server)) = alone().await else {
        return;
    };
    let repairing = test.store.clone();
    let mut stores = Vec::new();
    for _ in 0..CALLERS {
        let redis = Redis::connect(&server.url()).await.unwrap();
        stores.push(
            Store::open(redis, "t", PartitionCount::new(1).unwrap())
                .await
                .unwrap()
                .0,
        );
    }
    let ids = Arc::new(submit(&test.store).await);
    let ended = Arc::new(AtomicUsize::new(0));
    let records = tokio::spawn(follow_events(test, ended.clone()));
    let repairs = tokio::spawn(repair(repairing, ids.clone(), ended.clone()));
    let callers: Vec<_> = stores
        .into_iter()
        .zip(0..)
        .map(|(store, number)| tokio::spawn(call(store, number, ids.clone(), ended.clone())))
        .collect();
    let (mut claims, mut ends) = (BTreeSet::new(), BTreeSet::new());
    for caller in callers {
        let seen = caller.await.unwrap();
        for claim in seen.claims {
            assert!(
                claims.insert((claim.context.clone(), claim.attempt)),
                "{claim:?} was claimed twice"
            );
        }
        for id in seen.ended {
            assert!(ends.insert(id.clone()), "{id} was told twice that it ended");
        }
    }
    assert!(repairs.await.unwrap() > 0);
    let (records, test) = records.await.unwrap();
    assert!(
        ids.iter().all(|id| records.get(id) == Some(&1)),
        "each context ended once"
    );
    let mut left = test.keys().await;
    let stays = ["events", "dead", "attempted", "stats", "meta", "wheel"];
    // Results with what counts them, and attempts.
    let of_history = [":attempts:", ":result:", ":traces", ":traced:", ":spaces:"];
    left.retain(|key| {
        let stays = stays.iter().any(|name| key.ends_with(name));
        !stays && !of_history.iter().any(|name| key.contains(name))
    });
    assert!(left.is_empty(), "{left:?}");
    let wheel = test
        .texts(&["ZRANGE", &test.key(partition(0), "wheel"), "0", "-1"])
        .await;
    assert!(wheel.iter().all(|entry| entry == "!reap"), "{wheel:?}");
    println!("{} attempts for {CONTEXTS} contexts", claims.len());
}

/// Reads the stream of events, before it is trimmed, until every context has ended and nothing follows; how often each did.
async fn follow_events(
    test: Harness,
    ended: Arc<AtomicUsize>,
) -> (BTreeMap<ContextId, usize>, Harness) {
    let (mut records, mut last) = (BTreeMap::new(), "-".to_owned());
    let stream = test.key(partition(0), "events");
    loop {
        let complete = ended.load(Ordering::SeqCst) >= CONTEXTS;
        let entries = test
            .texts(&["XRANGE", &stream, &last, "+", "COUNT", "200"])
            .await;
        for entry in entries.chunks(3) {
            last = format!("({}", entry[0]);
            for line in entry[2].lines() {
                let settled = Settled::parse(line.as_bytes()).unwrap();
                *records.entry(settled.id).or_insert(0) += 1;
            }
        }
        ended.store(records.len(), Ordering::SeqCst);
        if complete && entries.is_empty() {
            return (records, test);
        }
    }
}
