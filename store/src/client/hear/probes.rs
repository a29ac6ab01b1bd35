//! The proof that channels are heard: what is published on one comes back through the ear.
//!
//! Each second it is the next channel's turn. A probe goes out over the connection for commands, so a server that is away proves nothing;
//! one that took the probe has passed it on to whoever is subscribed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fred::interfaces::PubsubInterface;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::end::End;
use super::state::State;
use crate::client::Redis;

/// Begins the text of a probe; nobody else's message does.
const PROBE: &str = "probe ";
/// Between two probes.
const PROBE_EVERY: Duration = Duration::from_secs(2);
/// Every channel has its turn within so many probes; a cluster with more partitions sends several at once.
const ROUND: usize = 60;
/// A probe that the server took is heard within this, or its channel is deaf.
const HEAR_WITHIN: Duration = Duration::from_secs(3);
/// Channels that are missing for so long although the server answers need another connection.
const MISSING_MAX: Duration = Duration::from_secs(10);

/// The probes of one ear.
#[derive(Debug)]
pub(super) struct Probes {
    /// Behind the word of a probe; no other ear has it.
    id: String,
    last: AtomicU64,
    heard: watch::Sender<u64>,
}

impl Probes {
    /// `client` is what the connection for commands is called, which is drawn by chance.
    pub(super) fn new(client: &str) -> Self {
        static EARS: AtomicU64 = AtomicU64::new(0);
        let ear = EARS.fetch_add(1, Ordering::Relaxed);
        Self {
            id: format!("{client}.{ear}"),
            last: AtomicU64::new(0),
            heard: watch::Sender::new(0),
        }
    }

    /// Takes in a text. False when it is no probe, of whatever ear.
    pub(super) fn take(&self, text: &str) -> bool {
        let Some(probe) = text.strip_prefix(PROBE) else {
            return false;
        };
        let own = probe
            .strip_prefix(self.id.as_str())
            .and_then(|number| number.strip_prefix(' '));
        if let Some(number) = own.and_then(|number| number.parse::<u64>().ok()) {
            self.heard.send_if_modified(|heard| {
                let news = number > *heard;
                *heard = number.max(*heard);
                news
            });
        }
        true
    }

    /// Messages were dropped, perhaps probes among them.
    pub(super) fn forgive(&self) {
        self.heard.send_replace(self.last.load(Ordering::Relaxed));
    }

    /// Returns when the ear is deaf.
    pub(super) async fn watch(&self, redis: &Redis, state: &State) -> End {
        let channels = state.channels().len();
        let mut turns = (0..channels).cycle();
        let mut ticks = tokio::time::interval(PROBE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if state.lacks_some() {
                // Due work is found by looking until all are heard again.
                state.tell_gap();
            } else {
                state.pay();
            }
            for index in turns.by_ref().take(channels.div_ceil(ROUND)) {
                if let Some(reason) = self.deaf(redis, state, index).await {
                    return End::Deaf(reason);
                }
            }
        }
    }

    /// Why the ear is of no use, when it is not.
    async fn deaf(&self, redis: &Redis, state: &State, index: usize) -> Option<String> {
        let channel = state.channels().get(index)?;
        let before = state.has(index);
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let text = format!("{PROBE}{} {number}", self.id);
        let mut heard = self.heard.subscribe();
        let published: Result<i64, _> = redis.plain().spublish(channel.as_str(), text).await;
        if let Err(error) = published {
            tracing::debug!(%channel, %error, "a probe could not be published");
            return None;
        }
        let Some(breaks) = before else {
            let since = state.lacks_since()?.elapsed();
            return (since > MISSING_MAX).then(|| {
                let seconds = since.as_secs();
                format!("channels are missing for {seconds} s although redis answers")
            });
        };
        let heard = heard.wait_for(|heard| *heard >= number);
        match tokio::time::timeout(HEAR_WITHIN, heard).await {
            // The sender is this one, which is borrowed: it cannot be gone.
            Ok(_) => None,
            Err(_) if state.has(index) != Some(breaks) => None,
            Err(_) => Some(format!("a probe on `{channel}` did not come back")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ear_knows_its_own_signs_and_keeps_those_of_others_from_the_tracker() {
        let (one, other) = (Probes::new("fred-abc"), Probes::new("fred-abc"));
        assert!(!one.take("due 1766000000000"));
        assert!(!one.take("cancel w1 3.1.f 2 REQUESTED"));
        assert!(one.take(&format!("{PROBE}{} 3", one.id)));
        assert!(one.take(&format!("{PROBE}{} 9", other.id)));
        assert!(one.take(&format!("{PROBE}{} 2", one.id)), "late");
        assert_eq!((*one.heard.borrow(), *other.heard.borrow()), (3, 0));
        other.last.store(7, Ordering::Relaxed);
        other.forgive();
        assert_eq!(*other.heard.borrow(), 7);
    }
}
