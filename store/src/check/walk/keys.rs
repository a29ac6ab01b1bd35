//! Every key under the prefix: known ones by partition, strange ones named.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use tickwheel_core::partition::PartitionId;

use super::{Checked, History, Walk};
use crate::check::facts::KeyFacts;
use crate::check::finding::{Evidence, Finding, Kind, Subject};
use crate::check::grammar::Name;
use crate::check::read::KEYS_STEP;
use crate::check::rules;
use crate::error::Error;
use crate::history::{Budget, Sizes};
use crate::store::Store;

/// Keys that one SCAN step looks at.
const SCAN_STEP: u32 = 1_000;
/// Places that are walked whether they were there or not: something may come meanwhile.
const PLACES: [&str; 8] = [
    "wheel", "held", "retry", "fair", "fans", "jobs", "dead", "events",
];
/// Of the keys of single contexts, a sample is so many of a partition.
const SAMPLE_KEYS: usize = 500;
/// Keys of the cluster that belong to no partition; the last two are followed by a name.
const CLUSTER: [&str; 12] = [
    "meta",
    "incarnations",
    "trackers",
    "groups",
    "drained",
    "limits",
    "pauses",
    "tokens",
    "tokens_used",
    "sessions",
    "audit",
    "epoch",
];
const CLUSTER_NAMED: [&str; 2] = ["workers:", "worker:"];

/// Names of keys without their partitions, and keys that have none of ours.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_partition: BTreeMap<PartitionId, Vec<String>>,
    strange: Vec<String>,
}

/// Keys of single contexts of a partition that are still to be looked at.
#[derive(Debug, Default)]
struct Mortal {
    names: Vec<String>,
    /// How many there were so far, with those that were looked at.
    seen: usize,
}

impl Names {
    pub(super) fn of(&self, partition: PartitionId) -> &[String] {
        self.by_partition
            .get(&partition)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Notes a key; one of a single context or of a dedup key is handed back, as there may be any number of them.
    fn add(&mut self, prefix: &str, key: &str) -> Option<(PartitionId, String)> {
        let rest = key.strip_prefix(&format!("{{{prefix}"))?;
        let (tag, name) = rest.split_once("}:").unwrap_or((rest, ""));
        let of_cluster = tag.is_empty()
            && (CLUSTER.contains(&name) || CLUSTER_NAMED.iter().any(|kind| name.starts_with(kind)));
        let number = tag.strip_prefix(':');
        if let Some(partition) = number.and_then(|number| number.parse().ok()) {
            if matches!(
                Name::parse(name),
                Some((Name::Mortal(_) | Name::Subtraced(_), _))
            ) {
                return Some((partition, name.to_owned()));
            }
            let names = self.by_partition.entry(partition).or_default();
            names.push(name.to_owned());
        } else if !of_cluster && !number.is_some_and(|prefix| prefix.contains(':')) {
            // With another colon it is of a cluster whose prefix begins with ours.
            self.strange.push(key.to_owned());
        }
        None
    }
}

impl Store {
    /// The keys of this cluster on every node. Those of single contexts are checked as they come, and not kept.
    pub(super) async fn scan_names(
        &self,
        checked: &mut Checked,
        history: History,
    ) -> Result<Names, Error> {
        let prefix = self.keys.prefix();
        let mut names = Names::default();
        let mut mortal: BTreeMap<PartitionId, Mortal> = BTreeMap::new();
        let mut pages = self.redis.scan(format!("{{{prefix}[:}}]*"), SCAN_STEP);
        while let Some(page) = pages.try_next().await? {
            for (partition, name) in page.iter().filter_map(|key| names.add(prefix, key)) {
                let of_partition = mortal.entry(partition).or_default();
                if history == History::Sample && of_partition.seen >= SAMPLE_KEYS {
                    continue;
                }
                of_partition.seen += 1;
                of_partition.names.push(name);
                if of_partition.names.len() == KEYS_STEP {
                    let few = std::mem::take(&mut of_partition.names);
                    self.check_mortal(checked, partition, &few).await?;
                }
            }
        }
        for (partition, left) in mortal {
            if !left.names.is_empty() {
                self.check_mortal(checked, partition, &left.names).await?;
            }
        }
        Ok(names)
    }

    async fn check_mortal(
        &self,
        checked: &mut Checked,
        partition: PartitionId,
        names: &[String],
    ) -> Result<(), Error> {
        let read = self.check_keys(partition, names).await?;
        checked.calls += 1;
        for key in &read.keys {
            checked.keys += 1;
            checked.add(rules::of_key(key));
        }
        Ok(())
    }

    /// Keys that are not ours, and those of partitions that this cluster does not have.
    pub(super) fn strange_keys(&self, names: &Names) -> Vec<Finding> {
        let last = self.partitions.as_u16();
        let beyond = names
            .by_partition
            .iter()
            .filter(|(partition, _)| partition.as_u16() >= last)
            .flat_map(|(partition, names)| {
                names
                    .iter()
                    .map(move |name| format!("{{{}:{partition}}}:{name}", self.keys.prefix()))
            });
        let strange = names.strange.iter().cloned();
        strange
            .chain(beyond)
            .map(|key| Finding {
                kind: Kind::UnknownKey,
                partition: PartitionId::default(),
                detail: format!("nobody makes a key `{key}`"),
                evidence: vec![Evidence {
                    key: key.clone(),
                    ..Evidence::default()
                }],
                subject: Subject::Key(key),
            })
            .collect()
    }
}

impl Walk<'_> {
    /// Type, size and lifetime of every key; notes the places and jobs that are to be walked.
    pub(super) async fn keys(&mut self, names: &[String]) -> Result<(), Error> {
        let mut sized = false;
        for few in names.chunks(KEYS_STEP) {
            let read = self
                .timed(self.store.check_keys(self.partition, few))
                .await?;
            if !std::mem::replace(&mut sized, true) {
                self.history(read.history, read.budget);
            }
            for key in &read.keys {
                self.checked.keys += 1;
                self.note(key);
                self.checked.add(rules::of_key(key));
            }
        }
        for place in PLACES {
            self.places.entry(place.to_owned()).or_default();
        }
        Ok(())
    }

    /// What ended contexts left, and what they may.
    fn history(&mut self, sizes: Sizes, budget: Option<Budget>) {
        self.checked.history = self.checked.history.plus(sizes);
        let Some(budget) = budget else {
            return;
        };
        self.checked.budget = self.checked.budget.plus(Sizes {
            logs: budget.logs,
            results: budget.results,
            dead: budget.dead,
            events: 0,
        });
        let found = rules::w9_history_is_bounded(self.partition, sizes, budget);
        self.checked.add(found);
    }

    fn note(&mut self, key: &KeyFacts) {
        if PLACES.contains(&key.name.as_str()) {
            self.places.insert(key.name.clone(), key.size);
        }
        match Name::parse(&key.name) {
            Some((Name::Ready(queue), "zset")) => {
                self.queues.insert(queue);
                self.places.insert(key.name.clone(), key.size);
            }
            Some((Name::OfRoot(_, root), _)) => {
                self.fans.entry(root).or_default().push(key.name.clone());
            }
            Some((Name::OfJob(kind, job), _)) => {
                if matches!(kind, "active" | "queue") {
                    self.places.insert(key.name.clone(), key.size);
                }
                self.jobs.insert(job);
            }
            Some(_) | None => {}
        }
    }
}
