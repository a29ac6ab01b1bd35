//! The invariants on what is in Redis after each step. What one look can tell is left to the rules of `tickwheel store check`; here is only
//! what takes a memory: nothing is lost, and nothing comes back.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use tickwheel_core::id::{ContextId, JobName};
use tickwheel_core::partition::PartitionId;
use tickwheel_store::check::{
    At, ContextFacts, JobFacts, Occurrence, Place, QueueFacts, Record, rules,
};
use tickwheel_store::record::{Held, Member, Settled};

use crate::call::State;

/// What was seen so far: contexts with their greatest attempts.
#[derive(Default)]
pub(crate) struct Seen(BTreeMap<ContextId, u32>);

fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap()
}

/// Every place of every context.
fn occurrences(state: &State) -> BTreeMap<ContextId, Vec<Occurrence>> {
    let mut found: BTreeMap<ContextId, Vec<Occurrence>> = BTreeMap::new();
    let mut add = |id: ContextId, place: Place, at: Option<u64>, record: Record| {
        let occurrence = Occurrence {
            place,
            at: at.map(At::Ms),
            record,
            body_len: 0,
            head: String::new(),
        };
        found.entry(id).or_default().push(occurrence);
    };
    for (name, members) in &state.zsets {
        let place = match name.split_once(':') {
            None if name == "wheel" => Place::Wheel,
            Some(("ready", queue)) => Place::Ready(queue.replacen(':', " ", 1)),
            Some(("queue", job)) => Place::Queue(job.to_owned()),
            _ => continue,
        };
        let is_context =
            |member: &&String| member.starts_with(|first: char| first.is_ascii_digit());
        for text in members.keys().filter(is_context) {
            let member = Member::parse(Bytes::from(text.clone())).unwrap();
            let at = Some(members[text]);
            add(
                member.id.clone(),
                place.clone(),
                at,
                Record::Waiting(member),
            );
        }
    }
    for (id, value) in state.hash("held") {
        let held = Held::parse(Bytes::from(value.to_owned())).unwrap();
        add(
            id.parse().unwrap(),
            Place::Held,
            None,
            Record::Running(held),
        );
    }
    found
}

fn contexts(state: &State, partition: PartitionId, now: u64) -> Vec<ContextFacts> {
    let mut seen = occurrences(state);
    let mut ended: BTreeMap<ContextId, Vec<u32>> = BTreeMap::new();
    for record in &state.settled {
        let settled = Settled::parse(record.as_bytes()).unwrap();
        let attempts = ended.entry(settled.id).or_default();
        attempts.push(settled.attempt.as_u32());
    }
    let marks: BTreeMap<ContextId, String> = (state.hashes.iter())
        .filter(|(name, _)| name.starts_with("active:"))
        .flat_map(|(_, marks)| marks)
        .map(|(id, mark)| (id.parse().unwrap(), mark.clone()))
        .collect();
    let retry: BTreeMap<ContextId, At> = (state.hash("retry").into_iter())
        .map(|(id, at)| (id.parse().unwrap(), At::parse(at)))
        .collect();
    let wheel = state.zset("wheel");
    let ids: BTreeSet<ContextId> = (seen.keys().chain(marks.keys()).chain(retry.keys()))
        .cloned()
        .collect();
    let facts = ids.into_iter().map(|id| ContextFacts {
        partition,
        now,
        occurrences: seen.remove(&id).unwrap_or_default(),
        retry: retry.get(&id).cloned(),
        fair: None,
        mark: marks.get(&id).cloned(),
        watched: (wheel.iter()).any(|(entry, _)| entry.starts_with(&format!("#{id} "))),
        scan: (wheel.iter())
            .find(|(entry, _)| *entry == "!reap")
            .map(|(_, at)| At::Ms(*at)),
        ended: ended.get(&id).cloned().unwrap_or_default(),
        id,
    });
    facts.collect()
}

/// Jobs as the test wrote them, without the fields that no script reads.
fn jobs(state: &State, partition: PartitionId, now: u64) -> Vec<JobFacts> {
    let mut all = Vec::new();
    for (name, fields) in &state.hashes {
        let Some(job) = name.strip_prefix("job:") else {
            continue;
        };
        let mut fields = fields.clone();
        for name in ["digest", "revision"] {
            fields.entry(name.to_owned()).or_insert("1".to_owned());
        }
        let active = state.hash(&format!("active:{job}"));
        let queue = state.zset(&format!("queue:{job}"));
        let is_firing = |text: &str| {
            let id = text.split(' ').next().unwrap();
            id.parse::<ContextId>().unwrap().is_firing()
        };
        let entry = format!("@{job}");
        let ledger = state.list(&format!("ledger:{job}"));
        all.push(JobFacts {
            name: JobName::new(job).unwrap(),
            partition,
            owner: partition,
            now,
            fields,
            listed: true,
            entry: (state.zset("wheel").iter())
                .find(|(text, _)| *text == entry)
                .map(|(_, at)| At::Ms(*at)),
            active: size(active.len()),
            queued: size(queue.len()),
            under_way: active.iter().any(|(_, mark)| *mark == "s")
                || queue.iter().any(|(text, _)| is_firing(text)),
            ledger: size(ledger.len()),
            runs: size(state.list(&format!("runs:{job}")).len()),
            records: ledger.iter().map(|text| text.parse().unwrap()).collect(),
            awaited: String::new(),
            gone: Vec::new(),
            untold: false,
        });
    }
    all
}

fn queues(state: &State, partition: PartitionId) -> Vec<QueueFacts> {
    let listed: BTreeSet<&str> = (state.zset("backlog").iter())
        .map(|(queue, _)| *queue)
        .collect();
    let ready = |queue: &str| format!("ready:{}", queue.replacen(' ', ":", 1));
    let known = (state.zsets.keys())
        .filter_map(|name| Some(name.strip_prefix("ready:")?.replacen(':', " ", 1)));
    let names: BTreeSet<String> = known
        .chain(listed.iter().map(|queue| (*queue).to_owned()))
        .collect();
    let facts = names.into_iter().map(|queue| QueueFacts {
        partition,
        listed: listed.contains(queue.as_str()),
        waiting: size(state.zset(&ready(&queue)).len()),
        queue,
    });
    facts.collect()
}

impl Seen {
    /// Every rule about what is in Redis at `now`, and the rules about what was.
    pub(crate) fn check(&mut self, state: &State, partition: PartitionId, now: u64) {
        let contexts = contexts(state, partition, now);
        let found: Vec<String> = (contexts.iter().flat_map(rules::of_context))
            .chain(jobs(state, partition, now).iter().flat_map(rules::of_job))
            .chain(queues(state, partition).iter().flat_map(rules::w1_backlog))
            .map(|finding| finding.to_string())
            .collect();
        assert!(found.is_empty(), "{found:#?}");
        for facts in &contexts {
            for occurrence in &facts.occurrences {
                let attempt = match &occurrence.record {
                    Record::Waiting(member) => member.attempt.as_u32(),
                    Record::Running(held) => held.attempt.as_u32(),
                    Record::Unreadable => continue,
                };
                let before = self.0.insert(facts.id.clone(), attempt).unwrap_or(0);
                assert!(before <= attempt, "W2: {} had attempt {before}", facts.id);
            }
        }
        let mut ended = BTreeSet::new();
        for record in &state.settled {
            let id = Settled::parse(record.as_bytes()).unwrap().id;
            assert!(ended.insert(id.clone()), "W1: {id} ended twice");
            self.0.entry(id).or_default();
        }
        let here: BTreeSet<&ContextId> = (contexts.iter())
            .filter(|facts| !facts.occurrences.is_empty())
            .map(|facts| &facts.id)
            .collect();
        for id in self.0.keys() {
            assert!(here.contains(id) || ended.contains(id), "W1: {id} is lost");
        }
    }
}
