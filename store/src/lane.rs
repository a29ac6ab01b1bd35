//! Lanes: what scripts are told of them, and reading their content. Script: `lua/lane/get.lua`.

mod sweep;

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use fred::types::Value;
use tickwheel_core::partition::PartitionId;
use tickwheel_core::routing::{Lane, LaneId, Mode, Standing, Units};

use crate::error::Error;
use crate::record::Queue;
use crate::reply::Reply;
use crate::script::GET_LANES;
use crate::seldom::Seldom;
use crate::store::Store;

/// Lanes offered to one turn at most.
pub const OFFERED_LANES_MAX: usize = 256;

/// What one turn may do for a queue that has a lane.
#[derive(Debug, Clone)]
pub struct LaneOffer {
    /// Group, handler and lane.
    pub queue: Queue,
    /// How workers are compared.
    pub mode: Mode,
    /// What a context takes of its worker's resources.
    pub requires: Units,
    /// The places of the fitting workers among those offered, in the order of the lane, with what they stand for.
    pub workers: Vec<(usize, Standing)>,
}

impl LaneOffer {
    /// The three arguments of a script.
    pub(crate) fn args(&self) -> [Value; 3] {
        let workers: Vec<String> = self
            .workers
            .iter()
            .map(|(place, standing)| format!("{}:{}:{}", place + 1, standing.score, standing.step))
            .collect();
        let mode = if self.requires.is_empty() {
            self.mode.as_str().to_owned()
        } else {
            format!("{} {}", self.mode, self.requires.to_record())
        };
        [
            Value::from(self.queue.to_string()),
            Value::from(mode),
            Value::from(workers.join(",")),
        ]
    }
}

/// The arguments by which a script is given lanes: a word, a name and a content each; nothing without lanes.
pub(crate) fn lane_args<'a>(lanes: impl Iterator<Item = &'a Lane>) -> Vec<Value> {
    let mut args: Vec<Value> = lanes
        .flat_map(|lane| {
            let content = Value::Bytes(Bytes::from(lane.encode()));
            [Value::from(lane.id().to_string()), content]
        })
        .collect();
    if !args.is_empty() {
        args.insert(0, Value::from("lanes"));
    }
    args
}

/// The partition has no room for another lane.
pub(crate) fn lanes_full() -> Error {
    Error::Full("routing: a partition keeps at most 1,000 different ways to choose a worker, and has them: name workers by tags, not one by one, or wait until contexts that ask for other ones have ended".to_owned())
}

/// So many queues of a group wait in the partition that no other may; `queue` would be one.
pub(crate) fn queues_full(queue: &str) -> Error {
    let mut words = queue.split(' ');
    let group = words.next().unwrap_or_default();
    let handler = words.next().unwrap_or_default();
    Error::Full(format!(
        "handler: contexts of 10,000 different handlers and lanes of group `{group}` wait in a partition, and no more may, so none for `{handler}`: \
         start workers that offer what waits, or cancel it"
    ))
}

/// A lane that nobody can read is asked for again as long as something waits in it.
static UNREAD: LazyLock<Seldom> = LazyLock::new(|| Seldom::every(Duration::from_mins(10)));

impl Store {
    /// The lanes of these names; `None` for one that the partition does not have.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn lanes(
        &self,
        partition: PartitionId,
        lanes: &[LaneId],
    ) -> Result<Vec<Option<Lane>>, Error> {
        let mut found = Vec::with_capacity(lanes.len());
        for chunk in lanes.chunks(OFFERED_LANES_MAX) {
            let args = chunk.iter().map(|lane| Value::from(lane.to_string()));
            let keys = vec![self.keys.wheel(partition)];
            let value = self.redis.call(&GET_LANES, keys, args.collect()).await?;
            let mut reply = Reply::expect(GET_LANES.name(), value, "LANES")?;
            for _ in chunk {
                let content = reply.bytes()?;
                let lane = (!content.is_empty()).then(|| Lane::decode(&content));
                found.push(lane.transpose().unwrap_or_else(|wrong| {
                    if let Some(kept_back) = UNREAD.say(&format!("{partition}")) {
                        tracing::error!(%partition, %wrong, kept_back, "a lane cannot be read: what is in it waits");
                    }
                    None
                }));
            }
        }
        Ok(found)
    }
}
