//! When the calls of a walk begin: far enough apart that Redis has time for others.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::error::Error;

/// What a call of a check takes Redis at most, but for a few; what a caller waits for longer, others are the cause of.
const CALL_MAX: Duration = Duration::from_millis(1);

/// How gently a check walks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// The walk rests for this share of each call's time: 1.0 leaves Redis half of its time, 0.0 never rests. Of a call that took longer
    /// than a millisecond the rest was waiting.
    pub rest: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { rest: 1.0 }
    }
}

/// Spaces the calls of all walks of one check.
#[derive(Debug)]
pub(super) struct Pacer {
    pace: Pace,
    turn: Mutex<Turn>,
}

#[derive(Debug)]
struct Turn {
    /// When the next call may begin.
    at: Instant,
    /// What the last one took, at most [`CALL_MAX`].
    took: Duration,
}

impl Pacer {
    pub(super) fn new(pace: Pace) -> Self {
        let turn = Turn {
            at: Instant::now(),
            took: Duration::ZERO,
        };
        Self {
            pace,
            turn: Mutex::new(turn),
        }
    }

    /// Waits for its turn and makes the call; with how long it took.
    pub(super) async fn call<T>(
        &self,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<(T, Duration), Error> {
        if self.pace.rest > 0.0 {
            tokio::time::sleep_until(self.next()).await;
        }
        let began = Instant::now();
        let answer = call.await?;
        let took = began.elapsed();
        self.turn().took = took.min(CALL_MAX);
        Ok((answer, took))
    }

    /// Takes the next turn.
    fn next(&self) -> Instant {
        let mut turn = self.turn();
        let mine = turn.at.max(Instant::now());
        turn.at = mine + turn.took.mul_f64(1.0 + self.pace.rest);
        mine
    }

    fn turn(&self) -> parking_lot::MutexGuard<'_, Turn> {
        self.turn.lock()
    }
}
