//! Large bodies and conditions leave room for everybody else: rounds of them follow one another at a distance, whoever sent them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// The longest rest after a round: a Redis that stood still for a while holds up nobody afterwards.
const REST_MAX: Duration = Duration::from_millis(20);

/// One heavy round at a time, over all requests of this process, and a rest after each for as long as it took: they have half of Redis at
/// most.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bulk {
    /// When the rest after the last round ends; who holds it sends.
    rested: Arc<Mutex<Option<Instant>>>,
}

impl Bulk {
    /// Sends `round` when its turn has come. Dropped before that, nothing is sent; dropped later, Redis may be busy with it, and the longest
    /// rest follows.
    pub(super) async fn send<T>(&self, round: impl Future<Output = T>) -> T {
        let mut rested = self.rested.lock().await;
        if let Some(at) = *rested {
            sleep_until(at).await;
        }
        let began = Instant::now();
        *rested = Some(began + REST_MAX);
        let answer = round.await;
        let ended = Instant::now();
        *rested = Some(ended + ended.duration_since(began).min(REST_MAX));
        answer
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;

    /// When each of `rounds` began and ended, sent at once.
    async fn sent(bulk: &Bulk, rounds: u32, took: Duration) -> Vec<(Duration, Duration)> {
        let start = Instant::now();
        let send = |_| {
            bulk.send(async {
                let began = start.elapsed();
                tokio::time::sleep(took).await;
                (began, start.elapsed())
            })
        };
        join_all((0..rounds).map(send)).await
    }

    #[tokio::test(start_paused = true)]
    async fn rounds_rest_for_as_long_as_they_took() {
        let bulk = Bulk::default();
        let ms = Duration::from_millis;
        let sent_at_once = sent(&bulk, 3, ms(4)).await;
        assert_eq!(
            sent_at_once,
            [(ms(0), ms(4)), (ms(8), ms(12)), (ms(16), ms(20))]
        );
        // The rest after the last one holds for the next request.
        assert_eq!(sent(&bulk, 1, ms(4)).await, [(ms(4), ms(8))]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_round_that_hung_holds_up_the_next_for_a_moment_only() {
        let bulk = Bulk::default();
        let hung = Duration::from_secs(2);
        let sent = sent(&bulk, 2, hung).await;
        assert_eq!(sent[1].0, hung + REST_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_in_its_turn_does_not_save_the_rest() {
        let bulk = Bulk::default();
        let waits = bulk.send(tokio::time::sleep(Duration::from_secs(1)));
        let given_up = tokio::time::timeout(Duration::from_millis(1), waits).await;
        assert!(given_up.is_err());
        let [(began, _)] = sent(&bulk, 1, Duration::ZERO).await[..] else {
            panic!("one is sent")
        };
        assert_eq!(began, REST_MAX - Duration::from_millis(1));
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_before_its_turn_has_sent_nothing_and_holds_up_nobody() {
        let bulk = Bulk::default();
        let began = Instant::now();
        sent(&bulk, 1, Duration::from_millis(10)).await;
        let waits = bulk.send(async { panic!("it was sent") });
        let given_up = tokio::time::timeout(Duration::from_millis(1), waits).await;
        assert!(given_up.is_err());
        sent(&bulk, 1, Duration::from_millis(10)).await;
        assert_eq!(began.elapsed(), Duration::from_millis(30));
    }
}
