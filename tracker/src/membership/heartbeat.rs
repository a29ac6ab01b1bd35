//! Heartbeats: this tracker's own and those of the workers whose primary tracker it is, written together once per heartbeat interval.
//!
//! The same call answers with the live trackers.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tickwheel_proto::v1::TrackerMessage;
use tickwheel_store::roster::{HeartbeatReply, Silence, WorkerHeartbeat};
use tickwheel_store::{Error, Seldom, Store};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::drains::Drains;
use super::roster::Roster;
use super::worker_heartbeats;
use crate::access::Authority;
use crate::health::{Health, Stuck};
use crate::limits::Limits;
use crate::metrics::measure;
use crate::periodic::{self, Counts, Periodic};
use crate::rates::Rates;
use crate::redis_health::Outage;
use crate::sessions::Sessions;

/// A store that is refused or away fails every heartbeat: each reason is said once in a while.
static FAILED: LazyLock<Seldom> = LazyLock::new(Seldom::default);

/// A key of a wrong type stays one until a person looks at it.
static DAMAGED: LazyLock<Seldom> = LazyLock::new(|| Seldom::every(Duration::from_mins(10)));

/// See the module.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    pub(crate) store: Store,
    pub(crate) every: Duration,
    /// How long a heartbeat is valid.
    pub(crate) ttl: Duration,
    pub(crate) roster: Arc<Roster>,
    pub(crate) sessions: Arc<Sessions>,
    /// Read again when a heartbeat tells that they changed.
    pub(crate) limits: Arc<Limits>,
    /// The same of tokens.
    pub(crate) authority: Arc<Authority>,
    /// Told how many trackers are alive.
    pub(crate) rates: Arc<Rates>,
    /// The same of workers that take no more work.
    pub(crate) drains: Arc<Drains>,
    /// Told of each answer.
    pub(crate) outage: Arc<Outage>,
    pub(crate) health: Arc<Health>,
    pub(crate) stuck: Arc<Stuck>,
    /// The worker with which the next heartbeat begins, when there are too many for one.
    pub(crate) next_worker: usize,
}

impl Periodic for Heartbeat {
    const TASK: &'static str = "heartbeat";
    /// A heartbeat that arrives after the tracker signed off would keep it on the roster.
    const FINISHES: bool = true;

    fn every(&self) -> Duration {
        self.every
    }

    /// One heartbeat. The start of the tracker calls it before the first turn, which wants the roster.
    async fn run_once(&mut self) -> Counts {
        measure::workers(&self.sessions.figures());
        let (stuck, reason) = self.stuck.told(Instant::now());
        measure::stuck(stuck);
        self.health.stuck(reason);
        let sessions = self.sessions.all();
        let from = self.next_worker % sessions.len().max(1);
        let fresh = worker_heartbeats::Fresh {
            now: Instant::now(),
            within: self.every * 2,
        };
        let (calls, next) = worker_heartbeats::calls(&sessions, from, fresh);
        self.next_worker = next;
        let mut calls = calls.into_iter();
        let first = calls.next().unwrap_or_default();
        let reply = self
            .store
            .heartbeat(Some(&self.roster.own), self.ttl, &first);
        match reply.await {
            Ok(reply) => {
                crash_point!("after_heartbeat");
                self.answered(reply, calls).await
            }
            Err(error) => {
                self.unanswered(&error);
                Counts::one(false)
            }
        }
    }
}

impl Heartbeat {
    async fn answered(
        &self,
        reply: HeartbeatReply,
        calls: impl Iterator<Item = Vec<WorkerHeartbeat>>,
    ) -> Counts {
        let mut counts = Counts::one(true);
        self.health.redis_answered();
        self.outage.answered(reply.now, Instant::now());
        self.rates.shared_by(reply.live.len());
        self.roster.adopt(reply.live, reply.now);
        self.authority.heard(reply.tokens_changed);
        tell_damage(&reply.damaged);
        for workers in calls {
            let written = self.store.heartbeat(None, self.ttl, &workers).await;
            counts.add(written.is_ok());
            if let Err(error) = written {
                tracing::warn!(workers = workers.len(), %error, "heartbeats of workers were not written; the next heartbeat has them again");
                measure::store_error(&error);
                break;
            }
        }
        let unread = reply.damaged.contains(&self.store.keys().limits());
        counts.add(self.drains.heard(reply.drains_changed).await);
        // While nobody can read them, those that are known go on.
        if !unread && self.limits.known_changes() != Some(reply.limits_changed) {
            counts.add(self.limits.read().await);
        }
        counts
    }

    fn unanswered(&self, error: &Error) {
        if let Some(kept_back) = FAILED.say(&error.to_string()) {
            tracing::warn!(%error, kept_back, "heartbeat failed");
        }
        measure::store_error(error);
        if error.is_answer() {
            self.health.redis_refused(error.to_string());
        }
        // Workers whose leases nobody can prolong or take back now go on.
        self.sessions.tell_all(|| TrackerMessage {
            store_away: true,
            ..TrackerMessage::default()
        });
    }

    /// Gives heartbeats until `stop`, then signs off, so that the other trackers take over at once.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let last = Box::pin(periodic::run(self, stop)).await;
        let own = Some(&last.roster.own);
        let silence = Silence {
            longer_than: Duration::ZERO,
            ttl: last.ttl,
        };
        let retired = last.store.retire(own, silence, &[]);
        if let Err(error) = retired.await {
            tracing::warn!(%error, "could not sign off; the other trackers see it in a few seconds");
        }
    }
}

/// Says which keys of the cluster have another type than they should, when that begins and then seldom; the gauge has it all the while.
fn tell_damage(keys: &[String]) {
    measure::damaged_keys(keys.len());
    let keys = keys.join(" ");
    if keys.is_empty() {
        return;
    }
    if let Some(kept_back) = DAMAGED.say(&keys) {
        tracing::error!(%keys, kept_back, "keys of a wrong type: those of the roster were made anew, that of limits needs a person; limits that are known go on");
    }
}
