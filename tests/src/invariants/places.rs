//! W1: a context is in exactly one place, and every index agrees with the places.

use std::collections::BTreeMap;

use tickwheel_core::id::ContextId;
use tickwheel_core::invariant::Invariant;
use tickwheel_store::record::Member;

use super::{Broken, Findings};
use crate::harness::Snapshot;
use crate::harness::snapshot::Partition;

/// Above the due times of one priority lie those of the next lower one.
const PRIORITY_SPAN: u64 = 1 << 44;

/// Each context once; the retry index points to wheel members; the backlog names the ready sets; a job's active contexts are those
/// that lie somewhere; and what has ended lies nowhere.
#[must_use]
pub fn w1_one_place(snapshot: &Snapshot) -> Vec<Broken> {
    let mut found = Findings::new(Invariant::W1);
    for partition in &snapshot.partitions {
        let places = places(partition);
        for (id, places) in &places {
            found.check(places.len() == 1, || format!("{id} is in {places:?}"));
            let number = id.partition().as_u16();
            found.check(number == partition.number, || {
                format!("{id} lies in partition {}", partition.number)
            });
        }
        indexes(&mut found, partition);
        active(&mut found, partition, &places);
        settled(&mut found, partition, &places);
    }
    found.broken
}

/// Every place of every context that has not ended.
fn places(partition: &Partition) -> BTreeMap<&ContextId, Vec<String>> {
    let mut places: BTreeMap<&ContextId, Vec<String>> = BTreeMap::new();
    for (_, member) in &partition.planned {
        places
            .entry(&member.id)
            .or_default()
            .push("wheel".to_owned());
    }
    for id in partition.held.keys() {
        places.entry(id).or_default().push("held".to_owned());
    }
    for (queue, members) in &partition.ready {
        for (_, member) in members {
            places
                .entry(&member.id)
                .or_default()
                .push(format!("ready {queue}"));
        }
    }
    for (name, job) in &partition.jobs {
        for (_, member) in &job.queue {
            places
                .entry(&member.id)
                .or_default()
                .push(format!("queue of {name}"));
        }
    }
    places
}

fn indexes(found: &mut Findings, partition: &Partition) {
    for (score, member) in &partition.planned {
        let id = &member.id;
        match partition.retry.get(id) {
            Some(retry) => found.check(retry == score, || {
                format!("{id} waits at {score}, its retry index says {retry}")
            }),
            None => found.check(
                member.attempt.as_u32() == 0 && *score == id.due().as_u64(),
                || {
                    format!(
                        "{id} waits at {score} after attempt {}, and has no retry index",
                        member.attempt
                    )
                },
            ),
        }
    }
    for id in partition.retry.keys() {
        let waits = partition.planned.iter().any(|(_, member)| member.id == *id);
        found.check(waits, || {
            format!("the retry index has {id}, the wheel has not")
        });
    }
    for queue in &partition.backlog {
        found.check(partition.ready.contains_key(queue), || {
            format!("the backlog has `{queue}`, and nothing waits in it")
        });
    }
    for (queue, members) in &partition.ready {
        found.check(partition.backlog.contains(queue), || {
            format!(
                "{} wait in `{queue}`, the backlog does not know",
                members.len()
            )
        });
        for (score, member) in members {
            let rest = &member.rest;
            let expected = u64::from(4 - rest.priority.as_u8().min(4)) * PRIORITY_SPAN
                + member.id.due().as_u64();
            found.check(*score == expected, || {
                format!(
                    "{} waits in `{queue}` at {score} instead of {expected}",
                    member.id
                )
            });
            let own = format!("{} {}", rest.group, rest.handler);
            found.check(own == *queue, || {
                format!("{} is for `{own}` and waits in `{queue}`", member.id)
            });
        }
    }
}

/// A job's active contexts are those that were started; its queued ones are not among them.
fn active(found: &mut Findings, partition: &Partition, places: &BTreeMap<&ContextId, Vec<String>>) {
    for (name, job) in &partition.jobs {
        for id in job.active.keys() {
            found.check(places.contains_key(id), || {
                format!("{name} has {id} active, and it is nowhere")
            });
        }
        let queued = |id: &ContextId| job.queue.iter().any(|(_, member)| member.id == *id);
        for (id, places) in places
            .iter()
            .filter(|(id, _)| id.job().as_ref() == Some(name))
        {
            let expected = !queued(id);
            found.check(job.active.contains_key(*id) == expected, || {
                format!(
                    "{id} is in {places:?}, and {}among the active contexts of its job",
                    if expected { "not " } else { "" }
                )
            });
        }
    }
    let unknown = places.keys().filter(|id| {
        id.job()
            .is_some_and(|job| !partition.jobs.contains_key(&job))
    });
    for id in unknown {
        found.check(false, || {
            format!("{id} is of a job that has no active contexts")
        });
    }
}

/// What has ended is in no other place, unless it was asked to run again: then it has a later attempt than it ended with, or will.
fn settled(
    found: &mut Findings,
    partition: &Partition,
    places: &BTreeMap<&ContextId, Vec<String>>,
) {
    for record in &partition.settled {
        let Some(place) = places.get(&record.id) else {
            continue;
        };
        let again = waiting(partition, &record.id)
            .is_some_and(|member| member.failures == 0 && member.attempt >= record.attempt)
            || partition
                .held
                .get(&record.id)
                .is_some_and(|held| held.attempt > record.attempt);
        found.check(again, || {
            format!(
                "{} has ended as {} and is in {place:?}",
                record.id,
                record.state.as_str()
            )
        });
    }
}

fn waiting<'a>(partition: &'a Partition, id: &ContextId) -> Option<&'a Member> {
    let ready = partition.ready.values().flatten().chain(&partition.planned);
    ready
        .map(|(_, member)| member)
        .find(|member| member.id == *id)
}
