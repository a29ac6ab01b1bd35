//! Children follow their parents. There a job has times and any number of parents, here it has one trigger: its own times if they are in
//! use, else its first parent.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use tickwheel_core::TimestampMs;

use super::job::Job;
use super::schedule::Schedule;
use crate::import::checked::check;
use crate::import::draft::Reason;

const STOPPED: Reason = Reason {
    why: "whether a job is paused is no part of its document, and one that is stopped shall not start by being applied",
    todo: "put this trigger back when it is to run, or put it back, apply, and `tickwheel job pause` at once",
};

const ONE_TRIGGER: Reason = Reason {
    why: "a job has one trigger: its own times, or the end of one other job",
    todo: "let the handler of the parent submit it, or register a second job with the same handler that follows the parent",
};

const CIRCLE: Reason = Reason {
    why: "jobs that follow each other in a circle never end, and are refused",
    todo: "let a handler submit the first of them again, or give it times",
};

const NOT_THERE: Reason = Reason {
    why: "no job of this number was imported",
    todo: "import it as well, and write `trigger: { after: … }` into its document",
};

/// Writes the trigger of each job.
pub(super) fn connect(jobs: &mut [Job], now: TimestampMs) {
    for job in &mut *jobs {
        job.draft.set("trigger", own(&job.schedule));
    }
    // Whoever is not imported is followed by nobody.
    let sound =
        |job: &Job| job.draft.refusals.is_empty() && check(&job.draft.document, now).is_ok();
    let mut places: BTreeMap<u64, usize> = BTreeMap::new();
    for (place, job) in jobs.iter().enumerate() {
        if let Some(id) = job.id.filter(|_| sound(job)) {
            places.entry(id).or_insert(place);
        }
    }
    let edges = edges(jobs, &places);
    let mut parent_of: HashMap<usize, usize> = HashMap::new();
    for (parent, child) in edges {
        let Some(name) = jobs
            .get(parent)
            .and_then(|job| job.draft.document.get("name"))
            .and_then(Value::as_str)
        else {
            continue;
        };
        let name = name.to_owned();
        let leads_back = leads_back(&parent_of, parent, child);
        let Some(job) = jobs.get_mut(child) else {
            continue;
        };
        let is_taken =
            matches!(job.schedule, Schedule::Running(_)) || parent_of.contains_key(&child);
        if is_taken {
            job.draft.differs(
                "child_jobid",
                format!("runs after {name}"),
                "nothing",
                &ONE_TRIGGER,
            );
        } else if leads_back {
            job.draft.differs(
                "child_jobid",
                format!("runs after {name}"),
                "nothing",
                &CIRCLE,
            );
        } else {
            parent_of.insert(child, parent);
            job.draft.set(
                "trigger",
                json!({ "after": { "job": name, "on": "succeeded" } }),
            );
        }
    }
    for (place, job) in jobs.iter_mut().enumerate() {
        if let Schedule::Stopped(trigger) = &job.schedule {
            let now = if parent_of.contains_key(&place) {
                "after its parent only"
            } else {
                "trigger: manual"
            };
            let was = format!("stopped, with {trigger}");
            job.draft.differs("trigger_status", was, now, &STOPPED);
        }
    }
}

fn own(schedule: &Schedule) -> Value {
    match schedule {
        Schedule::Running(trigger) => trigger.clone(),
        Schedule::None | Schedule::Stopped(_) => json!("manual"),
    }
}

/// Parents and children that are there, by their places; parents in the order of the source. A child that is not there is told of.
fn edges(jobs: &mut [Job], places: &BTreeMap<u64, usize>) -> Vec<(usize, usize)> {
    let mut edges = Vec::new();
    for (parent, job) in jobs.iter_mut().enumerate() {
        let is_there = job.id.and_then(|id| places.get(&id)) == Some(&parent);
        for number in job
            .children
            .split(',')
            .map(str::trim)
            .filter(|number| !number.is_empty())
        {
            let id: Option<u64> = number.parse().ok();
            // xxl-job does not let a job follow itself either.
            if id.is_some() && id == job.id {
                continue;
            }
            match id.and_then(|id| places.get(&id)) {
                Some(child) if is_there => edges.push((parent, *child)),
                Some(_) => {}
                None => job
                    .draft
                    .differs("child_jobid", number, "nothing", &NOT_THERE),
            }
        }
    }
    edges
}

/// Whether `parent` runs, through any number of others, after `child`.
fn leads_back(parent_of: &HashMap<usize, usize>, parent: usize, child: usize) -> bool {
    let ways = std::iter::successors(Some(parent), |place| parent_of.get(place).copied());
    ways.into_iter().any(|place| place == child)
}
