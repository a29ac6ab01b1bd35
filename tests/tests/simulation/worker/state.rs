//! What a worker holds: what runs, what nobody has confirmed, and its streams.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tickwheel_proto::v1::cancel_attempt::Reason;
use tickwheel_proto::v1::split_confirmation::Verdict;
use tickwheel_proto::v1::{AttemptRef, Settlement, WorkerMessage};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::world::Node;

pub(super) type Key = (String, u32);

#[derive(Debug)]
pub(super) struct Running {
    pub(super) link: usize,
    pub(super) arrived: Instant,
    pub(super) lease_until: Instant,
    pub(super) lease: Duration,
    pub(super) asked: Option<Instant>,
    pub(super) told: bool,
    pub(super) renew_at: Instant,
    /// What it takes of the resource.
    pub(super) units: u64,
    pub(super) cancelled: Option<Reason>,
    pub(super) cancel: Arc<Notify>,
}

#[derive(Debug)]
pub(super) struct Kept {
    pub(super) settlement: Settlement,
    pub(super) link: usize,
    pub(super) sent: Instant,
}

#[derive(Debug)]
pub(super) struct Link {
    pub(super) tracker: Node,
    pub(super) out: mpsc::UnboundedSender<WorkerMessage>,
    pub(super) received: u64,
    pub(super) live: bool,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) running: BTreeMap<Key, Running>,
    /// Outcomes nobody has confirmed.
    pub(super) kept: BTreeMap<Key, Kept>,
    /// Pages on their way: whoever sent one hears the verdict.
    pub(super) pages: BTreeMap<Key, oneshot::Sender<Verdict>>,
    /// Confirmed a while ago, so that a late repeat is not run again.
    pub(super) done: VecDeque<Key>,
    /// Attempts of other workers of which it reported something.
    pub(super) forged: BTreeSet<Key>,
    pub(super) links: BTreeMap<usize, Link>,
    pub(super) next_link: usize,
    pub(super) tasks: JoinSet<()>,
}

impl State {
    /// What everything that runs takes of the resource.
    pub(super) fn units(&self) -> u64 {
        self.running.values().map(|running| running.units).sum()
    }
}

pub(super) fn live(state: &State) -> impl Iterator<Item = usize> {
    state
        .links
        .iter()
        .filter(|(_, link)| link.live)
        .map(|(index, _)| *index)
}

pub(super) fn primary(state: &State) -> Option<usize> {
    live(state).next()
}

pub(super) fn route(state: &State, link: usize) -> Option<usize> {
    state
        .links
        .get(&link)
        .filter(|link| link.live)
        .map(|_| link)
        .or_else(|| primary(state))
}

pub(super) fn reference((context, attempt): &Key) -> AttemptRef {
    AttemptRef {
        context_id: context.clone(),
        attempt: *attempt,
    }
}
