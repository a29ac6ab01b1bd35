//! Signs of life: this tracker's own and those of the workers whose home it is, written together once per beat interval.
//!
//! The same call answers with the live trackers, from which the ranking of partitions follows, and which the workers are told.

use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tickwheel_core::id::{GroupName, WorkerId};
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::v1::{Roster, TrackerMessage};
use tickwheel_store::Seldom;
use tickwheel_store::roster::TrackerSign;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::signs;
use crate::engine::Engine;
use crate::http::health::Health;
use crate::metrics::measure;
use crate::wheel::stuck;

/// A worker whose stream broke is evicted when no tracker heard of it for this many beat intervals.
const SILENT_BEATS: u32 = 2;

/// A store that is refused or away fails every beat: each reason is said once in a while.
static FAILED: LazyLock<Seldom> = LazyLock::new(Seldom::default);

/// A key of a wrong type stays one until a person looks at it.
static DAMAGED: LazyLock<Seldom> = LazyLock::new(|| Seldom::every(Duration::from_mins(10)));

/// Beats until `stop`, then signs off, so that the other trackers take over at once.
pub(crate) async fn run(engine: Arc<Engine>, health: Arc<Health>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(engine.config.beat_interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        beat(&engine, &health).await;
    }
    let sign = sign(&engine);
    if let Err(error) = engine
        .store
        .retire(Some(&sign), (Duration::ZERO, engine.config.beat_ttl()), &[])
        .await
    {
        tracing::warn!(%error, "could not sign off; the other trackers see it in a few seconds");
    }
}

fn sign(engine: &Engine) -> TrackerSign {
    TrackerSign {
        id: engine.tracker_id.clone(),
        url: engine.url.clone(),
    }
}

/// One beat. Public to the start of the tracker, which wants the roster before the first turn.
pub(crate) async fn beat(engine: &Arc<Engine>, health: &Health) {
    let sessions = engine.sessions.all();
    measure::sessions(&sessions);
    let stuck = engine.stuck.at(Instant::now());
    measure::stuck(stuck.len());
    health.stuck(stuck::reason(&stuck));
    let from = engine.signed.load(Ordering::Relaxed) % sessions.len().max(1);
    let times = (Instant::now(), engine.config.beat_interval * 2);
    let (calls, next) = signs::calls(&sessions, from, times);
    engine.signed.store(next, Ordering::Relaxed);
    let mut calls = calls.into_iter();
    let first = calls.next().unwrap_or_default();
    match engine
        .store
        .beat(Some(&sign(engine)), engine.config.beat_ttl(), &first)
        .await
    {
        Ok(beaten) => {
            crash_point!("after_beat");
            health.redis_answered();
            engine.absence.answered(beaten.now, Instant::now());
            adopt(engine, beaten.live, beaten.now);
            tell_damage(&beaten.damaged);
            for signs in calls {
                if let Err(error) = engine
                    .store
                    .beat(None, engine.config.beat_ttl(), &signs)
                    .await
                {
                    tracing::warn!(workers = signs.len(), %error, "signs of life of workers were not written; the next beat has them again");
                    measure::store_error(&error);
                    break;
                }
            }
            let unread = beaten.damaged.contains(&engine.store.keys().limits());
            // While nobody can read them, those that are known go on.
            if !unread && engine.limits.known_changes() != Some(beaten.limits_changed) {
                engine.read_limits().await;
            }
        }
        Err(error) => {
            if let Some(kept_back) = FAILED.say(&error.to_string()) {
                tracing::warn!(%error, kept_back, "beat failed");
            }
            measure::store_error(&error);
            if answered(&error) {
                health.redis_refused(error.to_string());
            }
            // Workers whose leases nobody can prolong or take back now go on.
            tell_all(engine, || TrackerMessage {
                store_away: true,
                ..TrackerMessage::default()
            });
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

fn tell_all(engine: &Engine, message: impl Fn() -> TrackerMessage) {
    for session in engine.sessions.all() {
        // A stream that just ended: its worker hears it from another tracker.
        session.send(message()).ok();
    }
}

/// Takes over who is alive, as Redis said at `now` of its clock.
pub(crate) fn adopt(engine: &Engine, live: Vec<TrackerSign>, now: TimestampMs) {
    let known = engine.roster.load();
    if **known == live {
        return;
    }
    tracing::info!(trackers = live.len(), "the roster of trackers changed");
    for gone in known
        .iter()
        .filter(|sign| live.iter().all(|other| other.id != sign.id))
    {
        let partitions = engine.turned_by(&gone.id);
        engine.departed.note(gone.id.clone(), partitions, now);
    }
    engine.roster.store(Arc::new(live));
    engine.roster_changed.notify_one();
    tell_all(engine, || TrackerMessage {
        roster: Some(roster(engine)),
        ..TrackerMessage::default()
    });
}

/// Whether Redis gave this answer itself; silence is another matter.
fn answered(error: &tickwheel_store::Error) -> bool {
    match error {
        // The words of a server begin with a word in capitals.
        tickwheel_store::Error::Unavailable { reason, .. } => {
            let word = reason.split(' ').next().unwrap_or_default();
            word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_uppercase())
        }
        tickwheel_store::Error::Exhausted { .. }
        | tickwheel_store::Error::Full(_)
        | tickwheel_store::Error::Unconfirmed { .. }
        | tickwheel_store::Error::Invalid(_)
        | tickwheel_store::Error::Conflict(_)
        | tickwheel_store::Error::NotFound { .. }
        | tickwheel_store::Error::Contract { .. }
        | tickwheel_store::Error::Damaged { .. }
        | tickwheel_store::Error::Unusable(_) => true,
    }
}

/// The live trackers, for a worker.
pub(crate) fn roster(engine: &Engine) -> Roster {
    let mut tracker_urls: Vec<String> = engine
        .roster
        .load()
        .iter()
        .map(|sign| sign.url.clone())
        .collect();
    if !tracker_urls.contains(&engine.url) {
        tracker_urls.push(engine.url.clone());
    }
    Roster { tracker_urls }
}

/// A worker's stream ended. When it said that it drains, it is forgotten at once; else when no tracker hears of it for two beats. Its
/// leases end with that, in the partitions of this tracker; the other trackers saw their streams end as well.
pub(crate) async fn gone(engine: Arc<Engine>, group: GroupName, worker: WorkerId, drained: bool) {
    let silent = if drained {
        Duration::ZERO
    } else {
        engine.config.beat_interval * SILENT_BEATS
    };
    // A beat that was under way when the stream broke is written within one more interval.
    let patience = if drained {
        Duration::ZERO
    } else {
        silent + engine.config.beat_interval / 4
    };
    tokio::time::sleep(patience).await;
    if engine.sessions.get(&worker).is_some() {
        return;
    }
    let workers = [(group, worker.clone())];
    match engine
        .store
        .retire(None, (silent, engine.config.beat_ttl()), &workers)
        .await
    {
        Ok(retired) if retired.contains(&worker) => {
            crash_point!("between_retire_and_reap");
            tracing::info!(%worker, drained, "worker is gone; its leases end");
            for partition in engine.owned() {
                engine.reap(partition, vec![worker.clone()]);
            }
        }
        Ok(_) => {}
        Err(error) => {
            tracing::warn!(%worker, %error, "could not evict; its leases end by themselves");
            measure::store_error(&error);
        }
    }
}
