//! The invariants of docs/lifecycle.md, checked on what is in Redis and on nothing else.

use std::collections::{BTreeMap, BTreeSet};

use tickwheel_core::ledger::{LedgerRecord, LedgerVerdict};

use crate::call::State;
use crate::memory::{Context, Kind, Model};

/// What was seen so far.
#[derive(Default)]
pub(crate) struct Seen {
    created: BTreeSet<String>,
    attempts: BTreeMap<String, u32>,
}

/// Every context with the place it is in.
fn places(state: &State) -> Vec<(Context, &'static str)> {
    let mut places = Vec::new();
    for (name, members) in &state.zsets {
        let place = match name.split(':').next().unwrap() {
            "wheel" => "wheel",
            "ready" => "ready",
            "queue" => "queue",
            _ => continue,
        };
        let contexts = members
            .keys()
            .filter(|member| member.as_bytes()[0].is_ascii_digit());
        places.extend(contexts.map(|member| (Context::parse(member), place)));
    }
    for (id, value) in state.hash("held") {
        let fields: Vec<&str> = value.splitn(7, ' ').collect();
        places.push((
            Context::parse(&format!("{id} {} {}", fields[0], fields[6])),
            "held",
        ));
    }
    places
}

impl Seen {
    /// W1, W2, W3, W4 and W6. `model` tells only what policies the jobs have, and which ids were ever accepted.
    pub(crate) fn check(&mut self, state: &State, model: &Model) {
        let mut here: BTreeMap<String, &str> = BTreeMap::new();
        for (context, place) in places(state) {
            let before = here.insert(context.id.clone(), place);
            assert_eq!(before, None, "W1: {} is in {place} too", context.id);
            let attempt = self.attempts.entry(context.id.clone()).or_default();
            assert!(
                *attempt <= context.attempt,
                "W2: {} had attempt {attempt}",
                context.id
            );
            *attempt = context.attempt;
            self.created.insert(context.id);
        }
        let mut ended = BTreeSet::new();
        for record in &state.settled {
            let id = record.split('\t').next().unwrap();
            assert!(ended.insert(id.to_owned()), "W1: {id} ended twice");
            assert!(
                !here.contains_key(id),
                "W1: {id} ended and is in {:?}",
                here.get(id)
            );
            self.created.insert(id.to_owned());
        }
        for id in &self.created {
            assert!(
                here.contains_key(id) || ended.contains(id),
                "W1: {id} is lost"
            );
        }
        for (name, job) in &model.jobs {
            check_ledger(state, name);
            let fields = |field: &str| state.field(&format!("job:{name}"), field).to_owned();
            let firing = here.keys().any(|id| id.ends_with(&format!(".f@{name}")));
            let armed = state
                .zset("wheel")
                .iter()
                .any(|(entry, _)| *entry == format!("@{name}"));
            let recurring = job.kind != Kind::Api && fields("state") == "active";
            assert!(!recurring || armed || firing, "W4: {name} has no place");
            let running = here
                .iter()
                .filter(|(id, place)| id.ends_with(&format!("@{name}")) && **place == "held")
                .count();
            let most = if job.overlap.word() == "parallel" {
                job.overlap.limit().unwrap()
            } else {
                1
            };
            assert!(
                running <= usize::try_from(most).unwrap(),
                "W6: {running} of {name} run"
            );
        }
    }
}

/// W3: the due times of the trigger are decided in their order, so each once.
fn check_ledger(state: &State, job: &str) {
    let mut last = 0;
    for text in state.list(&format!("ledger:{job}")) {
        let record: LedgerRecord = text.parse().unwrap();
        // A firing by hand has its id in the record, and may be refused in the millisecond of another.
        if record.context_id.is_none() && record.verdict != LedgerVerdict::Skipped {
            assert!(
                record.from.as_u64() > last,
                "W3: {text} was decided after {last}"
            );
            last = record.to.as_u64();
        }
    }
}
