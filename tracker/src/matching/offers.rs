//! Which workers a lane fits, what they stand for in a turn, and why nobody takes a context.

use std::collections::HashMap;
use std::sync::Arc;

use tickwheel_core::partition::PartitionId;
use tickwheel_core::routing::{Lane, LaneId, Mode, Profile};
use tickwheel_store::lane::LaneOffer;
use tickwheel_store::record::Queue;
use tickwheel_store::wheel::Pinned;
use tokio::time::Instant;

use crate::engine::Engine;
use crate::matching::reservations::{Reserved, Wanted};
use crate::sessions::Session;

/// Whether contexts of a queue would be taken now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Some worker takes them.
    Now,
    /// Perhaps: the one that the policy wants is full, but it may be passed over for single contexts.
    Perhaps,
    /// Nobody: no worker fits, or all that do are full.
    No,
}

/// A queue with a lane, and the workers that fit it.
struct Fitted {
    queue: Queue,
    lane: Arc<Lane>,
    workers: Vec<Arc<Session>>,
}

/// A session, for the rules that compare workers.
struct Candidate(Arc<Session>, Arc<Profile>);

impl AsRef<Profile> for Candidate {
    fn as_ref(&self) -> &Profile {
        &self.1
    }
}

/// The permits of one turn, and what it is told about lanes.
pub(crate) struct Offered {
    pub(crate) reserved: Reserved,
    pub(crate) lanes: Vec<LaneOffer>,
}

/// Takes permits for a turn of `partition`: of any workers in rotation, and of all that fit a lane that the turn may meet, so that a policy
/// chooses among all of them.
pub(crate) async fn offer(
    engine: &Engine,
    partition: PartitionId,
    (rotation, waiting): (usize, &[Queue]),
) -> Offered {
    let queues = engine.lanes.recent(partition, Instant::now());
    let most = engine.config.turn_limit;
    if queues.is_empty() {
        let reserved = engine.sessions.reserve(most, rotation, (&[], waiting));
        return Offered {
            reserved,
            lanes: Vec::new(),
        };
    }
    let ids: Vec<_> = queues.iter().filter_map(|queue| queue.lane).collect();
    engine.lanes.learn(&engine.store, partition, &ids).await;
    let fitted: Vec<Fitted> = queues
        .into_iter()
        .filter_map(|queue| {
            let lane = engine.lanes.get(&queue.lane?)?;
            let workers = engine.fitting(&lane, &queue);
            Some(Fitted {
                queue,
                lane,
                workers,
            })
        })
        .collect();
    let mut wanted = Vec::new();
    let pinned = engine.lanes.pinned(partition);
    for fitted in &fitted {
        let takes_units = !fitted.lane.requires.is_empty();
        // Parts that are meant for one worker go to it, even when others came since that leave it beyond a greatest number.
        let meant = pinned.iter().filter(|one| one.queue == fitted.queue);
        let meant: Vec<_> = meant
            .filter_map(|one| engine.sessions.get(&one.worker))
            .collect();
        let all = fitted.workers.iter().chain(&meant);
        wanted.extend(all.map(|session| Wanted {
            session: Arc::clone(session),
            takes_units,
        }));
    }
    let reserved = engine.sessions.reserve(most, rotation, (&wanted, waiting));
    let positions = reserved.positions();
    let lanes = fitted
        .iter()
        .map(|fitted| lane_offer(fitted, &positions))
        .collect();
    Offered { reserved, lanes }
}

fn lane_offer(fitted: &Fitted, positions: &HashMap<*const Session, usize>) -> LaneOffer {
    let policy = fitted.lane.routing.policy;
    let places = (0_u32..).zip(&fitted.workers);
    let workers = places.filter_map(|(place, session)| {
        let at = positions.get(&Arc::as_ptr(session))?;
        Some((
            *at,
            policy.standing(place, &session.profile(), &session.figures()),
        ))
    });
    LaneOffer {
        queue: fitted.queue.clone(),
        mode: policy.mode(),
        requires: fitted.lane.requires.clone(),
        workers: workers.collect(),
    }
}

impl Engine {
    /// The workers of a lane, in its order.
    fn fitting(&self, lane: &Lane, queue: &Queue) -> Vec<Arc<Session>> {
        let offering = self
            .sessions
            .offering(&queue.group, queue.handler.as_str())
            .into_iter();
        let offering: Vec<Candidate> = offering
            .map(|session| {
                let profile = session.profile();
                Candidate(session, profile)
            })
            .collect();
        let fitting = lane.fitting(&offering).into_iter();
        fitting.map(|candidate| Arc::clone(&candidate.0)).collect()
    }

    /// Whether a context of this queue would be taken now.
    pub(crate) fn takes(&self, queue: &Queue) -> Taken {
        if queue.stopped.is_some() {
            return Taken::No;
        }
        let Some(id) = queue.lane else {
            let (_, free) = self.sessions.offered(&queue.group, queue.handler.as_str());
            return if free { Taken::Now } else { Taken::No };
        };
        let Some(lane) = self.lanes.get(&id) else {
            // A visit reads it.
            return if self.lanes.is_missing(&id) {
                Taken::No
            } else {
                Taken::Now
            };
        };
        let workers = self.fitting(&lane, queue);
        let requires = &lane.requires;
        let free = |session: &Arc<Session>| {
            session.credit().available() > 0
                && (requires.is_empty() || requires.fit_in(&session.units().available()))
        };
        let first = workers.first().is_some_and(free);
        if !workers.iter().any(free) {
            Taken::No
        } else if lane.routing.policy.mode() == Mode::First && !first {
            Taken::Perhaps
        } else {
            Taken::Now
        }
    }

    /// Whether a part that is meant for a worker would be taken by it now.
    pub(crate) fn is_free_for(&self, pinned: &Pinned) -> bool {
        let (worker, queue) = (&pinned.worker, &pinned.queue);
        let Some(session) = self.sessions.get(worker) else {
            return false;
        };
        if !session.offers(&queue.group, queue.handler.as_str())
            || session.credit().available() == 0
        {
            return false;
        }
        let Some(id) = queue.lane else {
            return true;
        };
        match self.lanes.get(&id) {
            Some(lane) => lane.requires.fit_in(&session.units().available()),
            // A visit reads it.
            None => !self.lanes.is_missing(&id),
        }
    }

    /// What a context of this lane takes of its worker's resources; `None` when the lane is not known (any more).
    pub(crate) fn requires(&self, lane: Option<&LaneId>) -> Option<HashMap<String, u64>> {
        let Some(lane) = lane else {
            return Some(HashMap::new());
        };
        let lane = self.lanes.get(lane)?;
        let requires = lane.requires.iter();
        let owned = requires.map(|(name, amount)| (name.to_owned(), amount));
        Some(owned.collect())
    }

    /// Why a context of this queue waits for a worker, in words.
    pub(crate) fn waits_for(&self, queue: &Queue) -> String {
        let (group, reason) = (&queue.group, self.waits_for_worker(queue));
        // Only a turn knows which of the two it is.
        match self.limits.in_words(group) {
            Some(limits) => format!("{reason}; or for a limit: group `{group}` may have {limits}"),
            None => reason,
        }
    }

    fn waits_for_worker(&self, queue: &Queue) -> String {
        let (group, handler) = (&queue.group, &queue.handler);
        let (known, free) = self.sessions.offered(group, handler.as_str());
        if !known {
            return format!("no worker offers it: handler `{handler}` in group `{group}`");
        }
        let dispatching = "it is about to be dispatched".to_owned();
        let Some(id) = queue.lane else {
            return if free {
                dispatching
            } else {
                format!("all permits of group `{group}` are in use")
            };
        };
        let Some(lane) = self.lanes.get(&id) else {
            return if self.lanes.is_missing(&id) {
                format!("its lane `{id}` is not there: submit it again, or apply its job again")
            } else {
                dispatching
            };
        };
        let workers = self.fitting(&lane, queue);
        if workers.is_empty() {
            let (group, handler) = (&queue.group, queue.handler.as_str());
            return nobody_fits(&lane, queue, &self.sessions.offering(group, handler));
        }
        if self.takes(queue) == Taken::Now {
            return dispatching;
        }
        if lane.routing.policy.mode() == Mode::First {
            let first = workers.first().map(|session| session.worker.to_string());
            return format!(
                "it waits for worker `{}`, the first by its routing policy {}",
                first.unwrap_or_default(),
                lane.routing.policy
            );
        }
        let count = workers.len();
        let with_permit = |session: &Arc<Session>| session.credit().available() > 0;
        if !workers.iter().any(with_permit) {
            return format!("all permits of the {count} workers that fit are in use");
        }
        format!(
            "none of the {count} workers that fit has {} free",
            lane.requires
        )
    }
}

/// How many of the workers are left out, and by which rule.
fn nobody_fits(lane: &Lane, queue: &Queue, offering: &[Arc<Session>]) -> String {
    let mut counts: Vec<(tickwheel_core::routing::Misfit, u32)> = Vec::new();
    let mut total = 0_u32;
    for session in offering {
        total += 1;
        if let Err(misfit) = lane.fits(&session.profile()) {
            match counts.iter_mut().find(|(known, _)| *known == misfit) {
                Some((_, count)) => *count += 1,
                None => counts.push((misfit, 1)),
            }
        }
    }
    let reasons: Vec<String> = counts
        .into_iter()
        .map(|(misfit, count)| format!("{misfit} {count}"))
        .collect();
    let mut asked = Vec::new();
    asked.extend(lane.workers.select.iter().map(ToString::to_string));
    if !lane.requires.is_empty() {
        asked.push(lane.requires.to_string());
    }
    let condition = if asked.is_empty() {
        String::new()
    } else {
        format!(": {}", asked.join("; "))
    };
    let workers = if total == 1 { "worker" } else { "workers" };
    format!(
        "no worker fits: of {total} {workers} that offer handler `{}`, {}{condition}",
        queue.handler,
        reasons.join(", ")
    )
}
