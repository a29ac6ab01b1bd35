//! Holds calls back while it is unclear whose data answer, and refuses them when they are those of an older store.
//!
//! The fence is open until somebody guards the store (`epoch.rs`). It closes when a connection breaks, opens when the server that answers
//! then has shown that it is no older than what was seen before, and says why when it has not.

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use super::setup::COMMAND_TIMEOUT;
use crate::error::Error;
use crate::identity::{Age, Identity};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    /// A connection broke; who answers now has not been asked yet.
    Unclear,
    /// In words.
    Refused(String),
}

/// What is known of a store that was recognised.
#[derive(Debug)]
struct Known {
    identity: Identity,
    /// The highest that was seen.
    age: Age,
    /// How many trackers were alive with the last heartbeat.
    trackers: u64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Fence {
    state: watch::Sender<State>,
    /// The store that was recognised last; nothing while nobody guards it.
    known: Mutex<Option<Known>>,
    alarm: Notify,
}

impl Default for Fence {
    fn default() -> Self {
        Self {
            state: watch::Sender::new(State::Open),
            known: Mutex::default(),
            alarm: Notify::new(),
        }
    }
}

impl Fence {
    /// Returns when calls may go on.
    ///
    /// # Errors
    /// [`Error::Unusable`] when the store is an older one; [`Error::Unavailable`] when that is still unclear after [`COMMAND_TIMEOUT`].
    pub(crate) async fn pass(&self) -> Result<(), Error> {
        if *self.state.borrow() == State::Open {
            return Ok(());
        }
        let mut states = self.state.subscribe();
        let clear = states.wait_for(|state| *state != State::Unclear);
        match tokio::time::timeout(COMMAND_TIMEOUT, clear).await {
            Ok(Ok(state)) => match &*state {
                State::Refused(reason) => Err(Error::Unusable(reason.clone())),
                State::Open | State::Unclear => Ok(()),
            },
            // The sender is this fence, which is borrowed: it cannot be gone.
            Ok(Err(_)) => Ok(()),
            Err(_) => Err(Error::Unavailable {
                reason: "the connection broke, and the store was not recognised again yet"
                    .to_owned(),
                source: None,
            }),
        }
    }

    /// A connection broke.
    pub(crate) fn doubt(&self) {
        self.state.send_if_modified(|state| {
            let open = *state == State::Open;
            if open {
                *state = State::Unclear;
            }
            open
        });
    }

    /// This store is recognised.
    pub(crate) fn know(&self, identity: Identity, age: Age) {
        let mut known = self.known.lock();
        let trackers = known.as_ref().map_or(0, |known| known.trackers);
        *known = Some(Known {
            identity,
            age,
            trackers,
        });
    }

    /// How many heartbeats a store lacks that has `found`, when those are more than a crash loses.
    pub(crate) fn lacks(&self, found: Option<u64>) -> Option<u64> {
        let known = self.known.lock();
        let known = known.as_ref()?;
        known.age.lacks(found, known.trackers)
    }

    /// Somebody saw what the store says of itself, and how many trackers are alive: when that is not what is known, calls are held back, and
    /// whoever guards the store looks at once.
    pub(crate) fn seen(&self, identity: &Identity, age: Age, trackers: u64) {
        let mut known = self.known.lock();
        let strange = known.as_mut().is_some_and(|known| {
            let lacks = known.age.lacks(age.heartbeats, known.trackers).is_some();
            let strange = known.identity != *identity || age.epoch < known.age.epoch || lacks;
            if !strange {
                known.age.heartbeats = known.age.heartbeats.max(age.heartbeats);
                known.trackers = trackers;
            }
            strange
        });
        drop(known);
        if strange {
            self.doubt();
            self.alarm.notify_one();
        }
    }

    /// Returns when the store said something else of itself than what is known.
    pub(crate) async fn alarmed(&self) {
        self.alarm.notified().await;
    }

    /// The store is the one that is known, or a newer one.
    pub(crate) fn open(&self) {
        self.state.send_replace(State::Open);
    }

    /// The store is older. True when that is news.
    pub(crate) fn refuse(&self, reason: String) -> bool {
        let refused = State::Refused(reason);
        let before = self.state.send_replace(refused.clone());
        before != refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn calls_wait_while_it_is_unclear_and_are_refused_when_it_is_not() {
        let fence = Fence::default();
        fence.pass().await.unwrap();
        fence.doubt();
        assert!(matches!(fence.pass().await, Err(Error::Unavailable { .. })));
        let waiting = async {
            fence.pass().await.unwrap();
        };
        let opening = async {
            tokio::time::sleep(COMMAND_TIMEOUT / 2).await;
            fence.open();
        };
        tokio::join!(waiting, opening);
        assert!(fence.refuse("older".to_owned()));
        assert!(!fence.refuse("older".to_owned()), "it is no news");
        fence.doubt();
        assert!(
            matches!(fence.pass().await, Err(Error::Unusable(reason)) if reason == "older"),
            "a new connection does not make it right"
        );
    }
}
