//! The keys that the model stands for, in the form they are read in, to compare them with those in Redis.

use std::collections::BTreeSet;

use crate::call::State;
use crate::memory::{Held, Job, Model};

type Lines = Vec<(String, String, String)>;

impl Held {
    fn value(&self) -> String {
        let context = &self.context;
        let cancel = self
            .cancel
            .map(|(reason, until)| format!("{reason}@{until}"));
        let counts = format!("{}:{}", context.attempt, context.failures);
        let times = format!("{} {} {}", self.claimed, self.expires, self.deadline);
        format!(
            "{counts} {} {times} {} {}",
            self.worker,
            cancel.as_deref().unwrap_or("-"),
            context.rest
        )
    }
}

impl Job {
    fn fields(&self) -> [(&'static str, String); 5] {
        let text = |time: Option<u64>| time.map(|time| time.to_string()).unwrap_or_default();
        let plan: Vec<String> = self.plan.iter().map(u64::to_string).collect();
        let state = if self.finished { "finished" } else { "active" };
        [
            ("next", text(self.next)),
            ("last", text(self.last)),
            ("plan", plan.join(" ")),
            ("state", state.to_owned()),
            ("fired", self.fired.to_string()),
        ]
    }
}

impl Model {
    fn zsets(&self) -> Vec<(String, String, u64)> {
        let wheel = self
            .wheel
            .iter()
            .map(|(entry, at)| ("wheel".to_owned(), entry.clone(), *at));
        let dead = self
            .dead
            .iter()
            .map(|(member, at)| ("dead".to_owned(), member.clone(), *at));
        let ready = self.ready.values().map(|context| {
            let name = format!("ready:{}", context.queue().replace(' ', ":"));
            (name, context.member(), context.score())
        });
        let queued = self.queue.iter().flat_map(|(job, queue)| {
            queue
                .values()
                .map(move |context| (format!("queue:{job}"), context.member(), context.due()))
        });
        let backlog = self.ready.values();
        let backlog = backlog.map(|context| ("backlog".to_owned(), context.queue(), 0));
        wheel
            .chain(dead)
            .chain(ready)
            .chain(queued)
            .chain(backlog)
            .collect()
    }

    fn hashes(&self) -> Lines {
        let field =
            |name: &str, field: &str, value: String| (name.to_owned(), field.to_owned(), value);
        let mut lines: Lines = Vec::new();
        lines.extend(
            self.retry
                .iter()
                .map(|(id, at)| field("retry", id, at.to_string())),
        );
        lines.extend(
            self.held
                .iter()
                .map(|(id, held)| field("held", id, held.value())),
        );
        for (job, active) in &self.active {
            let name = format!("active:{job}");
            lines.extend(
                active
                    .iter()
                    .map(|(id, origin)| field(&name, id, (*origin).to_owned())),
            );
        }
        for (name, job) in &self.jobs {
            let name = format!("job:{name}");
            lines.extend(
                job.fields()
                    .into_iter()
                    .map(|(one, value)| field(&name, one, value)),
            );
        }
        lines
    }

    /// What the keys must hold.
    pub(crate) fn expected(&self) -> State {
        let mut state = State::default();
        for (name, member, score) in self.zsets() {
            state.zsets.entry(name).or_default().insert(member, score);
        }
        for (name, field, value) in self.hashes() {
            state.hashes.entry(name).or_default().insert(field, value);
        }
        let ledgers = self.ledger.iter();
        state.lists = ledgers
            .map(|(job, records)| (format!("ledger:{job}"), records.clone()))
            .collect();
        let settled = self.settled.iter();
        state.settled = settled
            .map(|(id, word, attempt)| format!("{id} {word} {attempt}"))
            .collect();
        state.settled.sort();
        state
    }
}

/// The part of what was read that the model knows.
pub(crate) fn known(mut state: State) -> State {
    for (name, fields) in &mut state.hashes {
        if name.starts_with("job:") {
            fields.retain(|field, _| {
                ["next", "last", "plan", "state", "fired"].contains(&field.as_str())
            });
        }
    }
    state.hashes.remove("stats");
    state.zsets.remove("attempted");
    state.strings.clear();
    state.lists.retain(|name, _| name.starts_with("ledger:"));
    let short = |record: &str| record.split('\t').take(3).collect::<Vec<_>>().join(" ");
    for record in &mut state.settled {
        *record = short(record);
    }
    if let Some(dead) = state.zsets.remove("dead") {
        let members = dead.into_iter().map(|(member, at)| {
            let (record, rest) = member.split_once('\n').unwrap();
            (format!("{}\n{rest}", short(record)), at)
        });
        state.zsets.insert("dead".to_owned(), members.collect());
    }
    state.settled.sort();
    state
}

/// What is in one of the two only.
pub(crate) fn differences(found: &State, expected: &State) -> Vec<String> {
    let lines = |state: &State| {
        let zsets = state.zsets.iter().flat_map(|(name, members)| {
            members
                .iter()
                .map(move |(member, at)| format!("{name}: {member} {at}"))
        });
        let hashes = state.hashes.iter().flat_map(|(name, fields)| {
            fields
                .iter()
                .map(move |(field, value)| format!("{name}: {field} = {value}"))
        });
        let lists = state
            .lists
            .iter()
            .map(|(name, records)| format!("{name}: {records:?}"));
        zsets
            .chain(hashes)
            .chain(lists)
            .chain(state.settled.iter().cloned())
            .collect::<BTreeSet<_>>()
    };
    let (found, expected) = (lines(found), lines(expected));
    let only_found = found
        .difference(&expected)
        .map(|line| format!("only in redis: {line}"));
    only_found
        .chain(
            expected
                .difference(&found)
                .map(|line| format!("only in the model: {line}")),
        )
        .collect()
}
