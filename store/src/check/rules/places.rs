//! W1: a context is in exactly one place, and every index agrees with the places.

use super::rule::Rule;
use crate::check::{
    At, ContextFacts, Evidence, Finding, Kind, Occurrence, Place, QueueFacts, Record, Subject,
};
use crate::record::Member;

/// Above the due times of one priority lie those of the next lower one.
const PRIORITY_SPAN: u64 = 1 << 44;

/// The context is in one place, its own, at the score where it is looked for; the retry index and the active contexts of its job say so;
/// and once it has ended it is in none, unless it was asked to run again.
#[must_use]
pub fn w1_one_place(facts: &ContextFacts) -> Vec<Finding> {
    let mut rule = Rule::of_context(facts);
    let (id, number) = (&facts.id, facts.occurrences.len());
    let seen = || facts.occurrences.iter().map(evidence).collect::<Vec<_>>();
    rule.check_at(number <= 1, Kind::TwoPlaces, seen, || {
        format!("{id} is in {}", places(facts))
    });
    rule.check_at(
        id.partition() == facts.partition || number == 0,
        Kind::WrongPartition,
        seen,
        || {
            format!(
                "{id} is in {} of partition {}",
                places(facts),
                facts.partition
            )
        },
    );
    let in_the_wheel = |occurrence: &Occurrence| occurrence.place == Place::Wheel;
    if !facts.occurrences.iter().any(in_the_wheel) {
        rule.check(facts.retry.is_none(), Kind::RetryNowhere, || {
            format!("the retry index has {id}, the wheel has not")
        });
    }
    let is_read = |one: &Occurrence| one.record != Record::Unreadable;
    let readable = facts.occurrences.iter().all(is_read);
    rule.check_at(readable, Kind::Malformed, unread(facts), || {
        format!("{id} is in {}, and cannot be read", places(facts))
    });
    for occurrence in &facts.occurrences {
        if let Record::Waiting(member) = &occurrence.record {
            let at = occurrence.at.clone().unwrap_or(At::Ms(0));
            match &occurrence.place {
                Place::Wheel => in_wheel(&mut rule, facts, (member, &at)),
                Place::Ready(queue) => in_ready(&mut rule, (facts, queue), (member, &at)),
                Place::Queue(job) => in_queue(&mut rule, job, (member, &at)),
                Place::Held | Place::Fan(_) => {}
            }
        }
    }
    for finding in &mut rule.found {
        if finding.evidence.is_empty() {
            finding.evidence = seen();
        }
    }
    let waits_fairly = |occurrence: &Occurrence| matches!(&occurrence.place, Place::Ready(queue) if queue.contains(" k="));
    rule.check(
        facts.fair.is_none() || facts.occurrences.iter().any(waits_fairly),
        Kind::FairIndex,
        || format!("the index of contexts with fairness keys has {id}, no ready set has"),
    );
    active(&mut rule, facts);
    ended(&mut rule, facts);
    rule.found
}

/// Where the context cannot be read.
fn unread(facts: &ContextFacts) -> impl FnOnce() -> Vec<Evidence> {
    let unread = |one: &&Occurrence| one.record == Record::Unreadable;
    move || {
        facts
            .occurrences
            .iter()
            .filter(unread)
            .map(evidence)
            .collect()
    }
}

/// The backlog names exactly the ready sets in which something waits.
#[must_use]
pub fn w1_backlog(facts: &QueueFacts) -> Vec<Finding> {
    let QueueFacts { queue, waiting, .. } = facts;
    let mut rule = Rule {
        partition: facts.partition,
        subject: Subject::Queue(queue.clone()),
        found: Vec::new(),
    };
    let agree = facts.listed == (*waiting > 0);
    rule.check(agree, Kind::Backlog, || {
        if facts.listed {
            format!("the backlog has `{queue}`, and nothing waits in it")
        } else {
            format!("{waiting} wait in `{queue}`, the backlog does not know")
        }
    });
    rule.found
}

fn evidence(occurrence: &Occurrence) -> Evidence {
    Evidence {
        key: occurrence.place.key(),
        at: occurrence
            .at
            .as_ref()
            .map(At::to_string)
            .unwrap_or_default(),
        text: occurrence.head.clone(),
    }
}

fn places(facts: &ContextFacts) -> String {
    let keys: Vec<String> = facts
        .occurrences
        .iter()
        .map(|occurrence| match &occurrence.at {
            Some(at) => format!("{} at {at}", occurrence.place.key()),
            None => occurrence.place.key(),
        })
        .collect();
    keys.join(" and ")
}

fn in_wheel(rule: &mut Rule, facts: &ContextFacts, (member, at): (&Member, &At)) {
    let id = &member.id;
    match &facts.retry {
        Some(retry) => rule.check(retry == at && at.ms().is_some(), Kind::RetryIndex, || {
            format!("{id} waits at {at}, its retry index says {retry}")
        }),
        None if member.attempt.as_u32() > 0 => rule.check(false, Kind::RetryIndex, || {
            format!(
                "{id} waits at {at} after attempt {}, and has no retry index",
                member.attempt
            )
        }),
        None => {
            let due = id.due().as_u64();
            rule.check(at.ms() == Some(due), Kind::Misplaced, || {
                format!("{id} waits at {at} instead of {due}")
            });
        }
    }
}

fn in_ready(rule: &mut Rule, (facts, queue): (&ContextFacts, &str), (member, at): (&Member, &At)) {
    let rest = &member.rest;
    let band = u64::from(4_u8.saturating_sub(rest.priority.as_u8()));
    if rest.queue().fair && !rest.options.split {
        // Where it stands follows from what came before it; that its index knows is what matters.
        let right = at.ms().is_some_and(|at| at / PRIORITY_SPAN == band);
        let known = facts.fair.as_ref() == Some(at);
        rule.check(right && known, Kind::FairIndex, || match &facts.fair {
            Some(index) => format!(
                "{} waits in `{queue}` at {at}, its index says {index}",
                member.id
            ),
            None => format!(
                "{} waits in `{queue}` at {at}, its index does not know",
                member.id
            ),
        });
    } else {
        let expected = band * PRIORITY_SPAN + member.id.due().as_u64();
        rule.check(at.ms() == Some(expected), Kind::Misplaced, || {
            format!(
                "{} waits in `{queue}` at {at} instead of {expected}",
                member.id
            )
        });
    }
    let own = if rest.options.split {
        format!("{} !fan", rest.group)
    } else {
        rest.queue().to_string()
    };
    // One whose key is at its limit waits apart.
    let stopped = rest.options.key.as_ref().map(|key| format!("{own}{key}"));
    let right = own == queue || stopped.as_deref() == Some(queue);
    rule.check(right, Kind::Misplaced, || {
        format!("{} is for `{own}` and waits in `{queue}`", member.id)
    });
}

fn in_queue(rule: &mut Rule, job: &str, (member, at): (&Member, &At)) {
    let (id, due) = (&member.id, member.id.due().as_u64());
    let own = id.job().is_some_and(|own| own.as_str() == job);
    rule.check(own && at.ms() == Some(due), Kind::Misplaced, || {
        format!("{id} waits in the queue of {job} at {at}, its due time is {due}")
    });
}

/// A job's active contexts are those that were started; its queued ones are not among them.
fn active(rule: &mut Rule, facts: &ContextFacts) {
    // Its root is active.
    if facts.id.subtask().is_some() {
        return;
    }
    let Some(job) = facts.id.job() else {
        return;
    };
    let id = &facts.id;
    let Some(first) = facts.occurrences.first() else {
        rule.check(facts.mark.is_none(), Kind::ActiveNowhere, || {
            format!("{job} has {id} active, and it is nowhere")
        });
        return;
    };
    let queued = matches!(first.place, Place::Queue(_)) && facts.occurrences.len() == 1;
    let several = facts.occurrences.len() > 1;
    let agrees = several || facts.mark.is_some() != queued;
    rule.check(agrees, Kind::ActiveMark, || {
        format!(
            "{id} is in {}, and {}among the active contexts of its job",
            places(facts),
            if queued { "" } else { "not " }
        )
    });
    let known = facts
        .mark
        .as_deref()
        .is_none_or(|mark| mark == "s" || mark == "m");
    rule.check(known, Kind::ActiveMark, || {
        format!(
            "{id} is active as `{}`",
            facts.mark.as_deref().unwrap_or("")
        )
    });
}

/// What has ended is in no place, unless it was asked to run again: then it waits without failures, or has a later attempt.
fn ended(rule: &mut Rule, facts: &ContextFacts) {
    for occurrence in &facts.occurrences {
        let (attempt, failures) = match &occurrence.record {
            Record::Waiting(member) => (member.attempt.as_u32(), member.failures),
            Record::Running(held) => (held.attempt.as_u32(), 1),
            Record::Unreadable => continue,
        };
        let Some(last) = facts.ended.iter().copied().max() else {
            continue;
        };
        let again = attempt > last || (attempt == last && failures == 0);
        let seen = || {
            vec![Evidence {
                key: "events".to_owned(),
                at: String::new(),
                text: last.to_string(),
            }]
        };
        rule.check_at(again, Kind::EndedAndHere, seen, || {
            format!(
                "{} has ended with attempt {last} and is in {}",
                facts.id,
                places(facts)
            )
        });
    }
}
