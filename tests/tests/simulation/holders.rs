//! Attempts that a worker gives back which does not hold them: the script leaves them where they are.

use tickwheel_core::id::{AttemptNo, ContextId};
use tickwheel_tests::harness::snapshot::Partition;

/// An attempt that another worker holds than the one that is said to give it back.
pub(crate) type Foreign = (ContextId, AttemptNo);

/// Those that a call of lease/release names, by its arguments.
pub(crate) fn foreign(partition: &Partition, arguments: &[&[u8]]) -> Vec<Foreign> {
    let words: Vec<&str> = arguments
        .iter()
        .map(|word| str::from_utf8(word).unwrap_or_default())
        .collect();
    let Some((workers, attempts)) = words.get(1).zip(words.get(3..)) else {
        return Vec::new();
    };
    let workers: Vec<&str> = workers.split(' ').collect();
    let named = attempts.as_chunks::<2>().0.iter();
    named
        .filter_map(|[id, holder]| {
            let (attempt, number) = holder.split_once(' ')?;
            let worker = workers.get(number.parse::<usize>().ok()?.checked_sub(1)?)?;
            let id: ContextId = id.parse().ok()?;
            let held = partition.held.get(&id)?;
            let is_foreign = held.attempt.to_string() == attempt && held.worker.as_str() != *worker;
            is_foreign.then_some((id, held.attempt))
        })
        .collect()
}

/// One of them that was given back all the same.
pub(crate) fn given_back(partition: &Partition, foreign: &[Foreign]) -> Option<String> {
    let kept = |(id, attempt): &&Foreign| {
        let held = partition.held.get(id);
        held.is_some_and(|held| held.attempt == *attempt)
    };
    let (id, attempt) = foreign.iter().find(|one| !kept(one))?;
    Some(format!(
        "W2: attempt {attempt} of {id} was given back by a worker that did not hold it"
    ))
}
