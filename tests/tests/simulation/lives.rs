//! Each context that a script call touched, held against the arrows of the reference: a script makes the moves that it owns in
//! docs/lifecycle.md, and no other.

use std::collections::{BTreeMap, BTreeSet};

use tickwheel_core::id::{AttemptNo, ContextId};
use tickwheel_core::time::TimestampMs;
use tickwheel_memory_redis::{MemoryRedis, Reply};
use tickwheel_reference::path::{Move, Step, walks};
use tickwheel_reference::run_state::RunState;
use tickwheel_store::record::EndState;
use tickwheel_tests::harness::snapshot::Partition;

/// A step, and the script that made it.
pub(crate) type Walked = (Step, &'static str);

/// A context, as its partition has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    state: RunState,
    /// The highest attempt number that its record names; a split one has none.
    attempt: Option<AttemptNo>,
    /// Its worker has to be told to stop.
    cancelled: bool,
    /// It has subtasks.
    split: bool,
}

impl Seen {
    /// Whether nothing happened to it but to its subtasks.
    fn as_before(&self, was: &Self) -> bool {
        let of = |seen: &Self| (seen.state.clone(), seen.attempt, seen.cancelled);
        of(self) == of(was)
    }
}

/// Every context of a simulation, as it was after the last script call.
#[derive(Debug, Default)]
pub(crate) struct Lives {
    here: BTreeMap<u16, BTreeMap<ContextId, Seen>>,
    /// Those that have ended.
    ended: BTreeMap<ContextId, Seen>,
    /// Records of ends read so far.
    records: BTreeMap<u16, usize>,
    /// What was seen to happen.
    pub(crate) walked: BTreeSet<Walked>,
    /// How many moves were looked at.
    pub(crate) moves: usize,
}

impl Lives {
    /// Looks at the partition after a call of `script`; a move that the script must not make, in words.
    pub(crate) fn after_call(
        &mut self,
        script: &'static str,
        (partition, redis): (&Partition, &MemoryRedis),
    ) -> Option<String> {
        let now = seen_in(partition);
        let before = self
            .here
            .insert(partition.number, now.clone())
            .unwrap_or_default();
        let ends = self.ends_in(partition);
        let ids: BTreeSet<&ContextId> =
            before.keys().chain(now.keys()).chain(ends.keys()).collect();
        for id in ids {
            let was = before.get(id).or_else(|| self.ended.get(id)).cloned();
            let is = now.get(id).or_else(|| ends.get(id));
            let Some(is) = is else {
                return Some(format!("{script} let {id} vanish, it was {was:?}"));
            };
            if was.as_ref().is_some_and(|was| is.as_before(was)) {
                continue;
            }
            let outcome = was.as_ref().and_then(|was| outcome_of(redis, id, was));
            if let Some(wrong) = self.look(script, (id, outcome.as_deref()), (was.as_ref(), is)) {
                return Some(wrong);
            }
        }
        for id in now.keys() {
            self.ended.remove(id);
        }
        self.ended
            .extend(ends.into_iter().filter(|(id, _)| !now.contains_key(id)));
        None
    }

    fn look(
        &mut self,
        script: &'static str,
        (id, outcome): (&ContextId, Option<&str>),
        (was, is): (Option<&Seen>, &Seen),
    ) -> Option<String> {
        self.moves += 1;
        let seen = Move {
            script,
            before: was.map(|was| &was.state),
            after: &is.state,
            split: was.is_some_and(|was| was.split),
            outcome,
        };
        let mut ways = walks(&seen);
        let told = |was: Option<&Seen>| was.is_some_and(|was| was.cancelled);
        if is.cancelled && !told(was) {
            ways.retain(|way| way.iter().any(|step| step.event == "cancel"));
        }
        let from = was.map_or("nothing".to_owned(), |was| was.state.word().to_string());
        let to = is.state.word();
        if ways.is_empty() {
            return Some(format!(
                "{script} moved {id} from {from} to {to}, and no arrow of docs/lifecycle.md lets it: {was:?}, {is:?}"
            ));
        }
        let first = was.map_or(Some(AttemptNo::NONE), |was| was.attempt);
        if let (Some(first), Some(last)) = (first, is.attempt) {
            let grown = last.as_u32().checked_sub(first.as_u32());
            if ways.iter().all(|way| Some(attempts_on(way)) != grown) {
                return Some(format!(
                    "W2: {script} moved {id} from {from} to {to}, and its attempt from {first} to {last}"
                ));
            }
        }
        // Where two ways lead to the same place nobody can tell which one it took.
        if let [way] = ways.as_slice() {
            self.walked
                .extend(way.iter().cloned().map(|step| (step, script)));
        }
        None
    }

    /// The contexts whose ends were written since the last look.
    fn ends_in(&mut self, partition: &Partition) -> BTreeMap<ContextId, Seen> {
        let read = self.records.entry(partition.number).or_default();
        let new = partition.settled.get(*read..).unwrap_or_default();
        *read = partition.settled.len();
        new.iter()
            .filter(|record| record.id.subtask().is_none())
            .map(|record| {
                let seen = Seen {
                    state: ended(record.state),
                    attempt: Some(record.attempt),
                    cancelled: false,
                    split: false,
                };
                (record.id.clone(), seen)
            })
            .collect()
    }
}

/// How many attempts a way uses up: one that could not be split has had one as well.
fn attempts_on(way: &[Step]) -> u32 {
    let uses = |step: &&Step| step.event == "claim" || step.event.starts_with("cannot be split");
    u32::try_from(way.iter().filter(uses).count()).unwrap_or(u32::MAX)
}

/// Where every context of a partition is. Subtasks have no states of their own.
fn seen_in(partition: &Partition) -> BTreeMap<ContextId, Seen> {
    let mut here = BTreeMap::new();
    let mut add = |id: &ContextId, state, attempt, cancelled| {
        if id.subtask().is_none() {
            let seen = Seen {
                state,
                attempt,
                cancelled,
                split: partition.fans.contains_key(id),
            };
            here.insert(id.clone(), seen);
        }
    };
    // A root whose own attempt goes on is among the split ones as well: the place of its attempt counts.
    for root in partition.fans.keys() {
        let fields = partition.fan_fields.get(root);
        let state = fields.and_then(|fields| fields.get("state"));
        let stopping = state.is_some_and(|state| state == "dropping");
        add(root, RunState::WaitingForSubtasks { stopping }, None, false);
    }
    for (score, member) in &partition.planned {
        let at = TimestampMs::new(*score);
        let state = if partition.retry.contains_key(&member.id) {
            RunState::Retrying { at }
        } else {
            RunState::Scheduled { due: at }
        };
        add(&member.id, state, Some(member.attempt), false);
    }
    for (_, member) in partition.jobs.values().flat_map(|job| &job.queue) {
        add(&member.id, RunState::Queued, Some(member.attempt), false);
    }
    for (_, member) in partition.ready.values().flatten() {
        add(&member.id, RunState::Ready, Some(member.attempt), false);
    }
    for (id, held) in &partition.held {
        let state = RunState::Leased {
            worker: held.worker.clone(),
            attempt: held.attempt,
            expires: held.expires,
        };
        add(id, state, Some(held.attempt), held.cancel.is_some());
    }
    here
}

fn ended(state: EndState) -> RunState {
    match state {
        EndState::Succeeded => RunState::Succeeded,
        EndState::Failed => RunState::Failed,
        EndState::TimedOut => RunState::TimedOut,
        EndState::Cancelled => RunState::Cancelled,
        EndState::Expired => RunState::Expired,
    }
}

/// How the attempt that was held ended, if it did without success.
fn outcome_of(redis: &MemoryRedis, id: &ContextId, was: &Seen) -> Option<String> {
    let RunState::Leased { attempt, .. } = was.state else {
        return None;
    };
    let (reply, _) = redis.look(&format!("{{tw:{}}}:attempts:{id}", id.partition()));
    let Reply::List(noted) = reply else {
        return None;
    };
    let Some(Reply::Bytes(newest)) = noted.last() else {
        return None;
    };
    let text = String::from_utf8_lossy(newest).into_owned();
    let words: Vec<&str> = text.split(' ').collect();
    let of_it = words.first() == Some(&attempt.to_string().as_str());
    words
        .get(4)
        .filter(|_| of_it)
        .map(|word| (*word).to_owned())
}
