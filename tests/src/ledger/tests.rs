use tickwheel_core::id::{AttemptNo, GroupName, HandlerName, JobName};
use tickwheel_core::job::AfterOn;
use tickwheel_store::record::EndState;

use std::collections::BTreeSet;

use tickwheel_core::id::ContextId;
use tickwheel_core::job::JobSpec;
use tickwheel_core::ledger::LedgerRecord;
use tickwheel_core::partition::PartitionCount;
use tickwheel_core::time::TimestampMs;
use tickwheel_store::record::Settled;

use super::*;

const FIRST: u64 = 1_767_225_600_000;

fn story(trigger: Trigger, lines: &[&str]) -> Story {
    let name = JobName::new("default/j").unwrap();
    let spec = JobSpec::new(
        name,
        GroupName::new("default").unwrap(),
        HandlerName::new("ok").unwrap(),
        trigger,
    );
    let records: Vec<LedgerRecord> = lines.iter().map(|line| shifted(line)).collect();
    let partitions = PartitionCount::new(4).unwrap();
    let mut story = Story {
        first_due: Some(TimestampMs::new(FIRST)),
        runs: Vec::new(),
        live: BTreeSet::new(),
        next_due: None,
        last_due: records.last().map(|record| record.to),
        state: "active".to_owned(),
        fired: 0,
        partitions,
        spec,
        records,
    };
    let fired: Vec<TimestampMs> = story
        .records
        .iter()
        .filter(|record| record.verdict == LedgerVerdict::Fired && record.context_id.is_none())
        .map(|record| record.from)
        .collect();
    story.fired = u64::try_from(fired.len()).unwrap();
    story.runs = fired
        .iter()
        .map(|due| {
            run(
                ContextId::firing(&story.spec.name, *due, partitions),
                due.as_u64() + 5,
                EndState::Succeeded,
            )
        })
        .collect();
    story
}

/// Due times in a line count from `FIRST`.
fn shifted(line: &str) -> LedgerRecord {
    let (dues, rest) = line.split_once(' ').unwrap();
    let shift = |text: &str| (text.parse::<u64>().unwrap() + FIRST).to_string();
    let dues = match dues.split_once('-') {
        Some((from, to)) => {
            let (to, count) = to.split_once('x').unwrap();
            format!("{}-{}x{count}", shift(from), shift(to))
        }
        None => shift(dues),
    };
    format!("{dues} {rest}").parse().unwrap()
}

fn run(id: ContextId, ended: u64, state: EndState) -> Settled {
    let (worker, claimed, message) = (None, None, String::new());
    Settled {
        id,
        state,
        attempt: AttemptNo::FIRST,
        worker,
        claimed,
        ended: TimestampMs::new(ended),
        message,
        group: None,
        handler: None,
        failures: 0,
    }
}

fn rate() -> Trigger {
    Trigger::FixedRate {
        period_ms: 100,
        anchor_ms: None,
    }
}

#[track_caller]
fn problem(story: &Story, expected: &str) {
    let problems = check(story);
    assert!(
        problems.iter().any(|problem| problem.contains(expected)),
        "{expected} is not among {problems:?}"
    );
}

#[test]
fn a_whole_ledger_has_no_problem() {
    let whole = story(
        rate(),
        &[
            "0 F +1",
            "100 S overlap_discard",
            "200-400x3 M misfire_skip",
            "500 F +1",
        ],
    );
    assert_eq!(check(&whole), Vec::<String>::new());
    let cron = Trigger::Cron {
        expression: "* * * * * *".to_owned(),
        time_zone: String::new(),
    };
    assert_eq!(
        check(&story(cron, &["0 F +1", "1000 F +1", "2000 F +0"])),
        Vec::<String>::new()
    );
}

#[test]
fn a_gap_is_named() {
    problem(
        &story(rate(), &["0 F +1", "200 F +1"]),
        &format!("gap: due time {}", FIRST + 100),
    );
    let mut behind = story(rate(), &["0 F +1"]);
    behind.next_due = Some(TimestampMs::new(FIRST + 300));
    problem(&behind, &format!("gap: due time {}", FIRST + 200));
}

#[test]
fn a_double_is_named() {
    problem(
        &story(
            rate(),
            &["0 F +1", "100 F +1", "100 M misfire_skip", "200 F +1"],
        ),
        "double: due time",
    );
    problem(
        &story(rate(), &["0 F +1", "100 F +1", "100 F +1"]),
        "fired before",
    );
    problem(
        &story(rate(), &["0 F +1", "100-300x3 M misfire_skip", "300 F +1"]),
        "double: due time",
    );
}

#[test]
fn a_due_time_of_no_calendar_is_named() {
    problem(
        &story(rate(), &["0 F +1", "50 F +1", "100 F +1"]),
        "none of its calendar",
    );
    problem(
        &story(rate(), &["0 F +1", "100-300x2 M misfire_skip"]),
        "stands for 2 due times",
    );
    let mut early = story(rate(), &["0 F +1", "100 F +1"]);
    early.next_due = Some(TimestampMs::new(FIRST + 100));
    problem(&early, "not come yet");
}

#[test]
fn a_firing_without_a_context_and_a_context_without_a_firing_are_named() {
    let mut lost = story(rate(), &["0 F +1", "100 F +1"]);
    lost.runs.pop();
    problem(&lost, "lost: ");
    let mut twice = story(rate(), &["0 F +1"]);
    twice.runs.extend(twice.runs.clone());
    problem(&twice, "ended 2 times");
    let mut unknown = story(rate(), &["0 F +1"]);
    unknown.runs.push(run(
        ContextId::firing(
            &unknown.spec.name,
            TimestampMs::new(FIRST + 100),
            unknown.partitions,
        ),
        FIRST,
        EndState::Failed,
    ));
    problem(&unknown, "no record says");
    let mut miscounted = story(rate(), &["0 F +1"]);
    miscounted.fired = 2;
    problem(&miscounted, "counts 2 firings");
}

#[test]
fn a_delay_counts_from_the_end_before() {
    let delay = Trigger::FixedDelay { delay_ms: 50 };
    let mut chain = story(delay.clone(), &["0 F +1", "55 F +1", "110 F +1"]);
    chain.next_due = Some(TimestampMs::new(FIRST + 165));
    assert_eq!(check(&chain), Vec::<String>::new());
    chain.next_due = None;
    problem(&chain, "gap: after");
    problem(&story(delay.clone(), &["0 F +1", "54 F +1"]), "follows");
    problem(&story(delay, &["0 F +1", "55 F +1", "55 F +1"]), "double");
}

#[test]
fn each_end_of_the_upstream_fires_its_follower_once() {
    let upstream = story(rate(), &["0 F +1", "100 F +1"]);
    let trigger = Trigger::After {
        job: upstream.spec.name.clone(),
        on: AfterOn::Succeeded,
    };
    let mut follower = story(trigger, &[]);
    follower.spec.name = JobName::new("default/f").unwrap();
    let fire = |upstream: &ContextId| {
        let due = TimestampMs::new(FIRST + 200);
        let context_id = Some(ContextId::after(
            &JobName::new("default/f").unwrap(),
            due,
            upstream,
            PartitionCount::new(4).unwrap(),
        ));
        LedgerRecord {
            context_id,
            ..LedgerRecord::fired(due, due)
        }
    };
    let ids: Vec<ContextId> = upstream.runs.iter().map(|run| run.id.clone()).collect();
    follower.records = ids.iter().map(fire).collect();
    let check = |follower: &Story| follower::check(follower, &upstream, AfterOn::Succeeded);
    assert_eq!(check(&follower), Vec::<String>::new());
    follower.records.push(fire(&ids[0]));
    assert!(
        check(&follower)[0].contains("fired 2 times"),
        "{:?}",
        check(&follower)
    );
    follower.records = vec![fire(&ids[0])];
    assert!(
        check(&follower)[0].contains("gap: 1 of 2 ends"),
        "{:?}",
        check(&follower)
    );
    follower.records = ids
        .iter()
        .chain([&ids[0]
            .to_string()
            .replace("176722560", "176722561")
            .parse()
            .unwrap()])
        .map(fire)
        .collect();
    assert!(
        check(&follower)[0].contains("no succeeded end"),
        "{:?}",
        check(&follower)
    );
    // One of another namespace hears of ends only with consent.
    follower.spec.name = JobName::new("other/f").unwrap();
    follower.records = Vec::new();
    assert_eq!(check(&follower), Vec::<String>::new());
    let mut consents = upstream.clone();
    consents.spec.followed_by.insert("other".parse().unwrap());
    let missing = follower::check(&follower, &consents, AfterOn::Succeeded);
    assert!(missing[0].contains("gap: 2 of 2 ends"), "{missing:?}");
}
