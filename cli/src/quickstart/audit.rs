//! Which due times should have a ledger record and have none.
//!
//! The calendar arithmetic runs here, beside the tracker's, from the definition alone; the cut is placed far enough in the
//! past that everything due before it has long been decided.

use tickwheel_core::job::{AfterOn, JobSpec, Trigger};
use tickwheel_core::{Calendar, TimestampMs};
use tickwheel_proto::v1;

use super::book::Book;

/// What is checked of one job.
#[derive(Debug)]
pub(super) struct Span {
    /// The first due time after the job was registered or resumed; a fixed rate's grid goes through it.
    pub(super) first_due_ms: Option<u64>,
    /// Due times after this are not judged.
    pub(super) cut_ms: u64,
}

/// How many due times of a job driven by the clock have no record.
pub(super) fn lost_dues(spec: &JobSpec, span: &Span, book: &Book) -> u64 {
    let Some(first) = span.first_due_ms.filter(|first| *first <= span.cut_ms) else {
        return 0;
    };
    expected_dues(spec, first, span.cut_ms)
        .filter(|due| !book.has_due(*due))
        .map(|_| 1)
        .sum()
}

/// The due times from the first to the cut. Those of a delay follow from the ends of its own executions, so only the
/// first is known beforehand; [`broken_chain`] watches the others.
fn expected_dues(spec: &JobSpec, first: u64, cut: u64) -> Box<dyn Iterator<Item = u64>> {
    let mut spec = spec.clone();
    match &mut spec.trigger {
        Trigger::FixedRate { anchor_ms, .. } => *anchor_ms = Some(TimestampMs::new(first)),
        Trigger::Cron { .. } => {}
        Trigger::FixedDelay { .. } | Trigger::Once { .. } => {
            return Box::new(std::iter::once(first));
        }
        Trigger::Manual | Trigger::After { .. } => return Box::new(std::iter::empty()),
    }
    // The tracker has accepted the definition, so it has a calendar.
    let Ok(calendar) = Calendar::new(&spec, TimestampMs::new(first.saturating_sub(1))) else {
        return Box::new(std::iter::once(first));
    };
    let dues = std::iter::successors(Some(TimestampMs::new(first)), move |due| {
        calendar.next_after(*due)
    });
    Box::new(
        dues.map(TimestampMs::as_u64)
            .take_while(move |due| *due <= cut),
    )
}

/// Whether a delay job has stopped for no reason: nothing of it runs or waits, and no next firing is in the wheel, or
/// one that should have been popped before the cut.
pub(super) fn broken_chain(spec: &JobSpec, job: &v1::Job, cut_ms: u64) -> bool {
    let idle = job.active.is_empty() && job.queued == 0 && job.state() == v1::JobState::Active;
    spec.trigger.delay_ms().is_some() && idle && job.next_due_ms.is_none_or(|next| next <= cut_ms)
}

/// How many ends of the upstream job before the cut brought the follower no record.
pub(super) fn lost_followers(on: AfterOn, upstream: &Book, follower: &Book, cut_ms: u64) -> u64 {
    let ends = upstream
        .ends()
        .filter(|c| c.ended_ms <= cut_ms && matches(on, c.state()));
    ends.map(|_| 1_u64)
        .sum::<u64>()
        .saturating_sub(follower.decided())
}

fn matches(on: AfterOn, state: v1::ContextState) -> bool {
    let succeeded = state == v1::ContextState::Succeeded;
    match on {
        AfterOn::Succeeded => succeeded,
        AfterOn::Failed => !succeeded,
        AfterOn::Ended => true,
    }
}

#[cfg(test)]
mod tests {
    use tickwheel_core::{GroupName, HandlerName, JobName};
    use tickwheel_proto::v1::ledger_record::Verdict;

    use super::*;

    fn spec(trigger: Trigger) -> JobSpec {
        JobSpec::new(
            JobName::new("demo/a").unwrap(),
            GroupName::new("default").unwrap(),
            HandlerName::new("noop").unwrap(),
            trigger,
        )
    }

    fn book(dues: impl IntoIterator<Item = u64>) -> Book {
        let mut book = Book::new(0);
        let records = dues.into_iter().map(|due_ms| v1::LedgerRecord {
            due_ms,
            last_due_ms: due_ms,
            count: 1,
            verdict: Verdict::Fired.into(),
            ..v1::LedgerRecord::default()
        });
        book.add_records("demo/a", records.collect());
        book
    }

    const FIRST: u64 = 1_767_225_600_000;

    fn span(cut_ms: u64) -> Span {
        Span {
            first_due_ms: Some(FIRST),
            cut_ms,
        }
    }

    #[test]
    fn a_hole_in_a_fixed_rate_is_found() {
        let rate = spec(Trigger::FixedRate {
            period_ms: 500,
            anchor_ms: None,
        });
        let full: Vec<_> = (0..=20).map(|k| FIRST + k * 500).collect();
        let span = span(FIRST + 10_000);
        assert_eq!(lost_dues(&rate, &span, &book(full.iter().copied())), 0);
        let holed = full.iter().copied().filter(|due| due % 5_000 != 0);
        assert_eq!(lost_dues(&rate, &span, &book(holed)), 3);
    }

    #[test]
    fn a_hole_in_a_cron_is_found() {
        let cron = spec(Trigger::Cron {
            expression: "* * * * * ?".to_owned(),
            time_zone: String::new(),
        });
        let full = (0..=10).map(|k| FIRST + k * 1_000);
        assert_eq!(
            lost_dues(&cron, &span(FIRST + 10_500), &book(full.clone())),
            0
        );
        assert_eq!(
            lost_dues(&cron, &span(FIRST + 10_500), &book(full.skip(1))),
            1
        );
    }

    #[test]
    fn what_is_due_after_the_cut_is_not_judged() {
        let rate = spec(Trigger::FixedRate {
            period_ms: 500,
            anchor_ms: None,
        });
        assert_eq!(lost_dues(&rate, &span(FIRST - 1), &book([])), 0);
        assert_eq!(lost_dues(&rate, &span(FIRST), &book([])), 1);
        let never = Span {
            first_due_ms: None,
            cut_ms: u64::MAX,
        };
        assert_eq!(lost_dues(&spec(Trigger::Manual), &never, &book([])), 0);
    }

    #[test]
    fn a_delay_that_neither_runs_nor_waits_is_broken() {
        let delay = spec(Trigger::FixedDelay { delay_ms: 100 });
        let mut job = v1::Job {
            state: v1::JobState::Active.into(),
            ..v1::Job::default()
        };
        assert!(broken_chain(&delay, &job, FIRST));
        job.next_due_ms = Some(FIRST + 1);
        assert!(!broken_chain(&delay, &job, FIRST));
        job.next_due_ms = None;
        job.active.push("c".to_owned());
        assert!(!broken_chain(&delay, &job, FIRST));
    }

    #[test]
    fn each_success_upstream_brings_the_follower_a_record() {
        let mut upstream = Book::new(0);
        let context = |id: &str, state: v1::ContextState| v1::Context {
            id: id.to_owned(),
            state: state.into(),
            ended_ms: FIRST,
            ..v1::Context::default()
        };
        upstream.add_contexts(vec![
            context("a", v1::ContextState::Succeeded),
            context("b", v1::ContextState::Succeeded),
            context("c", v1::ContextState::Failed),
        ]);
        let follower = book([FIRST]);
        assert_eq!(
            lost_followers(AfterOn::Succeeded, &upstream, &follower, FIRST),
            1
        );
        assert_eq!(
            lost_followers(AfterOn::Failed, &upstream, &follower, FIRST),
            0
        );
        assert_eq!(
            lost_followers(AfterOn::Ended, &upstream, &follower, FIRST),
            2
        );
        assert_eq!(
            lost_followers(AfterOn::Ended, &upstream, &follower, FIRST - 1),
            0
        );
    }
}
