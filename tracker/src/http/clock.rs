//! How long a connection may still take: for a request and its answer, and for rest between two of them.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Time for one request and its answer.
pub(super) const WITHIN: Duration = Duration::from_secs(20);
/// Time between an answer and the next request.
pub(super) const RESTS_WITHIN: Duration = Duration::from_secs(60);
/// Of an answer that goes on for ever something is taken within this.
pub(super) const TAKES_WITHIN: Duration = Duration::from_secs(30);

/// The clock of one connection.
#[derive(Debug)]
pub(super) struct Clock(Mutex<State>);

#[derive(Debug)]
struct State {
    phase: Phase,
    until: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A request comes in, or is looked at.
    Asked,
    /// Its answer is known, and goes out.
    Answered,
    /// Its answer goes on for ever.
    Lasts,
    /// There is none.
    Rests,
}

impl Clock {
    /// Of a connection that begins with a request.
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            phase: Phase::Asked,
            until: Instant::now() + WITHIN,
        }))
    }

    /// Until when it has to come to the end of what it does.
    pub(super) fn until(&self) -> Instant {
        self.0.lock().until
    }

    /// Whether it has no request under way.
    pub(super) fn rests(&self) -> bool {
        self.0.lock().phase == Phase::Rests
    }

    /// A request begins; one that began already goes on.
    pub(super) fn begin(&self) {
        let mut state = self.0.lock();
        if state.phase == Phase::Rests {
            state.phase = Phase::Asked;
            state.until = Instant::now() + WITHIN;
        }
    }

    /// The answer is known: when all of it has gone out, the connection rests.
    pub(super) fn answered(&self) {
        self.0.lock().phase = Phase::Answered;
    }

    /// The answer has begun, and goes on until one of both ends it.
    pub(super) fn lasts(&self) {
        let mut state = self.0.lock();
        state.phase = Phase::Lasts;
        state.until = Instant::now() + TAKES_WITHIN;
    }

    /// Everything that was written has gone out.
    pub(super) fn sent(&self) {
        let mut state = self.0.lock();
        match state.phase {
            Phase::Answered => {
                state.phase = Phase::Rests;
                state.until = Instant::now() + RESTS_WITHIN;
            }
            Phase::Lasts => state.until = Instant::now() + TAKES_WITHIN,
            Phase::Asked | Phase::Rests => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_request_has_its_time_and_each_rest() {
        let clock = Clock::new();
        let began = Instant::now();
        tokio::time::advance(Duration::from_secs(5)).await;
        clock.begin();
        assert_eq!(
            clock.until(),
            began + WITHIN,
            "more bytes of it stretch nothing"
        );
        clock.sent();
        assert!(!clock.rests(), "what is sent before the answer is none");
        clock.answered();
        clock.sent();
        assert!(clock.rests());
        assert_eq!(clock.until(), Instant::now() + RESTS_WITHIN);
        tokio::time::advance(Duration::from_secs(5)).await;
        clock.begin();
        assert_eq!(clock.until(), Instant::now() + WITHIN);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_lasts_has_as_long_as_it_is_taken() {
        let clock = Clock::new();
        clock.lasts();
        for _ in 0..100 {
            tokio::time::advance(Duration::from_secs(10)).await;
            clock.sent();
            assert_eq!(clock.until(), Instant::now() + TAKES_WITHIN);
        }
        tokio::time::advance(TAKES_WITHIN).await;
        assert_eq!(clock.until(), Instant::now(), "nothing was taken");
        assert!(!clock.rests());
    }
}
