//! Limits of groups, as this tracker knows them: their definitions, read again when a heartbeat tells that they changed, and what the partitions
//! that it turns were granted. Nothing here matters to anybody else: what is lost is reported and granted anew.

mod waiting;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tickwheel_core::id::GroupName;
use tickwheel_core::limits::{GroupLimits, Limit, LimitName};
use tickwheel_core::partition::PartitionId;
use tickwheel_core::pause::GroupPause;
use tickwheel_core::time::TimestampMs;
use tickwheel_store::Store;
use tickwheel_store::limit::{Defined, Grant, LimitInput, LimitReport};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::metrics::measure;
use crate::seldom::Unwritten;
use waiting::Waiting;

/// Something that waits for a limit is looked at this often, should a message be lost.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// The same of a limit that a partition asked for the first time: the script lets others pass from 20 ms on.
pub(crate) const FIRST_ANSWER: Duration = Duration::from_millis(25);

/// What the next turn of a partition is told.
#[derive(Debug, Default)]
struct News {
    grants: HashMap<LimitName, Grant>,
    recalled: HashSet<LimitName>,
    /// Not before this.
    at: Option<Instant>,
}

/// The limits of groups.
#[derive(Debug)]
pub(crate) struct Limits {
    store: Store,
    tasks: TaskTracker,
    unwritten: Unwritten,
    /// As they hold: those of a paused group let nothing run.
    groups: ArcSwap<BTreeMap<GroupName, GroupLimits>>,
    paused: ArcSwap<BTreeMap<GroupName, GroupPause>>,
    /// Some group has limits, or had some since this tracker started.
    active: AtomicBool,
    /// How often they had changed when they were read, and when last; `None` before that.
    changes: Mutex<Option<(u64, Option<TimestampMs>)>>,
    news: Mutex<HashMap<PartitionId, News>>,
    waiting: Mutex<Waiting>,
    /// Told when a partition has news.
    pub(crate) told: Notify,
}

impl Limits {
    /// Nothing is known yet.
    pub(crate) fn new(store: Store, tasks: TaskTracker) -> Arc<Self> {
        Arc::new(Self {
            store,
            tasks,
            unwritten: Unwritten::default(),
            groups: ArcSwap::default(),
            paused: ArcSwap::default(),
            active: AtomicBool::new(false),
            changes: Mutex::default(),
            news: Mutex::default(),
            waiting: Mutex::default(),
            told: Notify::new(),
        })
    }

    /// Takes over the definitions.
    fn adopt(&self, defined: Defined) {
        let mut groups: BTreeMap<GroupName, GroupLimits> = defined.groups.into_iter().collect();
        let paused: BTreeMap<_, _> = defined.paused.into_iter().collect();
        for group in paused.keys() {
            groups.entry(group.clone()).or_default().all.concurrency = Some(0);
        }
        *self.changes.lock() = Some((defined.changes, defined.changed));
        if !groups.is_empty() {
            self.active.store(true, Ordering::Relaxed);
        }
        if **self.groups.load() != groups {
            let (limited, paused) = (groups.len(), paused.len());
            tracing::info!(groups = limited, paused, "the limits of groups changed");
            self.groups.store(Arc::new(groups));
        }
        self.paused.store(Arc::new(paused));
    }

    /// Whether the definitions were read.
    pub(crate) fn are_known(&self) -> bool {
        self.known_changes().is_some()
    }

    /// How often the definitions had changed when they were read.
    pub(crate) fn known_changes(&self) -> Option<u64> {
        self.changes.lock().map(|(times, _)| times)
    }

    /// A queue was met that waits for a limit: turns have to be told of limits from now on.
    pub(crate) fn activate(&self) {
        self.active.store(true, Ordering::Relaxed);
    }

    /// What the next turn of `partition` is told; `None` where no group has limits.
    pub(crate) fn for_turn(&self, partition: PartitionId) -> Option<LimitInput> {
        if !self.active.load(Ordering::Relaxed) {
            return None;
        }
        let groups = self.groups.load();
        let lines = groups.iter().map(|(group, limits)| limits.line(group));
        let news = self.news.lock().remove(&partition).unwrap_or_default();
        Some(LimitInput {
            groups: lines.collect(),
            grants: news.grants.into_values().collect(),
            recalled: news.recalled.into_iter().collect(),
            changed: self.changes.lock().and_then(|(_, at)| at),
        })
    }

    /// Takes down what a turn of `partition` told of what waits; `limited` is false when nothing does.
    pub(crate) fn note_waiting(
        &self,
        partition: PartitionId,
        reports: &[LimitReport],
        limited: bool,
    ) {
        let mut waiting = self.waiting.lock();
        if limited {
            waiting.note(partition, reports);
        } else {
            waiting.forget(partition);
        }
    }

    /// Another tracker turns this partition now.
    pub(crate) fn forget_waiting(&self, partition: PartitionId) {
        self.waiting.lock().forget(partition);
    }

    /// What limits a name now.
    pub(crate) fn limit(&self, name: &LimitName) -> Limit {
        let groups = self.groups.load();
        let limits = groups.get(&name.group);
        limits.map_or_else(Limit::default, |limits| match &name.key {
            Some(key) => limits.of_key(key.as_str()),
            None => limits.all,
        })
    }

    /// That a group is paused, for a person; `None` when it is not.
    pub(crate) fn paused_in_words(&self, group: &GroupName) -> Option<String> {
        self.paused.load().get(group).map(ToString::to_string)
    }

    /// The limits of a group, for a person; `None` when it has none.
    pub(crate) fn in_words(&self, group: &GroupName) -> Option<String> {
        self.groups.load().get(group).map(ToString::to_string)
    }

    /// Another partition waits for what this one may have.
    pub(crate) fn recall(&self, partition: PartitionId, name: LimitName) {
        self.news
            .lock()
            .entry(partition)
            .or_default()
            .recalled
            .insert(name);
        self.told.notify_one();
    }

    fn granted(&self, partition: PartitionId, grants: Vec<Grant>) {
        let now = Instant::now();
        let mut all = self.news.lock();
        let news = all.entry(partition).or_default();
        for grant in grants {
            let free = grant.starts > 0;
            let again = grant.again.unwrap_or(LOOK_AGAIN).min(LOOK_AGAIN);
            let at = if free { now } else { now + again };
            news.at = Some(news.at.map_or(at, |known| known.min(at)));
            news.grants.insert(grant.limit.clone(), grant);
        }
        drop(all);
        self.told.notify_one();
    }

    /// Partitions with news, and when each is to be turned.
    pub(crate) fn due(&self) -> Vec<(PartitionId, Instant)> {
        let now = Instant::now();
        let all = self.news.lock();
        let due = all.iter().map(|(partition, news)| {
            let at = if news.recalled.is_empty() {
                news.at.unwrap_or(now)
            } else {
                now
            };
            (*partition, at)
        });
        due.collect()
    }

    /// Shares what a turn of `partition` left of limits with the other partitions, in the background.
    pub(crate) fn share(self: &Arc<Self>, partition: PartitionId, reports: Vec<LimitReport>) {
        let mut by_owner: BTreeMap<PartitionId, Vec<(LimitReport, Limit)>> = BTreeMap::new();
        for report in reports {
            let owner = self.store.owner_of_limit(&report.limit);
            let limit = self.limit(&report.limit);
            by_owner.entry(owner).or_default().push((report, limit));
        }
        for (owner, reports) in by_owner {
            let limits = Arc::clone(self);
            self.tasks.spawn(async move {
                crash_point!("before_share");
                match limits.store.share_limits(owner, partition, &reports).await {
                    Ok(grants) => {
                        crash_point!("after_share");
                        limits.granted(partition, useful(grants, &reports));
                    }
                    Err(error) => {
                        // The partition reports again when something waits in it, and at the latest when somebody else does.
                        limits.unwritten.count(&error, |unsaid| {
                            tracing::warn!(%partition, %error, unsaid, "limits could not be shared");
                        });
                    }
                }
            });
        }
    }

    /// Reads the definitions again. False when they were not answered: those that are known go on.
    pub(crate) async fn read(&self) -> bool {
        match self.store.list_limits().await {
            Ok(defined) => {
                self.adopt(defined);
                true
            }
            Err(error) => {
                tracing::debug!(%error, "the limits of groups were not answered");
                measure::store_error(&error);
                false
            }
        }
    }
}

/// What a partition has to be told: of what it asked for, of what it may not keep any more, and of reports that it does not know.
fn useful(mut grants: Vec<Grant>, reports: &[(LimitReport, Limit)]) -> Vec<Grant> {
    let reported: HashMap<&LimitName, &LimitReport> = reports
        .iter()
        .map(|(report, _)| (&report.limit, report))
        .collect();
    grants.retain(|grant| {
        reported.get(&grant.limit).is_none_or(|report| {
            let asked = report.wanted > 0;
            asked || !grant.kept && report.holds > 0 || report.report != grant.report
        })
    });
    grants
}
