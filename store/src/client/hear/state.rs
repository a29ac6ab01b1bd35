//! Which channels are subscribed to, and what is told of it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::told::{Heard, Hearing};

/// Shared by whatever works on one connection, and by the connections that follow each other.
#[derive(Debug)]
pub(super) struct State {
    channels: Vec<String>,
    heard: mpsc::Sender<Heard>,
    /// A gap that did not fit.
    owed: AtomicBool,
    hearing: watch::Sender<Hearing>,
    missing: Mutex<Missing>,
}

#[derive(Debug)]
struct Missing {
    channels: BTreeSet<usize>,
    /// Since when there are any.
    since: Option<Instant>,
    /// Grows with each break: what was asked before it says nothing of the time behind it.
    breaks: u64,
}

impl State {
    /// Nothing is subscribed to yet.
    pub(super) fn new(
        channels: Vec<String>,
        heard: mpsc::Sender<Heard>,
    ) -> (Self, watch::Receiver<Hearing>) {
        let (hearing, shown) = watch::channel(Hearing {
            subscribed: 0,
            expected: channels.len(),
        });
        let missing = Missing {
            channels: (0..channels.len()).collect(),
            since: Some(Instant::now()),
            breaks: 0,
        };
        let state = Self {
            channels,
            heard,
            owed: AtomicBool::new(false),
            hearing,
            missing: Mutex::new(missing),
        };
        (state, shown)
    }

    pub(super) fn channels(&self) -> &[String] {
        &self.channels
    }

    /// Returns when nobody listens any more.
    pub(super) async fn unwanted(&self) {
        self.heard.closed().await;
    }

    /// Passes a message on.
    pub(super) fn tell(&self, channel: String, text: String) {
        if self.pay() && self.heard.try_send(Heard::Message(channel, text)).is_err() {
            self.owed.store(true, Ordering::Relaxed);
        }
    }

    /// Anything may have been missed.
    pub(super) fn tell_gap(&self) {
        self.owed.store(true, Ordering::Relaxed);
        self.pay();
    }

    /// Tells of a gap that is owed. False when there is no room.
    pub(super) fn pay(&self) -> bool {
        if self.owed.load(Ordering::Relaxed) {
            if self.heard.try_send(Heard::Gap).is_err() {
                return false;
            }
            self.owed.store(false, Ordering::Relaxed);
        }
        true
    }

    /// The connection broke: every subscription went with it.
    pub(super) fn lose_all(&self) {
        let mut missing = self.missing();
        missing.breaks += 1;
        missing.channels = (0..self.channels.len()).collect();
        self.show(&mut missing);
    }

    /// The channel of this index has another node.
    pub(super) fn lose(&self, index: usize) {
        let mut missing = self.missing();
        missing.channels.insert(index);
        self.show(&mut missing);
    }

    /// The server confirmed a channel that was asked for after so many breaks. False when there was one since.
    pub(super) fn gain(&self, index: usize, breaks: u64) -> bool {
        let mut missing = self.missing();
        if missing.breaks != breaks {
            return false;
        }
        missing.channels.remove(&index);
        self.show(&mut missing);
        true
    }

    /// The channels that are not subscribed to, and how many breaks there were.
    pub(super) fn wanting(&self) -> (Vec<usize>, u64) {
        let missing = self.missing();
        (missing.channels.iter().copied().collect(), missing.breaks)
    }

    /// Whether any channel is missing.
    pub(super) fn lacks_some(&self) -> bool {
        !self.missing().channels.is_empty()
    }

    /// Since when some channel is missing.
    pub(super) fn lacks_since(&self) -> Option<Instant> {
        self.missing().since
    }

    /// How many breaks there were, when the channel of this index is subscribed to.
    pub(super) fn has(&self, index: usize) -> Option<u64> {
        let missing = self.missing();
        (!missing.channels.contains(&index)).then_some(missing.breaks)
    }

    fn missing(&self) -> MutexGuard<'_, Missing> {
        self.missing.lock()
    }

    fn show(&self, missing: &mut Missing) {
        missing.since = match missing.since {
            _ if missing.channels.is_empty() => None,
            None => Some(Instant::now()),
            since => since,
        };
        let hearing = Hearing {
            subscribed: self.channels.len() - missing.channels.len(),
            expected: self.channels.len(),
        };
        self.hearing.send_if_modified(|shown| {
            let news = *shown != hearing;
            *shown = hearing;
            news
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(room: usize) -> (State, mpsc::Receiver<Heard>, watch::Receiver<Hearing>) {
        let (sender, receiver) = mpsc::channel(room);
        let (state, hearing) = State::new(vec!["a".to_owned(), "b".to_owned()], sender);
        (state, receiver, hearing)
    }

    #[test]
    fn what_was_confirmed_before_a_break_counts_for_nothing() {
        let (state, _heard, hearing) = state(4);
        let (wanting, breaks) = state.wanting();
        assert_eq!(wanting, [0, 1]);
        assert!(state.gain(0, breaks));
        assert_eq!(hearing.borrow().subscribed, 1);
        state.lose_all();
        assert!(!state.gain(1, breaks), "it was asked for before the break");
        assert_eq!(hearing.borrow().subscribed, 0);
        let (_, breaks) = state.wanting();
        assert!(state.gain(0, breaks) && state.gain(1, breaks));
        assert!(!state.lacks_some() && state.lacks_since().is_none());
        state.lose(1);
        assert_eq!((state.has(0), state.has(1)), (Some(breaks), None));
        assert!(state.lacks_since().is_some());
    }

    #[test]
    fn what_does_not_fit_is_told_as_a_gap_when_there_is_room() {
        let (state, mut heard, _hearing) = state(1);
        let message = |text: &str| Heard::Message("a".to_owned(), text.to_owned());
        state.tell("a".to_owned(), "1".to_owned());
        state.tell("a".to_owned(), "2".to_owned());
        assert!(!state.pay(), "there is no room");
        assert_eq!(heard.try_recv(), Ok(message("1")));
        assert!(state.pay());
        assert_eq!(heard.try_recv(), Ok(Heard::Gap));
        state.tell("a".to_owned(), "3".to_owned());
        assert_eq!(heard.try_recv(), Ok(message("3")));
    }
}
