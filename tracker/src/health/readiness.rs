//! Whether a tracker is ready for work: Redis answered a moment ago, and nobody asked it to stop.
//!
//! Times here are of the process' own monotonic clock: they decide what a load balancer is told, never what is due.

use std::time::Duration;

use parking_lot::Mutex;
use serde::Serialize;
use tickwheel_store::Hearing;
use tokio::time::Instant;

/// Redis is taken as gone when it has not answered for this long. A tracker gives a heartbeat every second, and one heartbeat may be lost.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// What a tracker knows about its own fitness. Shared by the loops, which report, and the HTTP surface, which asks.
#[derive(Debug, Default)]
pub struct Health {
    state: Mutex<State>,
}

#[derive(Debug, Default, Clone)]
struct State {
    answered: Option<Instant>,
    /// What Redis said when it answered that it will not, in words.
    refused: Option<String>,
    /// What its settings break, in words.
    misconfigured: Vec<String>,
    /// Which partitions cannot be turned, in words.
    stuck: Option<String>,
    /// Wake channels that are heard, and those that should be.
    hears: Option<Hearing>,
    draining: bool,
}

/// The answer of `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// Whether new work may be sent here.
    pub ready: bool,
    /// Why not, in words; empty when ready.
    pub reasons: Vec<String>,
    /// Milliseconds since Redis last answered; absent before the first time.
    pub redis_answer_age_ms: Option<u64>,
    /// The version of the tracker.
    pub version: &'static str,
}

impl Readiness {
    /// The same without the details of the reasons, addresses among them: those are for who reads the log.
    #[must_use]
    pub fn in_short(mut self) -> Self {
        for reason in &mut self.reasons {
            *reason = short(reason);
        }
        self
    }
}

/// What stands before the first colon or bracket, without an address.
fn short(reason: &str) -> String {
    let end = [": ", " ("]
        .iter()
        .filter_map(|mark| reason.find(mark))
        .min();
    let begin = reason.get(..end.unwrap_or(reason.len())).unwrap_or(reason);
    let words: Vec<&str> = begin.split(' ').collect();
    let is_address = |at: usize| words.get(at).is_some_and(|word| word.contains([':', '.']));
    let kept = words
        .iter()
        .enumerate()
        .filter(|(at, word)| !(is_address(*at) || **word == "at" && is_address(at + 1)));
    kept.map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
}

impl Health {
    /// Nothing is known yet: not ready.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Redis answered just now.
    pub fn redis_answered(&self) {
        self.change(|state| {
            state.answered = Some(Instant::now());
            state.refused = None;
        });
    }

    /// Redis answered just now that it will not: its disk is full, it is a replica, it holds an older store.
    pub fn redis_refused(&self, reason: String) {
        self.change(|state| {
            state.answered = Some(Instant::now());
            state.refused = Some(reason);
        });
    }

    /// What the settings of Redis break; nothing, when they are right.
    pub fn misconfigured(&self, reasons: Vec<String>) {
        self.change(|state| state.misconfigured = reasons);
    }

    /// Which partitions cannot be turned by this tracker, in words; `None` while all of them can.
    pub fn stuck(&self, reason: Option<String>) {
        self.change(|state| state.stuck = reason);
    }

    /// So many of the wake channels are heard: the others' work is found late.
    pub fn hears(&self, hearing: Hearing) {
        self.change(|state| state.hears = Some(hearing));
    }

    /// The tracker was asked to stop.
    pub fn drain(&self) {
        self.change(|state| state.draining = true);
    }

    /// Whether the tracker was asked to stop.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.state().draining
    }

    /// Whether work may be sent here, and if not, why.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        let state = self.state();
        let age = state.answered.map(|at| at.elapsed());
        let mut reasons = Vec::new();
        match age {
            None => reasons.push("redis has not answered yet".to_owned()),
            Some(age) if age > ANSWER_WITHIN => {
                reasons.push(format!("redis has not answered for {} s", age.as_secs()));
            }
            Some(_) => {}
        }
        reasons.extend(state.refused);
        reasons.extend(state.misconfigured);
        reasons.extend(state.stuck);
        if let Some(Hearing {
            subscribed,
            expected,
        }) = state.hears
            && subscribed < expected
        {
            reasons.push(format!("hears {subscribed} of {expected} wake channels"));
        }
        if state.draining {
            reasons.push("draining".to_owned());
        }
        Readiness {
            ready: reasons.is_empty(),
            reasons,
            redis_answer_age_ms: age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    fn state(&self) -> State {
        self.state.lock().clone()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ready_means_redis_answered_lately_and_not_draining() {
        let health = Health::new();
        assert_eq!(health.readiness().reasons, ["redis has not answered yet"]);
        health.redis_answered();
        assert!(health.readiness().ready);
        tokio::time::advance(Duration::from_secs(7)).await;
        let readiness = health.readiness();
        assert!(!readiness.ready);
        assert_eq!(readiness.reasons, ["redis has not answered for 7 s"]);
        assert_eq!(readiness.redis_answer_age_ms, Some(7_000));
        health.redis_refused("redis is unavailable: MISCONF".to_owned());
        let evicts = "redis at 10.0.0.7:6379 evicts keys (maxmemory-policy x) and more";
        health.misconfigured(vec![evicts.to_owned()]);
        assert_eq!(
            health.readiness().reasons,
            ["redis is unavailable: MISCONF", evicts]
        );
        let short = health.readiness().in_short();
        assert_eq!(short.reasons, ["redis is unavailable", "redis evicts keys"]);
        health.redis_answered();
        health.misconfigured(Vec::new());
        health.stuck(Some("partition 3 cannot be turned".to_owned()));
        assert_eq!(health.readiness().reasons, ["partition 3 cannot be turned"]);
        health.stuck(None);
        let hears = |subscribed| {
            health.hears(Hearing {
                subscribed,
                expected: 16,
            });
        };
        hears(1);
        assert_eq!(health.readiness().reasons, ["hears 1 of 16 wake channels"]);
        hears(16);
        assert!(health.readiness().ready);
        health.drain();
        assert_eq!(health.readiness().reasons, ["draining"]);
    }
}
