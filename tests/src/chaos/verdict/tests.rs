use super::*;
use crate::harness::snapshot::Partition;
use tickwheel_store::record::Dead;

const ID: &str = "0.1000.1-1";

fn run(attempt: u32, worker: &str, span: (u64, u64), outcome: &str) -> Run {
    Run {
        context: ID.to_owned(),
        attempt,
        worker: worker.to_owned(),
        handler: "ok".to_owned(),
        due_ms: 1_000,
        start_ms: span.0,
        start_us: 0,
        end_ms: Some(span.1),
        outcome: outcome.to_owned(),
    }
}

fn settled(attempt: u32) -> Settled {
    Settled::parse(format!("{ID}\tsucceeded\t{attempt}\tw-1\t1000\t1010\t\tg\th\t0").as_bytes())
        .unwrap()
}

fn figures(runs: &[Run], ends: &[Settled]) -> Figures {
    let accounts = Accounts {
        accepted: vec![(ID.to_owned(), 990)],
        ..Accounts::default()
    };
    let partition = Partition {
        settled: ends.to_vec(),
        ..Partition::default()
    };
    let snapshot = Snapshot {
        partitions: vec![partition],
    };
    let mut figures = Figures::default();
    figures.take(&Evidence {
        accounts: &accounts,
        snapshot: &snapshot,
        runs,
        marks: &[1_005],
        recoveries: &[],
        loss: &Loss::default(),
    });
    figures
}

#[test]
fn what_ran_and_ended_once_is_complete() {
    let figures = figures(&[run(1, "a", (1_001, 1_002), "ok")], &[settled(1)]);
    assert_eq!((figures.submitted, figures.completed), (1, 1));
    assert_eq!((figures.lost, figures.same_fence_twice), (0, 0));
    assert_eq!((figures.stale_accepted, figures.reruns), (0, 0));
}

#[test]
fn what_neither_ran_nor_ended_is_lost_and_so_is_a_success_without_a_run() {
    assert_eq!(figures(&[], &[]).lost, 1);
    assert_eq!(figures(&[], &[settled(1)]).lost, 1);
    let died = run(1, "a", (1_001, 1_002), "killed");
    assert_eq!(figures(&[died], &[]).lost, 1);
}

#[test]
fn what_ended_long_ago_and_is_among_the_dead_is_not_lost() {
    let accounts = Accounts {
        accepted: vec![(ID.to_owned(), 990)],
        ..Accounts::default()
    };
    let failed = format!("{ID}\tfailed\t1\tw-1\t1000\t1010\tno\tg\th\t1\n1 g h 2 - body");
    let partition = Partition {
        dead: vec![(1_010, Dead::parse(&failed.into()).unwrap())],
        ..Partition::default()
    };
    let snapshot = Snapshot {
        partitions: vec![partition],
    };
    let mut figures = Figures::default();
    figures.take(&Evidence {
        accounts: &accounts,
        snapshot: &snapshot,
        runs: &[run(1, "a", (1_001, 1_002), "killed")],
        marks: &[1_005],
        recoveries: &[],
        loss: &Loss::default(),
    });
    assert_eq!((figures.lost, figures.completed), (0, 1));
    assert_eq!((figures.ended_failed, figures.stale_accepted), (1, 0));
}

#[test]
fn an_attempt_on_two_workers_is_the_same_fence_twice() {
    let runs = [
        run(1, "a", (1_001, 1_002), "ok"),
        run(1, "b", (1_003, 1_004), "ok"),
    ];
    assert_eq!(figures(&runs, &[settled(1)]).same_fence_twice, 1);
}

#[test]
fn an_end_by_an_older_attempt_or_a_second_end_is_stale() {
    let runs = [
        run(1, "a", (1_001, 1_030), "ok"),
        run(2, "b", (1_020, 1_021), "ok"),
    ];
    assert_eq!(figures(&runs, &[settled(1)]).stale_accepted, 1);
    assert_eq!(figures(&runs, &[settled(2)]).stale_accepted, 0);
    assert_eq!(figures(&runs, &[settled(2), settled(2)]).stale_accepted, 1);
}

#[test]
fn recovery_counts_from_the_death_of_the_worker() {
    let runs = [
        run(1, "a", (1_001, 1_100), "killed"),
        run(2, "b", (1_350, 1_351), "ok"),
    ];
    let figures = figures(&runs, &[settled(2)]);
    assert_eq!((figures.reruns, figures.recovery_p99_ms), (1, 250));
}

#[test]
fn lateness_counts_from_the_fault_for_what_was_due_before_it() {
    let figures = figures(&[run(2, "a", (1_105, 1_106), "ok")], &[settled(2)]);
    assert_eq!(figures.late_max_ms, 100);
}

#[test]
fn percentiles() {
    let numbers: Vec<u64> = (1..=200).collect();
    assert_eq!(percentile(&numbers, 50), 100);
    assert_eq!(percentile(&numbers, 99), 198);
    assert_eq!(percentile(&numbers, 100), 200);
    assert_eq!(percentile(&[], 99), 0);
}

#[test]
fn what_is_gone_by_the_nature_of_a_fault_is_not_lost_and_all_else_is() {
    let partition = Partition {
        settled: vec![settled(2)],
        ..Partition::default()
    };
    let backup = Snapshot {
        partitions: vec![partition],
    };
    let later = Run {
        context: "0.2000.1-2".to_owned(),
        ..run(1, "a", (2_001, 2_002), "ok")
    };
    let of_then = run(2, "a", (1_001, 1_002), "ok");
    let accepted = [(ID.to_owned(), 990), (later.context.clone(), 1_990)];
    let loss = Loss::since(&backup, &accepted, &[of_then.clone(), later.clone()]);
    assert_eq!(
        loss.contexts.iter().collect::<Vec<_>>(),
        ["0.2000.1-2"],
        "what the backup has is not gone"
    );
    let known = loss.known(vec![of_then.clone(), later]);
    assert_eq!(known, [of_then]);
    let emptied = Loss::of_emptied(&backup);
    assert!(emptied.contexts.is_empty() && emptied.ended.contains(ID));
}

#[test]
fn a_run_that_the_store_forgot_counts_unless_its_attempt_was_started_again() {
    let (first, second) = (
        run(1, "a", (1_001, 1_002), "ok"),
        run(1, "b", (5_001, 5_002), "ok"),
    );
    let loss = Loss {
        runs: std::iter::once((ID.to_owned(), 1, 1_001)).collect(),
        ..Loss::default()
    };
    let known = loss.known(vec![first.clone(), second.clone()]);
    assert_eq!(known, [second]);
    assert_eq!(loss.known(vec![first.clone()]), [first]);
}

#[test]
fn strangers_are_told_by_the_end_of_their_ids() {
    let loss = Loss {
        strangers: vec![".z-".to_owned()],
        ..Loss::default()
    };
    assert!(loss.is_strange("3.5.z-17"));
    assert!(!loss.is_strange("3.5.z-17x") && !loss.is_strange(ID));
}
