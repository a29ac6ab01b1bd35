//! Links: one per tracker url, with at most one connection at a time.
//!
//! A link lives as long as its url is known; each connection of it has its own epoch, so that what a dead stream still
//! asks or tells is recognised.

use std::collections::VecDeque;
use std::sync::Arc;

use tickwheel_proto::v1::{AttemptRef, Units};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::queue::Queue;
use crate::attempt::AttemptKey;

/// A connection of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Connection {
    pub(crate) link: usize,
    epoch: u64,
}

/// What a new connection needs.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) connection: Connection,
    /// Called when there may be something to send.
    pub(crate) wake: Arc<Notify>,
    /// Cancelled when the connection shall end.
    pub(crate) stop: CancellationToken,
    /// For the Hello.
    pub(crate) running: Vec<AttemptRef>,
}

/// What the link's stream waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WaitState {
    Awake,
    /// For the end of the pause between two credit frames, or for something to say.
    Credit,
    /// For anything.
    Idle,
}

#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) key: AttemptKey,
    pub(super) sending: u32,
    pub(super) since: Instant,
    pub(super) rounds: u8,
}

#[derive(Debug)]
pub(super) struct Link {
    pub(super) url: String,
    epoch: u64,
    /// Set by the Welcome.
    pub(super) tracker_id: Option<String>,
    pub(super) live_since: Option<Instant>,
    /// The tracker is about to stop.
    pub(super) tracker_drains: bool,
    /// The tracker said that Redis does not answer it; believed until then.
    pub(super) store_away_until: Option<Instant>,
    pub(super) wait_state: WaitState,
    wake: Arc<Notify>,
    stop: CancellationToken,
    pub(super) queue: Queue,
    pub(super) in_flight: VecDeque<InFlight>,
    /// Outcomes that the tracker could not write: each with when it is sent again, and its sending.
    pub(super) postponed: VecDeque<(Instant, AttemptKey, u32)>,
    /// How often in a row it could not.
    pub(super) unavailable: u32,
    pub(super) last_confirmed: Option<Instant>,
    pub(super) received: u64,
    /// `free + received` as last sent: what changes it, the tracker cannot know.
    pub(super) credit_sent: Option<(u64, Instant)>,
    /// What of the resources was free, as last sent.
    pub(super) units_sent: Option<Units>,
    pub(super) drain_sent: bool,
    pub(super) heartbeat_due: bool,
}

impl Link {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            epoch: 0,
            tracker_id: None,
            live_since: None,
            tracker_drains: false,
            store_away_until: None,
            wait_state: WaitState::Idle,
            wake: Arc::default(),
            stop: CancellationToken::new(),
            queue: Queue::default(),
            in_flight: VecDeque::new(),
            postponed: VecDeque::new(),
            unavailable: 0,
            last_confirmed: None,
            received: 0,
            credit_sent: None,
            units_sent: None,
            drain_sent: false,
            heartbeat_due: false,
        }
    }

    /// A connection begins; whatever the link said before is over.
    pub(super) fn connect(&mut self, index: usize, running: Vec<AttemptRef>) -> Connected {
        let fresh = Self::new(std::mem::take(&mut self.url));
        *self = Self {
            epoch: self.epoch + 1,
            ..fresh
        };
        Connected {
            connection: Connection {
                link: index,
                epoch: self.epoch,
            },
            wake: Arc::clone(&self.wake),
            stop: self.stop.clone(),
            running,
        }
    }

    /// The connection is over. Returns what was not said, and what was said in vain if no confirmation came.
    pub(super) fn end(&mut self) -> (Queue, VecDeque<InFlight>) {
        self.epoch += 1;
        self.live_since = None;
        self.stop.cancel();
        // They are in flight still.
        self.postponed.clear();
        self.wake.notify_one();
        (
            std::mem::take(&mut self.queue),
            std::mem::take(&mut self.in_flight),
        )
    }

    pub(super) fn is_live(&self) -> bool {
        self.live_since.is_some()
    }

    pub(super) fn is(&self, connection: Connection) -> bool {
        self.epoch == connection.epoch
    }

    pub(super) fn wake(&mut self) {
        if self.wait_state != WaitState::Awake {
            self.wait_state = WaitState::Awake;
            self.wake.notify_one();
        }
    }

    pub(super) fn wake_if_idle(&mut self) {
        if self.wait_state == WaitState::Idle {
            self.wake();
        }
    }
}
