//! Which of some contexts have ended lately. Script: `lua/context/ends.lua`.

use fred::types::Value;
use tickwheel_core::id::ContextId;
use tickwheel_core::partition::PartitionId;

use crate::error::Error;
use crate::reply::Reply;
use crate::script::CONTEXT_ENDS;
use crate::store::Store;

/// An event of a partition, up to which its ends were looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventMark(String);

impl EventMark {
    /// Before all events.
    const FIRST: &'static str = "0-0";

    /// Whether no event was looked at yet, not even which is the newest.
    #[must_use]
    pub fn is_unset(&self) -> bool {
        self.0.is_empty()
    }
}

/// Where a step of a look begins; the default is its first one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndsCursor(String);

impl EndsCursor {
    /// Whether the look is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }
}

/// One step of a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ends {
    /// The newest event of the partition, for the next look; of use in the first step only.
    pub newest: EventMark,
    /// Where the next step of this look begins.
    pub cursor: EndsCursor,
    /// Those that have ended.
    pub ended: Vec<ContextId>,
}

impl Store {
    /// Which of up to 1,000 `contexts` of `partition` have ended since the event `since`, an earlier [`Ends::newest`], a step from `cursor` on.
    /// With an unset `since` nothing is looked at but which event is the newest. The ends of subtasks are not told.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn ends(
        &self,
        partition: PartitionId,
        since: &EventMark,
        cursor: &EndsCursor,
        contexts: &[ContextId],
    ) -> Result<Ends, Error> {
        let mut args = vec![
            Value::from(since.0.as_str()),
            Value::from(cursor.0.as_str()),
            Value::from(contexts.len().to_string()),
        ];
        args.extend(contexts.iter().map(|context| Value::from(context.as_str())));
        let keys = vec![self.keys.wheel(partition)];
        let value = self.redis.call(&CONTEXT_ENDS, keys, args).await?;
        let mut reply = Reply::expect(CONTEXT_ENDS.name(), value, "ENDS")?;
        let (newest, cursor) = (reply.text()?, reply.text()?);
        // A partition in which nothing has ended yet is looked at from its first event on.
        let newest = if newest.is_empty() {
            EventMark::FIRST.to_owned()
        } else {
            newest
        };
        let mut list = reply.list()?;
        let mut ended = Vec::with_capacity(list.len());
        while !list.is_empty() {
            ended.push(list.parsed()?);
        }
        Ok(Ends {
            newest: EventMark(newest),
            cursor: EndsCursor(cursor),
            ended,
        })
    }
}
