//! Holds calls back while it is unclear whose data answer, and refuses them when they are those of an older store.
//!
//! The fence is open until somebody guards the store (`epoch.rs`). It closes when a connection breaks, opens when the server that answers
//! then has shown that it is no older than what was seen before, and says why when it has not.

use tokio::sync::watch;

use super::COMMAND_TIMEOUT;
use crate::error::Error;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    /// A connection broke; who answers now has not been asked yet.
    Unclear,
    /// In words.
    Refused(String),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Fence(watch::Sender<State>);

impl Default for Fence {
    fn default() -> Self {
        Self(watch::Sender::new(State::Open))
    }
}

impl Fence {
    /// Returns when calls may go on.
    ///
    /// # Errors
    /// [`Error::Unusable`] when the store is an older one; [`Error::Unavailable`] when that is still unclear after [`COMMAND_TIMEOUT`].
    pub(crate) async fn pass(&self) -> Result<(), Error> {
        if *self.0.borrow() == State::Open {
            return Ok(());
        }
        let mut states = self.0.subscribe();
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
        self.0.send_if_modified(|state| {
            let open = *state == State::Open;
            if open {
                *state = State::Unclear;
            }
            open
        });
    }

    /// The store is the one that is known, or a newer one.
    pub(crate) fn open(&self) {
        self.0.send_replace(State::Open);
    }

    /// The store is older. True when that is news.
    pub(crate) fn refuse(&self, reason: String) -> bool {
        let refused = State::Refused(reason);
        let before = self.0.send_replace(refused.clone());
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
