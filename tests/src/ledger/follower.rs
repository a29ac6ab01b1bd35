//! `after`: each matching end of the upstream fired the follower once, or was refused by the follower's overlap policy. A follower that its
//! upstream does not let follow heard of none.

use std::collections::BTreeMap;

use tickwheel_core::id::ContextId;
use tickwheel_core::job::AfterOn;
use tickwheel_core::ledger::LedgerVerdict;
use tickwheel_store::record::{EndState, Settled};

use super::story::Story;

pub(super) fn check(story: &Story, upstream: &Story, on: AfterOn) -> Vec<String> {
    let mut problems = Vec::new();
    let mut fired: BTreeMap<String, usize> = BTreeMap::new();
    let fresh = story
        .records
        .iter()
        .filter(|record| record.verdict == LedgerVerdict::Fired);
    for id in fresh.filter_map(|record| record.context_id.as_ref()) {
        *fired.entry(unique_part(id)).or_default() += 1;
    }
    let skipped = story
        .records
        .iter()
        .filter(|record| record.verdict == LedgerVerdict::Skipped)
        .count();
    let matching: BTreeMap<String, &Settled> = upstream
        .runs
        .iter()
        .filter(|run| upstream.spec.lets_follow(&story.spec.name) && matches(on, run.state))
        .map(|run| {
            (
                unique_part(&ContextId::after(
                    &story.spec.name,
                    run.ended,
                    &run.id,
                    story.partitions,
                )),
                run,
            )
        })
        .collect();
    let missing: Vec<&Settled> = matching
        .iter()
        .filter(|(unique, _)| !fired.contains_key(*unique))
        .map(|(_, run)| *run)
        .collect();
    if missing.len() != skipped {
        let ends: Vec<&str> = missing.iter().take(3).map(|run| run.id.as_str()).collect();
        problems.push(story.problem(format_args!(
            "gap: {} of {} ends of {} fired nothing, {skipped} were skipped; say {ends:?}",
            missing.len(),
            matching.len(),
            upstream.spec.name
        )));
    }
    for (unique, times) in &fired {
        if *times > 1 {
            problems.push(story.problem(format_args!("double: `{unique}` fired {times} times")));
        }
        if unique.starts_with('a') && !unique.contains('-') && !matching.contains_key(unique) {
            problems.push(story.problem(format_args!(
                "`{unique}` fired, and no {on} end of {} fits",
                upstream.spec.name
            )));
        }
    }
    problems
}

/// A cancellation is neither a success nor a failure.
fn matches(on: AfterOn, state: EndState) -> bool {
    match on {
        AfterOn::Ended => true,
        AfterOn::Succeeded => state == EndState::Succeeded,
        AfterOn::Failed => !matches!(state, EndState::Succeeded | EndState::Cancelled),
    }
}

/// The third part of an id.
fn unique_part(id: &ContextId) -> String {
    let head = id.as_str().split('@').next().unwrap_or_default();
    head.splitn(3, '.').nth(2).unwrap_or_default().to_owned()
}
