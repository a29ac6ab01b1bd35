//! The trackers: the real ones, with simulated surroundings.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tickwheel_core::partition::PartitionCount;
use tickwheel_store::{Redis, Store};
use tickwheel_tracker::Config;
use tickwheel_tracker::embedded::Embedded;
use tokio::sync::mpsc;

use crate::line::Line;
use crate::world::{Node, PARTITIONS, with};

/// Wake messages on their way to one tracker.
const WAKES: usize = 10_000;

thread_local! {
    static RUNNING: RefCell<BTreeMap<Node, Arc<Embedded>>> = const { RefCell::new(BTreeMap::new()) };
}

fn config() -> Config {
    Config {
        partitions: PARTITIONS,
        dispatch_lease: Duration::from_secs(1),
        turn_limit: 50,
        ..Config::default()
    }
}

/// Starts tracker `number`.
pub(crate) async fn start(number: u64) -> Node {
    let node = with(|world| world.add_process(format!("t{number}")));
    let redis = Redis::with_transport(Arc::new(Line { node })).expect("a client");
    let partitions = PartitionCount::new(PARTITIONS).expect("a count");
    let store = Store::simulated(redis, "tw", partitions);
    let (hears, heard) = mpsc::channel(WAKES);
    with(|world| world.process(node).hears = Some(hears));
    let url = format!("http://t{number}");
    let embedded = Arc::new(Embedded::start(&config(), store, (number, url), heard).await);
    RUNNING.with_borrow_mut(|running| running.insert(node, embedded));
    node
}

/// Ends a tracker without a word.
pub(crate) fn kill(node: Node) {
    with(|world| world.kill(node));
    if let Some(embedded) = RUNNING.with_borrow_mut(|running| running.remove(&node)) {
        embedded.abort();
    }
}

/// A tracker that runs.
pub(crate) fn find(node: Node) -> Option<Arc<Embedded>> {
    RUNNING.with_borrow(|running| running.get(&node).cloned())
}

/// Any tracker that runs.
pub(crate) fn any() -> Option<Arc<Embedded>> {
    let living = with(|world| world.living("t"));
    let node = with(|world| world.rng.pick(&living).copied())?;
    find(node)
}

/// Forgets all of a seed.
pub(crate) fn clear() {
    RUNNING.with_borrow_mut(BTreeMap::clear);
}
