//! One look for all who ask within a while.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tickwheel_store::Error;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// After a look that failed, who asks is told the same for so long.
const FAILED_FOR: Duration = Duration::from_secs(1);

/// What was seen last, for whoever asks.
#[derive(Debug)]
pub(super) struct Look<T> {
    last: Mutex<Last<T>>,
}

#[derive(Debug)]
struct Last<T> {
    seen: Option<(Instant, Arc<T>)>,
    /// When a look failed, and why.
    failed: Option<(Instant, String)>,
}

impl<T> Default for Look<T> {
    fn default() -> Self {
        Self {
            last: Mutex::new(Last {
                seen: None,
                failed: None,
            }),
        }
    }
}

impl<T> Look<T> {
    /// What was seen less than `good_for` ago, or what `look` sees now. Dropping the future leaves the look to the next who asks.
    ///
    /// # Errors
    /// As `look`. When Redis did not answer, nobody asks it again for a second.
    pub(super) async fn within(
        &self,
        good_for: Duration,
        look: impl Future<Output = Result<T, Error>>,
    ) -> Result<Arc<T>, Error> {
        let mut last = self.last.lock().await;
        let now = Instant::now();
        if let Some((at, seen)) = &last.seen
            && now < *at + good_for
        {
            return Ok(Arc::clone(seen));
        }
        if let Some((at, reason)) = &last.failed
            && now < *at + FAILED_FOR
        {
            return Err(Error::Unavailable {
                reason: reason.clone(),
                source: None,
            });
        }
        match look.await {
            Ok(seen) => {
                let seen = Arc::new(seen);
                last.seen = Some((now, Arc::clone(&seen)));
                last.failed = None;
                Ok(seen)
            }
            Err(error) => {
                if let Error::Unavailable { reason, .. } = &error {
                    last.failed = Some((Instant::now(), reason.clone()));
                }
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const WHILE: Duration = Duration::from_secs(5);

    #[tokio::test(start_paused = true)]
    async fn a_look_is_good_for_a_while_and_then_there_is_another() {
        let (look, looks) = (Look::default(), AtomicU32::new(0));
        let ask = || look.within(WHILE, async { Ok(looks.fetch_add(1, Ordering::Relaxed)) });
        assert_eq!((*ask().await.unwrap(), *ask().await.unwrap()), (0, 0));
        tokio::time::advance(WHILE).await;
        assert_eq!(*ask().await.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn while_redis_is_away_nobody_asks_it_for_a_second() {
        let (look, looks) = (Look::<()>::default(), AtomicU32::new(0));
        let ask = || {
            look.within(WHILE, async {
                looks.fetch_add(1, Ordering::Relaxed);
                Err(Error::Unavailable {
                    reason: "away".to_owned(),
                    source: None,
                })
            })
        };
        assert!(ask().await.is_err() && ask().await.is_err());
        assert_eq!(looks.load(Ordering::Relaxed), 1);
        tokio::time::advance(FAILED_FOR).await;
        assert!(ask().await.is_err());
        assert_eq!(looks.load(Ordering::Relaxed), 2);
    }
}
