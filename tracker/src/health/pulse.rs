//! Whether the loops of this process run.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::periodic::{self, Counts, Periodic};

const BEAT_EVERY: Duration = Duration::from_secs(1);
/// Longer than anything that a process does in one piece; whoever watches it restarts it then.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// Whether the loops of this process run. They are asked every second; a process in which they do not answer is alive by name only.
#[derive(Debug)]
pub struct Pulse {
    last: Mutex<Instant>,
}

impl Pulse {
    /// Alive now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            last: Mutex::new(Instant::now()),
        }
    }

    /// Beats until `stop`, where it is polled: on the threads whose life is in question.
    pub async fn beat(self: Arc<Self>, stop: CancellationToken) {
        periodic::run(Beating(self), stop).await;
    }

    /// Whether it has beaten within the last minute.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        let last = *self.last.lock();
        last.elapsed() < STUCK_AFTER
    }
}

impl Default for Pulse {
    fn default() -> Self {
        Self::new()
    }
}

/// The beats of a pulse.
struct Beating(Arc<Pulse>);

impl Periodic for Beating {
    const TASK: &'static str = "pulse";

    fn every(&self) -> Duration {
        BEAT_EVERY
    }

    async fn run_once(&mut self) -> Counts {
        *self.0.last.lock() = Instant::now();
        Counts::one(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_process_whose_loops_stand_still_is_not_alive() {
        let pulse = Arc::new(Pulse::new());
        let stop = CancellationToken::new();
        let beating = tokio::spawn(Arc::clone(&pulse).beat(stop.clone()));
        tokio::time::sleep(STUCK_AFTER * 2).await;
        assert!(pulse.is_alive());
        stop.cancel();
        beating.await.unwrap();
        tokio::time::sleep(STUCK_AFTER).await;
        assert!(!pulse.is_alive());
    }
}
