//! What the workers of a tracker can take in one turn.

use std::collections::HashMap;
use std::sync::Arc;

use fred::types::Value;
use tickwheel_core::id::{GroupName, WorkerId};
use tickwheel_core::routing::Units;

/// The permits of one worker that a turn may use.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The worker.
    pub worker: WorkerId,
    /// Its group.
    pub group: GroupName,
    /// Free permits.
    pub permits: u32,
    /// Another turn has more of them in hand, and gives back what it does not use: a placement that chooses this worker waits for it.
    pub soon: bool,
    /// What is free of its resources.
    pub units: Units,
    /// Its handlers, comma-separated. Where workers share one text, it is sent once.
    pub handlers: Arc<str>,
}

/// Below it, a text is as short as the word for another worker's.
const SHORT: usize = 8;

/// Handlers that stand in the arguments of a turn already: workers of one program have the same, and may be many.
#[derive(Debug, Default)]
pub(super) struct SentHandlers<'a> {
    /// By the text, as its address, and the group: the number of the first worker that has it, from 1.
    first: HashMap<(usize, &'a GroupName), usize>,
}

impl<'a> SentHandlers<'a> {
    /// The handlers of the worker of this `number`: as they are, or `=<number>` of an earlier worker with the same.
    pub(super) fn of(&mut self, offer: &'a Offer, number: usize) -> Value {
        if offer.handlers.len() > SHORT {
            let address = Arc::as_ptr(&offer.handlers).addr();
            let key = (address, &offer.group);
            if let Some(first) = self.first.get(&key) {
                return Value::from(format!("={first}"));
            }
            self.first.insert(key, number);
        }
        Value::from(&*offer.handlers)
    }
}
