//! Each filter of a list chooses what it says, and all that are given have to hold.

use tickwheel_core::run::ContextState;
use tickwheel_store::context::{ContextFilter, PageBounds};

use super::of_state;
use super::rows::{Row, bury, page, run, schedule};
use crate::harness::{Harness, fresh, ms};

/// In each of four partitions one that is scheduled, one that runs and one that failed.
async fn seeded() -> Option<Harness> {
    let test = fresh().await?;
    for n in 0..4 {
        let row = |time: u64, id: &str| Row {
            partition: n,
            time: time + u64::from(n),
            id: format!("{n}.{}.{id}", time + u64::from(n)),
        };
        schedule(&test, &row(100, "w")).await;
        bury(&test, &row(10, "d")).await;
        run(&test, &row(50, "h")).await;
    }
    Some(test)
}

async fn chooses(test: &Harness, filter: ContextFilter, expected: &[&str]) {
    let page = page(test, &filter, "", PageBounds::from(50)).await;
    let ids: Vec<&str> = page.items.iter().map(|view| view.id.as_str()).collect();
    assert_eq!(
        (ids.as_slice(), page.next.as_str()),
        (expected, ""),
        "{filter:?}"
    );
}

fn any() -> ContextFilter {
    ContextFilter::default()
}

#[tokio::test]
async fn a_worker_has_what_it_runs_and_ran() {
    let Some(test) = seeded().await else { return };
    let of = |worker: &str| ContextFilter {
        worker: Some(worker.parse().unwrap()),
        ..any()
    };
    let all = [
        "0.50.h", "1.51.h", "2.52.h", "3.53.h", "3.13.d", "2.12.d", "1.11.d", "0.10.d",
    ];
    chooses(&test, of("w-1"), &all).await;
    chooses(&test, of("w-2"), &[]).await;
    let failed = ContextFilter {
        states: vec![ContextState::Failed, ContextState::Scheduled],
        ..of("w-1")
    };
    chooses(&test, failed, &all[4..]).await;
}

#[tokio::test]
async fn a_message_is_found_in_any_case_of_letters() {
    let Some(test) = seeded().await else { return };
    let of = |error: &str| ContextFilter {
        error: error.to_owned(),
        ..any()
    };
    let all = ["3.13.d", "2.12.d", "1.11.d", "0.10.d"];
    chooses(&test, of("SUCH Host"), &all).await;
    chooses(&test, of("%s.*"), &[]).await;
    chooses(&test, of("H\u{d6}ST"), &[]).await;
    let later = ContextFilter {
        ended_from: Some(ms(12)),
        ..of("no such host")
    };
    chooses(&test, later, &all[..2]).await;
}

#[tokio::test]
async fn times_are_from_one_to_before_another() {
    let Some(test) = seeded().await else { return };
    let ended = |from: Option<u64>, to: Option<u64>| ContextFilter {
        ended_from: from.map(ms),
        ended_to: to.map(ms),
        ..any()
    };
    chooses(&test, ended(None, Some(12)), &["1.11.d", "0.10.d"]).await;
    let failed = ContextFilter {
        states: vec![ContextState::Failed],
        ..ended(Some(11), Some(13))
    };
    chooses(&test, failed, &["2.12.d", "1.11.d"]).await;
    let due = |from: Option<u64>, to: Option<u64>| ContextFilter {
        due_from: from.map(ms),
        due_to: to.map(ms),
        ..any()
    };
    chooses(&test, due(Some(102), None), &["2.102.w", "3.103.w"]).await;
    let both = ["3.53.h", "0.100.w", "1.101.w"];
    chooses(&test, due(Some(53), Some(102)), &both).await;
    let scheduled = ContextFilter {
        due_to: Some(ms(102)),
        ..of_state(ContextState::Scheduled)
    };
    chooses(&test, scheduled, &both[1..]).await;
}

#[tokio::test]
async fn states_handler_and_group_hold_together() {
    let Some(test) = seeded().await else { return };
    let filter = ContextFilter {
        states: vec![ContextState::Running, ContextState::Failed],
        due_to: Some(ms(51)),
        ..any()
    };
    let all = ["0.50.h", "3.13.d", "2.12.d", "1.11.d", "0.10.d"];
    chooses(&test, filter, &all).await;
    let of = |group: &str, handler: &str| ContextFilter {
        group: Some(group.parse().unwrap()),
        handler: Some(handler.parse().unwrap()),
        due_from: Some(ms(103)),
        ..any()
    };
    chooses(&test, of("g", "h"), &["3.103.w"]).await;
    chooses(&test, of("g", "other"), &[]).await;
    chooses(&test, of("other", "h"), &[]).await;
}
