//! Whatever fired is one context that ended once, or is under way; and no context ended that nobody fired.

use std::collections::BTreeMap;

use tickwheel_core::id::ContextId;
use tickwheel_core::ledger::LedgerVerdict;

use super::story::Story;

/// Checks that whatever a job fired is one context, and the reverse; holds also for a job that was changed in between.
#[must_use]
pub fn check(story: &Story) -> Vec<String> {
    let mut problems = Vec::new();
    let mut ended: BTreeMap<&ContextId, usize> = BTreeMap::new();
    for run in &story.runs {
        *ended.entry(&run.id).or_default() += 1;
    }
    let mut fired = BTreeMap::new();
    for record in story
        .records
        .iter()
        .filter(|record| record.verdict == LedgerVerdict::Fired)
    {
        let id = record
            .context_id
            .clone()
            .unwrap_or_else(|| ContextId::firing(&story.spec.name, record.from, story.partitions));
        match (
            ended.get(&id).copied().unwrap_or(0),
            story.live.contains(&id),
        ) {
            (1, false) | (0, true) => {}
            (0, false) => problems.push(story.problem(format_args!(
                "lost: `{record}` fired, and {id} neither ended nor is under way"
            ))),
            (ends, live) => problems.push(story.problem(format_args!(
                "double: {id} ended {ends} times, and is under way: {live}"
            ))),
        }
        if fired.insert(id, record).is_some() {
            problems.push(story.problem(format_args!(
                "double: `{record}` fired a context that was fired before"
            )));
        }
    }
    let complete =
        story.records.len() < usize::try_from(story.spec.ledger_limit).unwrap_or(usize::MAX);
    let unknown = ended
        .keys()
        .filter(|id| complete && !fired.contains_key(**id));
    problems.extend(unknown.map(|id| {
        story.problem(format_args!(
            "{id} ended, and no record says that it was fired"
        ))
    }));
    let scheduled = fired
        .values()
        .filter(|record| record.context_id.as_ref().is_none_or(ContextId::is_firing))
        .count();
    if complete && u64::try_from(scheduled).ok() != Some(story.fired) {
        problems.push(story.problem(format_args!(
            "counts {} firings, its ledger has {scheduled}",
            story.fired
        )));
    }
    problems
}
