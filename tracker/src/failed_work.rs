//! Work that the wheel brings again and again until it is done: when it fails, it is left alone for a while, longer each time.
//!
//! The wheel offers a plan, a delivery or a scan each second to some tracker. What fails for a reason that stays would be tried each second
//! by all of them; so each tracker remembers what failed with it. Nothing else is kept: a restart tries at once.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// The first rest; each one that follows is twice as long.
const FIRST: Duration = Duration::from_millis(500);
/// The longest rest.
const MOST: Duration = Duration::from_secs(30);
/// The same while Redis does not answer: it may be back at any moment.
const UNREACHABLE: Duration = Duration::from_secs(1);
/// Work of one kind that is remembered. What fails beyond it is tried each time it comes.
const KEPT_MAX: usize = 10_000;

/// What failed lately of one kind of work, by what it is about.
#[derive(Debug)]
pub(crate) struct FailedWork<K>(Mutex<HashMap<K, Failing>>);

impl<K> Default for FailedWork<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// Why some work failed, and what its next try depends on.
pub(crate) trait Reason {
    /// Whether Redis did not answer, and may at any moment.
    fn is_unreachable(&self) -> bool;
}

impl Reason for tickwheel_store::Error {
    fn is_unreachable(&self) -> bool {
        self.is_retryable()
    }
}

impl Reason for crate::Error {
    fn is_unreachable(&self) -> bool {
        self.is_retryable()
    }
}

#[derive(Debug, Clone, Copy)]
struct Failing {
    times: u32,
    until: Instant,
}

impl<K: Eq + Hash> FailedWork<K> {
    /// Whether the work failed a moment ago and rests.
    pub(crate) fn rests(&self, work: &K, now: Instant) -> bool {
        let failing = self.0.lock();
        failing.get(work).is_some_and(|failing| failing.until > now)
    }

    /// The work was done.
    fn done(&self, work: &K) {
        let mut failing = self.0.lock();
        if !failing.is_empty() {
            failing.remove(work);
        }
    }

    /// Takes down how some work ended. When it failed and a line may say so: how often in a row, and why. Few of many say so.
    pub(crate) fn ended<E: Reason>(&self, work: K, ended: Result<(), E>) -> Option<(u32, E)> {
        match ended {
            Ok(()) => {
                self.done(&work);
                None
            }
            Err(error) => {
                let times = self.failed(work, error.is_unreachable(), Instant::now())?;
                Some((times, error))
            }
        }
    }

    fn failed(&self, work: K, unreachable: bool, now: Instant) -> Option<u32> {
        let mut failing = self.0.lock();
        if failing.len() >= KEPT_MAX {
            failing.retain(|_, one| one.until + MOST > now);
        }
        if failing.len() >= KEPT_MAX && !failing.contains_key(&work) {
            return None;
        }
        let one = failing.entry(work).or_insert(Failing {
            times: 0,
            until: now,
        });
        let most = if unreachable { UNREACHABLE } else { MOST };
        one.until = now + FIRST.saturating_mul(1 << one.times.min(8)).min(most);
        one.times = one.times.saturating_add(1);
        one.times.is_power_of_two().then_some(one.times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_rests_longer_each_time_and_is_seldom_told_of() {
        let (failed, mut now) = (FailedWork::default(), Instant::now());
        let work = "some work";
        assert!(!failed.rests(&work, now));
        let (mut rests, mut told) = (Vec::new(), Vec::new());
        for _ in 0..9 {
            told.extend(failed.failed(work, false, now));
            let began = now;
            while failed.rests(&work, now) {
                now += Duration::from_millis(500);
            }
            rests.push((now - began).as_millis());
        }
        let expected = [
            500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
        ];
        assert_eq!((rests.as_slice(), told), (&expected[..], vec![1, 2, 4, 8]));
        failed.done(&work);
        assert!(!failed.rests(&work, now));
        for _ in 0..5 {
            failed.failed(work, true, now);
        }
        assert!(!failed.rests(&work, now + UNREACHABLE), "redis may be back");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (failed, now) = (FailedWork::default(), Instant::now());
        for number in 0..KEPT_MAX + 10 {
            failed.failed(number, false, now);
        }
        assert_eq!(failed.0.lock().len(), KEPT_MAX);
        failed.failed(KEPT_MAX + 11, false, now + MOST * 2);
        assert_eq!(failed.0.lock().len(), 1, "old ones make room");
    }
}
