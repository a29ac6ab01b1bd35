//! A snapshot as the facts that the rules of the store look at: one rule for each invariant, here and in `tickwheel store check`.

use std::collections::{BTreeMap, BTreeSet};

use tickwheel_core::id::{ContextId, JobName};
use tickwheel_core::partition::{PartitionCount, PartitionId, partition_of};
use tickwheel_store::check::{
    At, ContextFacts, FanFacts, Finding, JobFacts, KeyFacts, Occurrence, Place, QueueFacts, Record,
};
use tickwheel_store::record::Member;

use super::broken::Broken;
use crate::harness::Snapshot;
use crate::harness::snapshot::{Job, Partition};

impl From<Finding> for Broken {
    fn from(finding: Finding) -> Self {
        Self {
            invariant: finding.invariant(),
            what: finding.detail,
        }
    }
}

/// What a rule finds in any of the facts.
pub(super) fn found<F>(facts: &[F], rule: impl Fn(&F) -> Vec<Finding>) -> Vec<Broken> {
    facts.iter().flat_map(rule).map(Broken::from).collect()
}

pub(super) fn id(partition: &Partition) -> PartitionId {
    PartitionId::new(partition.number).unwrap_or_default()
}

fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn scan(partition: &Partition) -> Option<At> {
    let mut entries = partition.entries.iter();
    let scan = entries.find(|(_, entry)| entry == "!reap");
    scan.map(|(at, _)| At::Ms(*at))
}

/// Every context of which anything is known: where it is, what indexes and ends say.
pub(super) fn contexts(snapshot: &Snapshot) -> Vec<ContextFacts> {
    snapshot.partitions.iter().flat_map(contexts_of).collect()
}

fn waiting(place: Place, (at, member): &(u64, Member)) -> Occurrence {
    Occurrence {
        place,
        at: Some(At::Ms(*at)),
        body_len: member.rest.body.len(),
        record: Record::Waiting(member.clone()),
        head: String::new(),
    }
}

/// Every place of every context.
fn occurrences(partition: &Partition) -> BTreeMap<ContextId, Vec<Occurrence>> {
    let mut seen: BTreeMap<ContextId, Vec<Occurrence>> = BTreeMap::new();
    let mut add = |id: &ContextId, occurrence| seen.entry(id.clone()).or_default().push(occurrence);
    for one in &partition.planned {
        add(&one.1.id, waiting(Place::Wheel, one));
    }
    for (queue, members) in &partition.ready {
        for one in members {
            add(&one.1.id, waiting(Place::Ready(queue.clone()), one));
        }
    }
    for (name, job) in &partition.jobs {
        for one in &job.queue {
            add(&one.1.id, waiting(Place::Queue(name.to_string()), one));
        }
    }
    for (id, held) in &partition.held {
        let running = Occurrence {
            place: Place::Held,
            at: None,
            body_len: held.rest.body.len(),
            record: Record::Running(held.clone()),
            head: String::new(),
        };
        add(id, running);
    }
    for (id, fields) in &partition.fan_fields {
        // Empty while its own attempt runs: that is where it is then.
        let text = fields.get("root").filter(|text| !text.is_empty());
        let member = text.map(|text| Member::parse(format!("{id} {text}").into()));
        if let Some(Ok(member)) = member {
            let split = Occurrence {
                place: Place::Fan(id.to_string()),
                at: None,
                body_len: member.rest.body.len(),
                record: Record::Waiting(member),
                head: String::new(),
            };
            add(id, split);
        }
    }
    seen
}

/// Those of one partition.
pub(super) fn contexts_of(partition: &Partition) -> Vec<ContextFacts> {
    let mut seen = occurrences(partition);
    let mut marks: BTreeMap<&ContextId, &String> = BTreeMap::new();
    for (name, job) in &partition.jobs {
        let own = |id: &&ContextId| id.job().as_ref() == Some(name);
        marks.extend(job.active.iter().filter(|(id, _)| own(id)));
    }
    let mut ended: BTreeMap<&ContextId, Vec<u32>> = BTreeMap::new();
    for record in &partition.settled {
        let attempts = ended.entry(&record.id).or_default();
        attempts.push(record.attempt.as_u32());
    }
    let watched: BTreeSet<&str> = partition
        .entries
        .iter()
        .filter_map(|(_, entry)| entry.strip_prefix('#')?.split(' ').next())
        .collect();
    let ids: BTreeSet<ContextId> = seen
        .keys()
        .chain(partition.retry.keys())
        .chain(partition.fair.keys())
        .chain(marks.keys().copied())
        .cloned()
        .collect();
    ids.into_iter()
        .map(|id| ContextFacts {
            partition: self::id(partition),
            now: partition.now_ms,
            occurrences: seen.remove(&id).unwrap_or_default(),
            retry: partition.retry.get(&id).copied().map(At::Ms),
            fair: partition.fair.get(&id).copied().map(At::Ms),
            mark: marks.get(&id).map(|mark| (*mark).clone()),
            watched: watched.contains(id.as_str()),
            scan: scan(partition),
            ended: ended.get(&id).cloned().unwrap_or_default(),
            id,
        })
        .collect()
}

/// Every job, and every name of one.
pub(super) fn jobs(snapshot: &Snapshot) -> Vec<JobFacts> {
    let count = u16::try_from(snapshot.partitions.len()).ok();
    let count = count.and_then(|count| PartitionCount::new(count).ok());
    let count = count.unwrap_or_default();
    let partitions = snapshot.partitions.iter();
    partitions
        .flat_map(|partition| jobs_of(partition, count))
        .collect()
}

/// Those of one partition of so many.
pub(super) fn jobs_of(partition: &Partition, count: PartitionCount) -> Vec<JobFacts> {
    let armed = |(_, entry): &(u64, String)| JobName::new(entry.strip_prefix('@')?).ok();
    let names: BTreeSet<JobName> = partition
        .jobs
        .keys()
        .chain(&partition.job_names)
        .cloned()
        .chain(partition.entries.iter().filter_map(armed))
        .collect();
    let facts = names.into_iter();
    facts.map(|name| of_job(partition, name, count)).collect()
}

fn of_job(partition: &Partition, name: JobName, count: PartitionCount) -> JobFacts {
    let none = Job::default();
    let job = partition.jobs.get(&name).unwrap_or(&none);
    let queued = |member: &Member| member.id.is_firing();
    let entry = partition
        .entries
        .iter()
        .find(|(_, entry)| entry.strip_prefix('@') == Some(name.as_str()));
    JobFacts {
        partition: id(partition),
        owner: partition_of(name.as_str(), count),
        now: partition.now_ms,
        fields: job.fields.clone(),
        listed: partition.job_names.contains(&name),
        entry: entry.map(|(at, _)| At::Ms(*at)),
        active: size(job.active.len()),
        queued: size(job.queue.len()),
        under_way: job.active.values().any(|mark| mark == "s")
            || job.queue.iter().any(|(_, member)| queued(member)),
        ledger: size(job.ledger.len()),
        runs: size(job.runs.len()),
        records: job.ledger.clone(),
        awaited: String::new(),
        gone: Vec::new(),
        untold: false,
        name,
    }
}

/// Every ready set, and every name of one in a backlog.
pub(super) fn queues(snapshot: &Snapshot) -> Vec<QueueFacts> {
    snapshot.partitions.iter().flat_map(queues_of).collect()
}

/// Those of one partition.
pub(super) fn queues_of(partition: &Partition) -> Vec<QueueFacts> {
    // Subtasks wait in lists of their root.
    let names: BTreeSet<&String> = partition
        .backlog
        .iter()
        .chain(partition.ready.keys())
        .filter(|queue| !queue.contains(" /"))
        .collect();
    let facts = names.into_iter().map(|queue| QueueFacts {
        queue: queue.clone(),
        partition: id(partition),
        listed: partition.backlog.contains(queue),
        waiting: partition
            .ready
            .get(queue)
            .map_or(0, |members| size(members.len())),
    });
    facts.collect()
}

/// Every split context, and whatever is left of one.
pub(super) fn fans(snapshot: &Snapshot) -> Vec<FanFacts> {
    snapshot.partitions.iter().flat_map(fans_of).collect()
}

/// Those of one partition.
pub(super) fn fans_of(partition: &Partition) -> Vec<FanFacts> {
    let roots: BTreeSet<&ContextId> = partition
        .fans
        .keys()
        .chain(partition.fan_fields.keys())
        .collect();
    roots
        .into_iter()
        .map(|root| fan_of(partition, root))
        .collect()
}

/// No attempt of a split context is beside its subtasks, nor anywhere else.
fn is_lost(partition: &Partition, root: &ContextId, fields: &BTreeMap<String, String>) -> bool {
    let kept = fields.get("root").is_some_and(|root| !root.is_empty());
    let waits = |member: &Member| &member.id == root;
    let queued = partition.jobs.values().flat_map(|job| &job.queue);
    let ready = partition.ready.values().flatten();
    let mut waiting = partition.planned.iter().chain(ready).chain(queued);
    let split = !fields.is_empty();
    split && !kept && !partition.held.contains_key(root) && !waiting.any(|(_, one)| waits(one))
}

fn fan_of(partition: &Partition, root: &ContextId) -> FanFacts {
    let fields = partition.fan_fields.get(root).cloned().unwrap_or_default();
    let number = |name: &str| fields.get(name).and_then(|text| text.parse::<u64>().ok());
    let round = number("round").unwrap_or(1);
    let is_part = |id: &&ContextId| {
        let part = id
            .subtask()
            .is_some_and(|part| u64::from(part.round) == round);
        part && id.root().as_ref() == Some(root)
    };
    let listed = partition.parts.iter();
    let listed = listed.filter(|(name, _)| name.split(':').nth(1) == Some(root.as_str()));
    let mut waiting: u64 = listed.map(|(_, count)| count).sum();
    let is = |name: &str, word: &str| fields.get(name).is_some_and(|text| text == word);
    if is("model", "indexed") && !is("state", "dropping") {
        let made = number("next_index").unwrap_or(0);
        waiting += number("total").unwrap_or(0).saturating_sub(made);
    }
    FanFacts {
        root: root.clone(),
        partition: id(partition),
        listed: partition.fans.contains_key(root),
        running: size(partition.held.keys().filter(is_part).count()),
        retrying: size(partition.retry.keys().filter(is_part).count()),
        waiting,
        lost: is_lost(partition, root, &fields),
        fields,
        keys: vec![format!("fan:{root}")],
    }
}

/// Every key.
pub(super) fn keys(snapshot: &Snapshot) -> Vec<KeyFacts> {
    snapshot.partitions.iter().flat_map(keys_of).collect()
}

/// Those of one partition.
pub(super) fn keys_of(partition: &Partition) -> Vec<KeyFacts> {
    let facts = partition.keys.iter().map(|key| KeyFacts {
        name: key.name.clone(),
        partition: id(partition),
        kind: key.kind.clone(),
        size: size(key.length),
        ttl_ms: key.ttl_ms,
    });
    facts.collect()
}
