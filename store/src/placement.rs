//! Placements: what scripts are told of them, and reading their content. Script: `lua/placement/get.lua`.

mod sweep;

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use fred::types::Value;
use tickwheel_core::partition::PartitionId;
use tickwheel_core::routing::{Mode, Placement, PlacementId, Standing, Units};

use crate::error::Error;
use crate::record::Queue;
use crate::reply::Reply;
use crate::script::GET_PLACEMENTS;
use crate::seldom::Seldom;
use crate::store::Store;

/// Placements offered to one turn at most.
pub const OFFERED_PLACEMENTS_MAX: usize = 256;

/// What one turn may do for a queue that has a placement.
#[derive(Debug, Clone)]
pub struct PlacementOffer {
    /// Group, handler and placement.
    pub queue: Queue,
    /// How workers are compared.
    pub mode: Mode,
    /// What a context takes of its worker's resources.
    pub requires: Units,
    /// The places of the fitting workers among those offered, in the order of the placement, with what they stand for.
    pub workers: Vec<(usize, Standing)>,
}

impl PlacementOffer {
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

/// The arguments by which a script is given placements: a word, a name and a content each; nothing without placements.
pub(crate) fn placement_args<'a>(placements: impl Iterator<Item = &'a Placement>) -> Vec<Value> {
    let mut args: Vec<Value> = placements
        .flat_map(|placement| {
            let content = Value::Bytes(Bytes::from(placement.encode()));
            [Value::from(placement.id().to_string()), content]
        })
        .collect();
    if !args.is_empty() {
        args.insert(0, Value::from("placements"));
    }
    args
}

/// The partition has no room for another placement.
pub(crate) fn placements_full() -> Error {
    Error::Full("routing: a partition keeps at most 1,000 different ways to choose a worker, and has them: name workers by tags, not one by one, or wait until contexts that ask for other ones have ended".to_owned())
}

/// So many queues of a group wait in the partition that no other may; `queue` would be one.
pub(crate) fn queues_full(queue: &str) -> Error {
    let mut words = queue.split(' ');
    let group = words.next().unwrap_or_default();
    let handler = words.next().unwrap_or_default();
    Error::Full(format!(
        "handler: contexts of 10,000 different handlers and placements of group `{group}` wait in a partition, and no more may, so none for `{handler}`: \
         start workers that offer what waits, or cancel it"
    ))
}

/// A placement that nobody can read is asked for again as long as something waits in it.
static UNREAD: LazyLock<Seldom> = LazyLock::new(|| Seldom::every(Duration::from_mins(10)));

impl Store {
    /// The placements of these names; `None` for one that the partition does not have.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn placements(
        &self,
        partition: PartitionId,
        placements: &[PlacementId],
    ) -> Result<Vec<Option<Placement>>, Error> {
        let mut found = Vec::with_capacity(placements.len());
        for chunk in placements.chunks(OFFERED_PLACEMENTS_MAX) {
            let args = chunk
                .iter()
                .map(|placement| Value::from(placement.to_string()));
            let keys = vec![self.keys.wheel(partition)];
            let value = self
                .redis
                .call(&GET_PLACEMENTS, keys, args.collect())
                .await?;
            let mut reply = Reply::expect(GET_PLACEMENTS.name(), value, "PLACEMENTS")?;
            for _ in chunk {
                let content = reply.bytes()?;
                let placement = (!content.is_empty()).then(|| Placement::decode(&content));
                found.push(placement.transpose().unwrap_or_else(|wrong| {
                    if let Some(kept_back) = UNREAD.say(&format!("{partition}")) {
                        tracing::error!(%partition, %wrong, kept_back, "a placement cannot be read: what is in it waits");
                    }
                    None
                }));
            }
        }
        Ok(found)
    }
}
