//! How much waits, runs, is late and ended lately, for whoever asks: one look for all of them.
//!
//! A look is one script for each partition, one for the workers, and one question to each server. However many ask, there is one a second at
//! most; where there are many partitions, it is made the less often, so that no more than [`LOOKS_A_SECOND`] of them are looked at in a second.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tickwheel_core::access::Sight;
use tickwheel_core::id::GroupName;
use tickwheel_core::partition::PartitionId;
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::v1;
use tickwheel_store::record::EndState;
use tickwheel_store::roster::{Census, GroupCensus};
use tickwheel_store::wheel::{Gauges, Lately, Measured};
use tickwheel_store::{Error, MemoryUse, Store};

use super::look::Look;
use crate::membership::Roster;

/// A look is good for so long at least.
const GOOD_FOR: Duration = Duration::from_secs(1);
/// Partitions that are looked at in a second at most.
const LOOKS_A_SECOND: u32 = 256;
/// Partitions that are looked at at once.
const WAVE: usize = 64;
/// Groups of an overview.
const GROUPS_MAX: usize = 1_000;
/// Of this the numbers of ends are.
const MINUTE: Duration = Duration::from_secs(60);

/// Looks for all who ask.
#[derive(Debug)]
pub(crate) struct Overviews {
    store: Store,
    roster: Arc<Roster>,
    last: Look<Snapshot>,
}

/// What one look saw.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    time: TimestampMs,
    gauges: Gauges,
    groups: BTreeMap<GroupName, Group>,
    /// In a minute, in the order of [`EndState::ALL`].
    ended: [u64; EndState::ALL.len()],
    is_estimated: bool,
    trackers: usize,
    memory: Option<MemoryUse>,
    cut: bool,
    unreadable: u64,
}

#[derive(Debug, Clone, Default)]
struct Group {
    workers: u64,
    permits: u64,
    running: u64,
    ready: u64,
}

impl Overviews {
    pub(crate) fn new(store: Store, roster: Arc<Roster>) -> Self {
        Self {
            store,
            roster,
            last: Look::default(),
        }
    }

    /// How long a look is good.
    pub(crate) fn every(&self) -> Duration {
        let partitions = u32::from(self.store.partitions().as_u16());
        (GOOD_FOR * partitions / LOOKS_A_SECOND).max(GOOD_FOR)
    }

    /// How it is now, or was when it was looked at last, if that is not long ago. Dropping the future leaves the look to the next who asks.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub(crate) async fn now(&self) -> Result<Arc<Snapshot>, Error> {
        self.last.within(self.every(), self.look()).await
    }

    async fn look(&self) -> Result<Snapshot, Error> {
        let mut seen = Snapshot::default();
        let partitions: Vec<PartitionId> = self.store.partitions().partitions().collect();
        for wave in partitions.chunks(WAVE) {
            let calls = wave.iter().map(|partition| self.store.measure(*partition));
            for measured in join_all(calls).await {
                match measured {
                    Ok(measured) => seen.add(measured),
                    Err(error @ (Error::Contract { .. } | Error::Damaged { .. })) => {
                        tracing::debug!(%error, "a partition cannot be counted");
                        seen.unreadable += 1;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        seen.add_workers(self.store.census().await?);
        seen.memory = self.store.redis().memory().await?;
        seen.trackers = self.roster.live().len();
        Ok(seen)
    }
}

impl Snapshot {
    fn add(&mut self, measured: Measured) {
        self.time = self.time.max(measured.now);
        self.gauges = self.gauges.and(measured.gauges);
        for (group, waiting) in measured.waiting {
            self.groups.entry(group).or_default().ready += waiting;
        }
        let Lately { ended, within } = measured.lately;
        let is_whole = within >= MINUTE;
        self.is_estimated |= !is_whole;
        for (sum, count) in self.ended.iter_mut().zip(ended) {
            *sum += if is_whole {
                count
            } else {
                in_a_minute(count, within)
            };
        }
    }

    fn add_workers(&mut self, census: Census) {
        self.cut |= census.cut;
        self.unreadable += census.unreadable;
        for one in census.groups {
            let GroupCensus {
                group,
                workers,
                permits,
                running,
            } = one;
            let group = self.groups.entry(group).or_default();
            group.workers += workers;
            group.permits += permits;
            group.running += running;
        }
    }

    /// As much of it as there is for somebody who sees this.
    pub(crate) fn shown(&self, sight: &Sight) -> v1::Overview {
        // What waits in a group is of all namespaces, and of all its handlers.
        let counts_ready = sight.namespaces.is_any() && sight.handlers.is_any();
        let mut groups: Vec<(&GroupName, &Group)> = self.groups.iter().collect();
        groups.retain(|(name, group)| {
            sight.groups.matches(name.as_str()) && (counts_ready || group.workers > 0)
        });
        let cut = self.cut || groups.len() > GROUPS_MAX;
        if groups.len() > GROUPS_MAX {
            // Those that matter most.
            groups.sort_by_key(|(_, group)| std::cmp::Reverse((group.workers, group.ready)));
            groups.truncate(GROUPS_MAX);
            groups.sort_by_key(|(name, _)| *name);
        }
        let shown = |(name, group): (&GroupName, &Group)| v1::OverviewGroup {
            group: name.to_string(),
            workers: group.workers,
            permits: group.permits,
            running: group.running,
            ready: counts_ready.then_some(group.ready),
        };
        v1::Overview {
            time_ms: self.time.as_u64(),
            totals: sight.is_everything().then(|| self.totals()),
            groups: groups.into_iter().map(shown).collect(),
            cut,
            unreadable: self.unreadable,
        }
    }

    fn totals(&self) -> v1::OverviewTotals {
        let gauges = &self.gauges;
        let [succeeded, failed, timed_out, cancelled, expired] = self.ended;
        let memory = self.memory.unwrap_or_default();
        v1::OverviewTotals {
            scheduled: gauges.entries.saturating_sub(gauges.overdue),
            overdue: gauges.overdue,
            lag_ms: u64::try_from(gauges.oldest.as_millis()).unwrap_or(u64::MAX),
            ready: gauges.waiting,
            running: gauges.running,
            dead: gauges.dead,
            ended: Some(v1::OverviewEnds {
                succeeded,
                failed,
                timed_out,
                cancelled,
                expired,
                estimated: self.is_estimated,
            }),
            trackers: u32::try_from(self.trackers).unwrap_or(u32::MAX),
            redis_memory_bytes: memory.used,
            redis_memory_max_bytes: memory.most,
        }
    }
}

/// How many there would be in a minute, if it went on as it did `within` a shorter time.
fn in_a_minute(count: u64, within: Duration) -> u64 {
    let within = within.max(Duration::from_millis(1));
    let reckoned = u128::from(count) * MINUTE.as_millis() / within.as_millis();
    u64::try_from(reckoned).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use tickwheel_core::access::Patterns;

    use super::*;

    fn group(name: &str) -> GroupName {
        GroupName::new(name).unwrap()
    }

    fn measured(ended: [u64; 5], within: Duration) -> Measured {
        Measured {
            now: TimestampMs::new(5),
            gauges: Gauges {
                entries: 7,
                overdue: 2,
                oldest: Duration::from_millis(30),
                waiting: 4,
                running: 3,
                dead: 1,
            },
            waiting: BTreeMap::from([(group("mail"), 3), (group("bill"), 1)]),
            lately: Lately { ended, within },
        }
    }

    fn seen() -> Snapshot {
        let mut seen = Snapshot::default();
        seen.add(measured([6, 1, 0, 0, 0], MINUTE));
        seen.add(measured([64, 0, 0, 0, 2], Duration::from_secs(30)));
        let one = GroupCensus {
            group: group("mail"),
            workers: 2,
            permits: 8,
            running: 5,
        };
        seen.add_workers(Census {
            groups: vec![one],
            cut: false,
            unreadable: 0,
        });
        seen
    }

    #[test]
    fn partitions_are_added_up_and_what_is_not_a_whole_minute_is_reckoned() {
        let shown = seen().shown(&Sight::everything());
        let totals = shown.totals.unwrap();
        assert_eq!((totals.scheduled, totals.overdue), (10, 4));
        assert_eq!((totals.ready, totals.running, totals.dead), (8, 6, 2));
        assert_eq!(totals.lag_ms, 30);
        let ended = totals.ended.unwrap();
        assert_eq!((ended.succeeded, ended.failed, ended.expired), (134, 1, 4));
        assert!(ended.estimated);
        let ready: Vec<_> = shown.groups.iter().map(|one| one.ready).collect();
        assert_eq!(ready, [Some(2), Some(6)]);
    }

    #[test]
    fn nobody_is_shown_numbers_of_what_he_does_not_see() {
        let sight = Sight {
            groups: Patterns::parse(["mail"]).unwrap(),
            ..Sight::everything()
        };
        let shown = seen().shown(&sight);
        assert_eq!((shown.totals, shown.groups.len()), (None, 1));
        let mail = &shown.groups[0];
        assert_eq!((mail.workers, mail.permits, mail.running), (2, 8, 5));
        assert_eq!(mail.ready, Some(6));
        let by_namespace = Sight {
            namespaces: Patterns::parse(["eu"]).unwrap(),
            ..Sight::everything()
        };
        let by_handler = Sight {
            handlers: Patterns::parse(["send"]).unwrap(),
            ..Sight::everything()
        };
        for sight in [by_namespace, by_handler] {
            let shown = seen().shown(&sight);
            assert_eq!(shown.totals, None);
            // A group of which is only known that something waits in it is not there at all.
            let groups: Vec<_> = shown.groups.iter().map(|one| one.group.as_str()).collect();
            assert_eq!((groups, shown.groups[0].ready), (vec!["mail"], None));
        }
    }

    #[test]
    fn as_many_groups_as_an_answer_holds_are_those_that_matter_most() {
        let mut seen = Snapshot::default();
        for ready in 0..1_001_u64 {
            let one = Group {
                ready,
                ..Group::default()
            };
            seen.groups.insert(group(&format!("g{ready}")), one);
        }
        let shown = seen.shown(&Sight::everything());
        assert!(shown.cut && shown.groups.len() == GROUPS_MAX);
        assert!(shown.groups.iter().all(|one| one.group != "g0"));
    }
}
