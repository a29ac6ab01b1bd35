//! Whether a tracker is ready for work: Redis answered a moment ago, and nobody asked it to stop.
//!
//! Times here are of the process' own monotonic clock: they decide what a load balancer is told, never what is due.

use std::sync::Mutex;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

/// Redis is taken as gone when it has not answered for this long. A tracker beats every second, and one beat may be lost.
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
    unfit: Vec<String>,
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
    pub fn unfit(&self, reasons: Vec<String>) {
        self.change(|state| state.unfit = reasons);
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
        reasons.extend(state.unfit);
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
        // A holder cannot panic between lock and unlock, and a copy is whole either way.
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(
            &mut self
                .state
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        );
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
        health.unfit(vec!["redis evicts keys".to_owned()]);
        assert_eq!(
            health.readiness().reasons,
            ["redis is unavailable: MISCONF", "redis evicts keys"]
        );
        health.redis_answered();
        health.unfit(Vec::new());
        health.drain();
        assert_eq!(health.readiness().reasons, ["draining"]);
    }
}
