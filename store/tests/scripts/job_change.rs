//! job/apply while contexts of the job run and wait: what was accepted goes on before anything new, as the new policy allows, and what it
//! was created with stays as it is.

use crate::call::Part;
use crate::damage::good::{FAST, apply, claim};
use crate::harness::{Harness, alone, job, name, partition};
use tickwheel_core::job::{JobSpec, Overlap, Trigger};
use tickwheel_core::limits::{GroupLimits, Limit};
use tickwheel_core::model::{Broadcast, Model};
use tickwheel_store::limit::LimitInput;
use tickwheel_store::wheel::{Fire, Fired, Offer, Told, TurnLimits};

const POLICIES: [Overlap; 7] = [
    Overlap::Parallel(3),
    Overlap::Parallel(1),
    Overlap::Queue(5),
    Overlap::Queue(2),
    Overlap::QueueOne,
    Overlap::Discard,
    Overlap::Replace,
];

fn allowed(overlap: Overlap) -> usize {
    match overlap {
        Overlap::Parallel(limit) => usize::try_from(limit).unwrap(),
        Overlap::Queue(_) | Overlap::QueueOne | Overlap::Discard | Overlap::Replace => 1,
    }
}

/// One job in the only partition.
struct Changed<'a> {
    part: Part<'a>,
    spec: JobSpec,
    count: u32,
}

impl Changed<'_> {
    fn test(&self) -> &Harness {
        self.part.test
    }

    /// Everything is as it may be.
    async fn check(&self, when: &str) {
        let checked = self.test().store.check(FAST).await.unwrap();
        assert!(
            checked.is_clean(),
            "{} {when}: {:#?}",
            self.spec.name,
            checked.findings
        );
    }

    async fn apply(&mut self, change: impl FnOnce(&mut JobSpec)) {
        change(&mut self.spec);
        apply(self.test(), &self.spec, &[]).await;
        self.check("after the change").await;
    }

    async fn fire(&mut self) -> Fired {
        self.count += 1;
        let fire = Fire {
            uniq: format!("m-{}", self.count),
            due: None,
            body: None,
            dedup: None,
        };
        let fired = self.test().store.fire_job(&self.spec.name, fire).await;
        fired.unwrap()
    }

    /// Unique parts of what is active and of what waits, in the order in which it came.
    async fn places(&self) -> (Vec<u32>, Vec<u32>) {
        let state = self.part.state().await;
        let number = |id: &str| {
            let unique = id.split_once('@').unwrap().0.rsplit('.').next().unwrap();
            unique.trim_start_matches("m-").parse::<u32>().unwrap()
        };
        let name = &self.spec.name;
        let active = state.hash(&format!("active:{name}"));
        let queue = state.zset(&format!("queue:{name}"));
        let mut active: Vec<u32> = active.iter().map(|(id, _)| number(id)).collect();
        let mut queue: Vec<u32> = queue
            .iter()
            .map(|(member, _)| number(member.split(' ').next().unwrap()))
            .collect();
        active.sort_unstable();
        queue.sort_unstable();
        (active, queue)
    }

    /// Ends the context with this number, after it was claimed.
    async fn end(&self, number: u32) {
        while !claim(self.test(), "work", 50).await.is_empty() {}
        let state = self.part.state().await;
        let held = state.hash("held");
        let start = format!(".m-{number}@{}", self.spec.name);
        let (id, value) = held.iter().find(|(id, _)| id.ends_with(&start)).unwrap();
        let (attempt, _) = value.split_once(':').unwrap();
        let now = self.test().now().await;
        let ended = [[id, attempt, "succeeded", ""]];
        assert_eq!(self.part.settle(now, &ended).await, "S");
        Box::pin(self.check("after an end")).await;
    }
}

fn changed<'a>(test: &'a Harness, name: &str, overlap: Overlap) -> Changed<'a> {
    let mut spec = job(name, Trigger::Manual);
    spec.overlap = overlap;
    let id = partition(0);
    Changed {
        part: Part { test, id },
        spec,
        count: 0,
    }
}

#[tokio::test]
async fn every_change_of_the_overlap_policy_lets_what_waits_go_first() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    for (at, before) in POLICIES.into_iter().enumerate() {
        for (to, after) in POLICIES.into_iter().enumerate() {
            let mut one = changed(&test, &format!("d/{at}-{to}"), before);
            let what = format!("{before} to {after}");
            one.apply(|_| {}).await;
            for _ in 0..4 {
                drop(one.fire().await);
            }
            let (active, waiting) = one.places().await;
            one.apply(|spec| spec.overlap = after).await;
            let room = allowed(after).saturating_sub(active.len());
            let (let_in, left) = waiting.split_at(room.min(waiting.len()));
            let active = [&active[..], let_in].concat();
            assert_eq!(
                one.places().await,
                (active.clone(), left.to_vec()),
                "{what}"
            );

            while !claim(&test, "work", 50).await.is_empty() {}
            let fired = one.fire().await;
            let full = active.len() >= allowed(after);
            assert_eq!(
                !full,
                matches!(fired, Fired::Started(_)),
                "{what}: {fired:?}"
            );
            one.check("after a firing").await;

            // To the end: the oldest of those that wait goes first, and no more run than are allowed.
            loop {
                let (active, waiting) = one.places().await;
                let Some(first) = active.first().copied() else {
                    assert!(waiting.is_empty(), "{what}: {waiting:?}");
                    break;
                };
                one.end(first).await;
                let room = (allowed(after) + 1).saturating_sub(active.len());
                let next = &waiting[..room.min(waiting.len())];
                let expected = [&active[1..], next].concat();
                assert_eq!(one.places().await.0, expected, "{what}");
            }
            let key = test.job_key(one.spec.name.as_str(), &format!("job:{}", one.spec.name));
            assert_eq!(
                test.text(&["HEXISTS", &key, "surplus"]).await,
                "0",
                "{what}"
            );
            let _ = test.store.delete_job(&one.spec.name).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_firing_that_replaces_many_takes_them_in_bounded_steps() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let mut one = changed(&test, "d/many", Overlap::Queue(500));
    one.apply(|_| {}).await;
    for _ in 0..121 {
        drop(one.fire().await);
    }
    assert_eq!(claim(&test, "work", 1).await.len(), 1);
    one.apply(|spec| spec.overlap = Overlap::Replace).await;
    for left in [71, 22, 1, 1] {
        assert!(matches!(one.fire().await, Fired::Queued(_)));
        one.check("after a firing").await;
        let (active, waiting) = one.places().await;
        assert_eq!((active.len(), waiting.len()), (1, left));
        assert_eq!(waiting.last(), Some(&one.count));
    }
}

type Change = fn(&mut JobSpec);

/// What is changed, and how contexts before and after it are written.
const CHANGES: [(&str, Change, &str, &str); 7] = [
    (
        "group",
        |spec| spec.group = "other".parse().unwrap(),
        "default work 2 -",
        "other work 2 -",
    ),
    (
        "handler",
        |spec| spec.handler = "rest".parse().unwrap(),
        "default work 2 -",
        "default rest 2 -",
    ),
    (
        "priority",
        |spec| spec.options.priority = tickwheel_core::job::Priority::new(4).unwrap(),
        "default work 2 -",
        "default work 4 -",
    ),
    (
        "retries",
        |spec| spec.options.retry.max_attempts = 7,
        "default work 2 -",
        "default work 2 r=7",
    ),
    (
        "timeout",
        |spec| spec.options.timeout_ms = Some(900),
        "default work 2 -",
        "default work 2 t=900",
    ),
    (
        "model",
        |spec| spec.model = Model::Broadcast(Broadcast::default()),
        "default work 2 -",
        "default work 2 m=1",
    ),
    (
        "placement",
        |spec| spec.fairness.key = Some("acme".parse().unwrap()),
        "default work 2 -",
        "default work 2 k=acme",
    ),
];

#[tokio::test]
async fn what_waits_keeps_what_it_was_created_with() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    for (what, change, before, after) in CHANGES {
        let mut one = changed(&test, &format!("d/{what}"), Overlap::Queue(5));
        one.apply(|_| {}).await;
        for _ in 0..2 {
            drop(one.fire().await);
        }
        assert_eq!(claim(&test, "work", 1).await.len(), 1);
        one.apply(change).await;
        drop(one.fire().await);
        one.check("after a firing").await;
        let queue = format!("queue:{}", one.spec.name);
        let rests = async || -> Vec<String> {
            let state = one.part.state().await;
            let mut members: Vec<&str> = state.zset(&queue).iter().map(|one| one.0).collect();
            members.sort_unstable();
            let rest = |member: &str| member.splitn(3, ' ').nth(2).unwrap().trim().to_owned();
            members.into_iter().map(rest).collect()
        };
        assert_eq!(rests().await, [before, after], "{what}");
        one.end(1).await;
        assert_eq!(rests().await, [after], "{what}");
        one.end(2).await;
        let (active, waiting) = one.places().await;
        assert_eq!((active, waiting.len()), (vec![3], 0), "{what}");
        let _ = test
            .store
            .delete_job(&name(&format!("d/{what}")))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_zone_that_changes_moves_what_is_ahead_and_nothing_that_waits() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let mut one = changed(&test, "d/zone", Overlap::Queue(5));
    let daily = |zone: &str| Trigger::Cron {
        expression: "0 9 * * *".to_owned(),
        time_zone: zone.to_owned(),
    };
    let (west, east) = (5_000_000_000_000, 4_999_971_200_000);
    one.spec.trigger = daily("America/Vancouver");
    apply(&test, &one.spec, &[west]).await;
    for _ in 0..2 {
        drop(one.fire().await);
    }
    assert_eq!(claim(&test, "work", 9).await.len(), 1);
    let before = one.part.state().await;
    one.spec.trigger = daily("Europe/Berlin");
    apply(&test, &one.spec, &[east]).await;
    one.check("after the change").await;
    let after = one.part.state().await;
    for key in ["queue:d/zone", "wheel"] {
        let waits = |state: &crate::call::State| {
            let members = state.zset(key).into_iter();
            let members = members.filter(|(member, _)| !member.starts_with('@'));
            members
                .map(|(member, _)| member.to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(waits(&after), waits(&before), "{key}");
    }
    assert_eq!(after.field("job:d/zone", "next"), east.to_string());
    let armed = test
        .text(&["ZSCORE", &one.part.key("wheel"), "@d/zone"])
        .await;
    assert_eq!(armed, east.to_string());
    one.end(1).await;
    one.end(2).await;
    assert_eq!(one.places().await, (vec![], vec![]));
}

#[tokio::test]
async fn a_group_that_gets_limits_holds_back_what_waits_and_lets_go_on_what_runs() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let mut one = changed(&test, "d/limits", Overlap::Parallel(3));
    one.apply(|_| {}).await;
    for _ in 0..3 {
        drop(one.fire().await);
    }
    assert_eq!(claim(&test, "work", 1).await.len(), 1);
    // The group may run one at once, and nothing was granted yet.
    let limits = GroupLimits {
        all: Limit {
            concurrency: Some(1),
            rate: None,
        },
        ..GroupLimits::default()
    };
    let told = LimitInput {
        groups: vec![limits.line(&"default".parse().unwrap())],
        ..LimitInput::default()
    };
    assert_eq!(claim_told(&test, &told).await, 0);
    one.check("while limits hold it back").await;
    assert_eq!(one.places().await, (vec![1, 2, 3], vec![]));
    one.end(1).await;
    // Without limits again, nothing of it was lost.
    assert_eq!(claim(&test, "work", 9).await.len(), 0, "they run already");
    for number in [2, 3] {
        one.end(number).await;
    }
    assert_eq!(one.places().await, (vec![], vec![]));
}

/// Claims with nine permits under limits; answers with how many.
async fn claim_told(test: &Harness, limits: &LimitInput) -> usize {
    let offer = Offer {
        worker: "w-1".parse().unwrap(),
        group: "default".parse().unwrap(),
        permits: 9,
        soon: false,
        units: tickwheel_core::routing::Units::default(),
        handlers: "work".into(),
    };
    let told = Told {
        placements: &[],
        random: 1,
        limits: Some(limits),
        served: &[],
    };
    let entries = TurnLimits {
        dispatch_lease: std::time::Duration::from_secs(3_000),
        entries: 100,
    };
    let turned = test
        .store
        .turn_told(partition(0), &[offer], told, entries)
        .await;
    turned.unwrap().claims.len()
}

#[tokio::test]
async fn a_job_registered_again_counts_what_still_runs_of_the_one_before() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let mut one = changed(&test, "d/again", Overlap::Parallel(3));
    one.apply(|_| {}).await;
    for _ in 0..3 {
        drop(one.fire().await);
    }
    assert_eq!(claim(&test, "work", 3).await.len(), 3);
    let _ = test.store.delete_job(&one.spec.name).await.unwrap();
    one.apply(|spec| spec.overlap = Overlap::Discard).await;
    assert!(matches!(one.fire().await, Fired::Skipped(_)));
    for number in 1..=3 {
        one.end(number).await;
    }
    assert!(matches!(one.fire().await, Fired::Started(_)));
}
