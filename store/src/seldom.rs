//! Log lines that a lasting trouble would repeat with each call: one for each reason and span, with a count of those kept back.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Reasons told apart; what comes beyond them shares one.
const REASONS_MAX: usize = 64;
/// Stands for the reasons beyond [`REASONS_MAX`].
const OTHERS: &str = "";
/// How often a reason is said by [`Seldom::default`].
const EVERY: Duration = Duration::from_secs(5);

/// Decides whether a line is said now. One of them stands beside each place that says something about a trouble that may last.
#[derive(Debug)]
pub struct Seldom {
    every: Duration,
    said: Mutex<HashMap<String, Said>>,
}

#[derive(Debug)]
struct Said {
    at: Instant,
    kept_back: u64,
}

impl Default for Seldom {
    /// A reason is said once in five seconds.
    fn default() -> Self {
        Self::every(EVERY)
    }
}

impl Seldom {
    /// A reason is said once in this span.
    #[must_use]
    pub fn every(every: Duration) -> Self {
        Self {
            every,
            said: Mutex::default(),
        }
    }

    /// Whether a line for `reason` is said now: then with how many were kept back since the last one.
    pub fn say(&self, reason: &str) -> Option<u64> {
        let now = Instant::now();
        let mut said = self.said.lock();
        if said.len() >= REASONS_MAX && !said.contains_key(reason) {
            said.retain(|_, said| now.duration_since(said.at) < self.every);
        }
        let known = said.len() < REASONS_MAX || said.contains_key(reason);
        let reason = if known { reason } else { OTHERS };
        match said.get_mut(reason) {
            Some(said) if now.duration_since(said.at) < self.every => {
                said.kept_back += 1;
                None
            }
            Some(said) => {
                said.at = now;
                Some(std::mem::take(&mut said.kept_back))
            }
            None => {
                let first = Said {
                    at: now,
                    kept_back: 0,
                };
                said.insert(reason.to_owned(), first);
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_reason_is_said_once_in_its_span_and_counts_what_was_kept_back() {
        let seldom = Seldom::default();
        assert_eq!(seldom.say("older copy"), Some(0));
        for _ in 0..100 {
            assert_eq!(seldom.say("older copy"), None);
        }
        assert_eq!(seldom.say("disk full"), Some(0), "another reason");
        tokio::time::advance(EVERY).await;
        assert_eq!(seldom.say("older copy"), Some(100));
        assert_eq!(seldom.say("older copy"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn any_number_of_reasons_takes_bounded_room() {
        let seldom = Seldom::default();
        let lines = (0..10_000).filter(|number| seldom.say(&number.to_string()).is_some());
        assert_eq!(lines.count(), REASONS_MAX + 1, "the rest shares one");
        assert_eq!(seldom.said.lock().len(), REASONS_MAX + 1);
        tokio::time::advance(EVERY).await;
        assert_eq!(seldom.say("new"), Some(0), "old reasons make room");
    }
}
