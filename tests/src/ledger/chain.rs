//! Fixed delay and second delay: each due time follows from the end of the firing before it.

use std::collections::BTreeMap;

use tickwheel_core::id::ContextId;
use tickwheel_core::ledger::{LedgerRecord, LedgerVerdict};
use tickwheel_core::time::TimestampMs;

use super::story::Story;

pub(super) fn check(story: &Story) -> Vec<String> {
    let delay_ms = story.spec.trigger.delay_ms().unwrap_or(0);
    let ends: BTreeMap<&ContextId, TimestampMs> =
        story.runs.iter().map(|run| (&run.id, run.ended)).collect();
    // A delay after the end; behind its own due time where the clock was set back meanwhile.
    let next_of = |due: TimestampMs| {
        let end = ends.get(&ContextId::firing(&story.spec.name, due, story.partitions))?;
        Some(end.plus_ms(delay_ms).max(due.plus_ms(1)))
    };
    let records: Vec<&LedgerRecord> = story.scheduled().collect();
    let mut problems = Vec::new();
    let first = records.first().map(|record| record.from).or(story.next_due);
    if first != story.first_due && story.last_due.is_some() {
        problems.push(story.problem(format_args!(
            "begins at {first:?} instead of {:?}",
            story.first_due
        )));
    }
    for pair in records.windows(2) {
        let [before, after] = pair else { continue };
        if after.from <= before.to {
            problems
                .push(story.problem(format_args!("double: `{after}` does not follow `{before}`")));
        }
        if before.verdict != LedgerVerdict::Fired || redefined(story, before.from, after.from) {
            continue;
        }
        let expected = next_of(before.from);
        if expected != Some(after.from) {
            let end = expected.map_or("has not ended".to_owned(), |expected| {
                format!("ended, and {} is next", expected.as_u64())
            });
            problems.push(story.problem(format_args!("`{after}` follows `{before}`, which {end}")));
        }
    }
    problems.extend(next(story, records.last().copied(), next_of));
    problems
}

/// What the job expects after its last record.
fn next(
    story: &Story,
    last: Option<&LedgerRecord>,
    next_of: impl Fn(TimestampMs) -> Option<TimestampMs>,
) -> Option<String> {
    let last =
        last.filter(|last| last.verdict == LedgerVerdict::Fired && story.state == "active")?;
    if redefined(story, last.from, TimestampMs::new(u64::MAX)) {
        return None;
    }
    let expected = next_of(last.from);
    let holds = story.next_due == expected;
    (!holds).then(|| {
        story.problem(format_args!(
            "gap: after `{last}` it expects {:?} instead of {expected:?}",
            story.next_due
        ))
    })
}

/// A new revision, or a resume, begins a new chain.
fn redefined(story: &Story, from: TimestampMs, to: TimestampMs) -> bool {
    story.records.iter().any(|record| {
        record.verdict == LedgerVerdict::Redefined && (from..=to).contains(&record.from)
    })
}
