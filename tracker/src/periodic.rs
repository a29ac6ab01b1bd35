//! What a tracker does again and again until it stops, in one shape: how often, and one round, which tells what it did.

use std::future::Future;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::metrics::measure;

/// Something that is done in rounds. A test calls [`Periodic::run_once`], the tracker [`run`].
pub(crate) trait Periodic: Send {
    /// What the metrics call it.
    const TASK: &'static str;
    /// A round that is under way when the tracker stops goes on to its end; others are dropped, wherever they wait.
    const FINISHES: bool = false;

    /// From the beginning of one round to that of the next; one that takes longer is followed by a whole pause.
    fn every(&self) -> Duration;

    /// One round. What failed was logged, and is tried by the next one.
    fn run_once(&mut self) -> impl Future<Output = Counts> + Send;
}

/// What a round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Calls that were answered.
    pub(crate) done: u64,
    /// Calls that were not.
    pub(crate) failed: u64,
}

impl Counts {
    /// Counts one call.
    pub(crate) fn add(&mut self, answered: bool) {
        if answered {
            self.done += 1;
        } else {
            self.failed += 1;
        }
    }

    /// One call and nothing else.
    pub(crate) fn one(answered: bool) -> Self {
        let mut counts = Self::default();
        counts.add(answered);
        counts
    }
}

/// Runs round after round until `stop`, the first at once; what is left of it then may have something to clear up.
pub(crate) async fn run<P: Periodic>(mut periodic: P, stop: CancellationToken) -> P {
    let mut ticks = tokio::time::interval(periodic.every());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let round = periodic.run_once();
        let counts = if P::FINISHES {
            Some(round.await)
        } else {
            stop.run_until_cancelled(round).await
        };
        let Some(counts) = counts else {
            break;
        };
        measure::round(P::TASK, counts.done, counts.failed);
        tracing::trace!(task = P::TASK, ?counts, "round");
    }
    periodic
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stops after its third round, or in the middle of it.
    struct Thrice<const FINISHES: bool> {
        rounds: u32,
        stop: CancellationToken,
    }

    impl<const FINISHES: bool> Periodic for Thrice<FINISHES> {
        const TASK: &'static str = "thrice";
        const FINISHES: bool = FINISHES;

        fn every(&self) -> Duration {
            Duration::from_secs(10)
        }

        async fn run_once(&mut self) -> Counts {
            if self.rounds == 2 {
                self.stop.cancel();
            }
            tokio::time::sleep(Duration::from_secs(4)).await;
            self.rounds += 1;
            Counts::one(true)
        }
    }

    async fn thrice<const FINISHES: bool>() -> (u32, Duration) {
        let (began, stop) = (tokio::time::Instant::now(), CancellationToken::new());
        let thrice: Thrice<FINISHES> = Thrice {
            rounds: 0,
            stop: stop.clone(),
        };
        let thrice = run(thrice, stop).await;
        (thrice.rounds, began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn rounds_follow_each_other_and_the_last_ends_as_it_says() {
        assert_eq!(thrice::<true>().await, (3, Duration::from_secs(24)));
        assert_eq!(thrice::<false>().await, (2, Duration::from_secs(20)));
    }
}
