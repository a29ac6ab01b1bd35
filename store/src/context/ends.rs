//! Which of some contexts have ended lately. Script: `lua/context/ends.lua`.

use fred::types::Value;
use tickwheel_core::id::ContextId;
use tickwheel_core::partition::PartitionId;

use crate::error::Error;
use crate::reply::Reply;
use crate::script::CONTEXT_ENDS;
use crate::store::Store;

/// One step of a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ends {
    /// The newest event of the partition, for the next look; empty without any, and in all steps but the first.
    pub newest: String,
    /// Where the next step of this look begins; empty when it is over.
    pub cursor: String,
    /// Those that have ended.
    pub ended: Vec<ContextId>,
}

impl Store {
    /// Which of up to 1,000 `contexts` of `partition` have ended since the event `since`, an earlier [`Ends::newest`], a step from `cursor` on.
    /// With an empty `since` nothing is looked at but which event is the newest. The ends of subtasks are not told.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn ends(
        &self,
        partition: PartitionId,
        (since, cursor): (&str, &str),
        contexts: &[ContextId],
    ) -> Result<Ends, Error> {
        let mut args = vec![
            Value::from(since),
            Value::from(cursor),
            Value::from(contexts.len().to_string()),
        ];
        args.extend(contexts.iter().map(|context| Value::from(context.as_str())));
        let keys = vec![self.keys.wheel(partition)];
        let value = self.redis.call(&CONTEXT_ENDS, keys, args).await?;
        let mut reply = Reply::expect(CONTEXT_ENDS.name(), value, "ENDS")?;
        let (newest, cursor) = (reply.text()?, reply.text()?);
        let mut list = reply.list()?;
        let mut ended = Vec::with_capacity(list.len());
        while !list.is_empty() {
            ended.push(list.parsed()?);
        }
        Ok(Ends {
            newest,
            cursor,
            ended,
        })
    }
}
