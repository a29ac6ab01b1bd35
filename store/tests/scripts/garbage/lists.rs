//! Every list to its end, and how much of each could not be read.

use std::time::Duration;

use tickwheel_core::id::{ContextId, JobName};
use tickwheel_core::limits::LimitName;
use tickwheel_core::run::ContextState;
use tickwheel_store::context::ContextFilter;
use tickwheel_store::dead::DeadFilter;
use tickwheel_store::fan::SubtaskState;
use tickwheel_store::history::Budget;

use crate::damage::good::Good;
use crate::harness::{Harness, partition};

const STATES: [ContextState; 11] = [
    ContextState::Scheduled,
    ContextState::Queued,
    ContextState::Ready,
    ContextState::Running,
    ContextState::WaitingForSubtasks,
    ContextState::Retrying,
    ContextState::Succeeded,
    ContextState::Failed,
    ContextState::TimedOut,
    ContextState::Cancelled,
    ContextState::Expired,
];

/// Pages of one list until its end: how many items, and how many that could not be read.
struct Pages(usize, u64);

impl Pages {
    fn add(&mut self, items: usize, unreadable: u64) {
        self.0 += items;
        self.1 += unreadable;
    }
}

async fn contexts(test: &Harness, filter: &ContextFilter) -> Pages {
    let (mut pages, mut cursor) = (Pages(0, 0), String::new());
    for _ in 0..200 {
        let page = test.store.list_contexts(filter, &cursor, 50).await.unwrap();
        pages.add(page.items.len(), page.unreadable);
        if page.next.is_empty() {
            return pages;
        }
        cursor = page.next;
    }
    panic!("{filter:?} does not end: {cursor}");
}

/// Every list of contexts, to its end.
pub(crate) async fn lists_of_contexts(test: &Harness, job: &JobName) -> u64 {
    let mut unreadable = 0;
    let of_all = STATES.into_iter().map(|state| (Some(state), None));
    let of_job = [
        None,
        Some(ContextState::Running),
        Some(ContextState::Failed),
    ];
    let of_job = of_job.map(|state| (state, Some(job.clone())));
    for (state, job) in std::iter::once((None, None)).chain(of_all).chain(of_job) {
        let filter = ContextFilter {
            states: state.into_iter().collect(),
            job,
            ..ContextFilter::default()
        };
        unreadable += contexts(test, &filter).await.1;
    }
    let mut cursor = String::new();
    for _ in 0..200 {
        let page = test
            .store
            .list_dead(&DeadFilter::default(), &cursor, 50)
            .await
            .unwrap();
        unreadable += page.unreadable;
        cursor = page.next;
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(cursor, "", "the dead do not end");
    test.store.dead_counts().await.unwrap();
    unreadable
}

/// The tokens, and what was done by them.
async fn of_access(test: &Harness) -> u64 {
    let (mut unreadable, mut cursor) = (0, String::new());
    for _ in 0..50 {
        let page = test.store.list_tokens(&cursor).await.unwrap();
        unreadable += page.unreadable;
        cursor = page.next;
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(cursor, "", "the tokens do not end");
    for _ in 0..50 {
        let page = test.store.list_audit(&cursor, 100).await.unwrap();
        unreadable += page.unreadable;
        cursor = page.next;
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(cursor, "", "the audit does not end");
    unreadable
}

/// Every other list.
pub(crate) async fn other_lists(test: &Harness, good: &Good) -> u64 {
    let store = &test.store;
    let (mut unreadable, mut after) = (0, None);
    for _ in 0..20 {
        let page = store.list_jobs("", after.as_ref(), 10).await.unwrap();
        unreadable += page.unreadable;
        if page.next.is_empty() {
            break;
        }
        after = Some(page.next.parse().unwrap());
    }
    let job: JobName = "a/queue".parse().unwrap();
    unreadable += store.ledger(&job, 1_000).await.unwrap().unreadable;
    unreadable += store.runs(&job, 1_000).await.unwrap().unreadable;
    unreadable += store.read_workers(None).await.unwrap().unreadable;
    unreadable += store.list_limits().await.unwrap().unreadable;
    unreadable += of_access(test).await;
    let limit = LimitName {
        group: "default".parse().unwrap(),
        key: None,
    };
    store.limit_states(&[limit]).await.unwrap();
    store.list_trackers().await.unwrap();
    store.counters().await.unwrap();
    for id in [&good.scheduled, &good.retrying, &good.ready, &good.dead] {
        assert!(
            store
                .get_context(&id.parse().unwrap())
                .await
                .unwrap()
                .is_some()
        );
    }
    let root: ContextId = good.running.parse().unwrap();
    assert!(store.get_context(&root).await.unwrap().is_some());
    store.log(&root, "").await.unwrap();
    let budget = Budget {
        logs: 1 << 20,
        results: 1 << 20,
        dead: 1 << 24,
        keep: Duration::from_hours(24),
    };
    store.tend(partition(0), budget).await.unwrap();
    for state in SubtaskState::ALL {
        let mut position = String::new();
        for _ in 0..50 {
            let page = store.list_subtasks(&root, state, (&position, 100)).await;
            let Some((_, page)) = page.unwrap() else {
                break;
            };
            unreadable += page.unreadable;
            position = page.next;
            if position.is_empty() {
                break;
            }
        }
        assert_eq!(position, "", "the subtasks do not end");
    }
    unreadable
}
