//! What was seen of one job so far: its ledger records and its contexts. Merging the same answer twice changes nothing.

use std::collections::BTreeMap;

use tickwheel_client::has_ended;
use tickwheel_proto::v1;
use tickwheel_proto::v1::ledger_record::Verdict;

/// Everything seen of one job, of due times since `since_ms`.
#[derive(Debug, Default)]
pub(super) struct Book {
    since_ms: u64,
    /// By due time and context; the second tells runs on demand apart that were due in one millisecond.
    records: BTreeMap<(u64, String), v1::LedgerRecord>,
    contexts: BTreeMap<String, v1::Context>,
}

/// Something that was not known before.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum News {
    /// A context has ended.
    Ended(Box<v1::Context>),
    /// A due time passed without firing.
    NotFired(String, v1::LedgerRecord),
}

impl News {
    /// When it happened, to sort by.
    pub(crate) fn at_ms(&self) -> u64 {
        match self {
            Self::Ended(context) => context.ended_ms,
            Self::NotFired(_, record) => record.decided_ms.max(record.due_ms),
        }
    }
}

impl Book {
    pub(super) fn new(since_ms: u64) -> Self {
        Self {
            since_ms,
            ..Self::default()
        }
    }

    /// Adds ledger records of the job; returns those that did not fire and are new.
    pub(super) fn add_records(&mut self, job: &str, records: Vec<v1::LedgerRecord>) -> Vec<News> {
        let mut news = Vec::new();
        for record in records {
            // A mark of a new revision or of a resumption is no due time.
            if record.last_due_ms.max(record.due_ms) < self.since_ms
                || record.verdict() == Verdict::Unspecified
            {
                continue;
            }
            let key = (record.due_ms, record.context_id.clone());
            let known = self.records.insert(key, record.clone()).is_some();
            if !known && record.verdict() != Verdict::Fired {
                news.push(News::NotFired(job.to_owned(), record));
            }
        }
        news
    }

    /// Adds contexts of the job; returns those that have ended since the last time.
    pub(super) fn add_contexts(&mut self, contexts: Vec<v1::Context>) -> Vec<News> {
        let mut news = Vec::new();
        for context in contexts {
            if context.due_ms < self.since_ms {
                continue;
            }
            let earlier = self.contexts.insert(context.id.clone(), context.clone());
            let was_ended = earlier.is_some_and(|c| has_ended(c.state()));
            if has_ended(context.state()) && !was_ended {
                news.push(News::Ended(Box::new(context)));
            }
        }
        news
    }

    /// Contexts that fired, or were seen, and are not known to have ended.
    pub(super) fn open(&self) -> Vec<String> {
        let fired = self
            .records
            .values()
            .filter(|r| r.verdict() == Verdict::Fired);
        let mut ids: Vec<_> = fired
            .map(|r| &r.context_id)
            .filter(|id| !id.is_empty())
            .chain(self.contexts.keys())
            .filter(|id| !self.contexts.get(*id).is_some_and(|c| has_ended(c.state())))
            .cloned()
            .collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// Whether a record speaks of this due time.
    pub(super) fn has_due(&self, due_ms: u64) -> bool {
        self.records
            .values()
            .any(|r| r.due_ms == due_ms || (r.due_ms..=r.last_due_ms).contains(&due_ms))
    }

    /// Due times with this verdict.
    pub(super) fn count(&self, verdict: Verdict) -> u64 {
        self.records
            .values()
            .filter(|r| r.verdict() == verdict)
            .map(|r| r.count.max(1))
            .sum()
    }

    /// Contexts in one of these states.
    pub(super) fn count_states(&self, states: &[v1::ContextState]) -> u64 {
        let matching = self
            .contexts
            .values()
            .filter(|c| states.contains(&c.state()));
        matching.map(|_| 1).sum()
    }

    /// The ends of this job's contexts.
    pub(super) fn ends(&self) -> impl Iterator<Item = &v1::Context> {
        self.contexts.values().filter(|c| has_ended(c.state()))
    }

    /// Due times that have any record.
    pub(super) fn decided(&self) -> u64 {
        self.records.values().map(|r| r.count.max(1)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(due_ms: u64, verdict: Verdict) -> v1::LedgerRecord {
        v1::LedgerRecord {
            due_ms,
            last_due_ms: due_ms,
            count: 1,
            verdict: verdict.into(),
            context_id: if verdict == Verdict::Fired {
                format!("c{due_ms}")
            } else {
                String::new()
            },
            ..v1::LedgerRecord::default()
        }
    }

    fn context(due_ms: u64, state: v1::ContextState) -> v1::Context {
        v1::Context {
            id: format!("c{due_ms}"),
            due_ms,
            state: state.into(),
            ..v1::Context::default()
        }
    }

    #[test]
    fn an_end_is_news_once() {
        let mut book = Book::new(10);
        assert!(
            book.add_contexts(vec![context(20, v1::ContextState::Running)])
                .is_empty()
        );
        assert_eq!(
            book.add_contexts(vec![context(20, v1::ContextState::Succeeded)])
                .len(),
            1
        );
        assert!(
            book.add_contexts(vec![context(20, v1::ContextState::Succeeded)])
                .is_empty()
        );
        assert!(
            book.add_contexts(vec![context(5, v1::ContextState::Failed)])
                .is_empty()
        );
        assert_eq!(book.count_states(&[v1::ContextState::Succeeded]), 1);
        assert_eq!(book.count_states(&[v1::ContextState::Failed]), 0);
    }

    #[test]
    fn what_did_not_fire_is_news_and_marks_are_not() {
        let mut book = Book::new(10);
        let news = book.add_records(
            "a",
            vec![
                record(20, Verdict::Fired),
                record(21, Verdict::Missed),
                record(22, Verdict::Unspecified),
                record(3, Verdict::Skipped),
            ],
        );
        assert_eq!(news.len(), 1);
        assert_eq!(book.decided(), 2);
        assert_eq!(book.count(Verdict::Fired), 1);
    }

    #[test]
    fn a_fired_context_is_open_until_its_end_is_seen() {
        let mut book = Book::new(0);
        book.add_records("a", vec![record(20, Verdict::Fired)]);
        assert_eq!(book.open(), ["c20"]);
        book.add_contexts(vec![context(20, v1::ContextState::Retrying)]);
        assert_eq!(book.open(), ["c20"]);
        book.add_contexts(vec![context(20, v1::ContextState::Failed)]);
        assert!(book.open().is_empty());
    }

    #[test]
    fn a_run_of_due_times_covers_all_of_them() {
        let mut book = Book::new(0);
        let mut run = record(1_000, Verdict::Missed);
        run.last_due_ms = 5_000;
        run.count = 5;
        book.add_records("a", vec![run]);
        assert!(book.has_due(3_000));
        assert!(!book.has_due(6_000));
        assert_eq!(book.count(Verdict::Missed), 5);
    }
}
