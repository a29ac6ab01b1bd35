//! Submitting contexts that belong to no job. Script: `lua/wheel/submit.lua`.

mod bulk;
mod calls;
mod new_context;
mod one_call;
mod together;

use fred::types::Value;
use tickwheel_core::id::ContextId;
use tickwheel_core::partition::PartitionId;

use crate::error::Error;
use crate::script::SUBMIT;
use crate::store::Store;

pub(crate) use bulk::Bulk;
pub use new_context::{CALL_WEIGHT, NewContext, SubmittedContext, When};

/// Contexts of one script call, by where they stood in the request.
type Chunk = Vec<(usize, SubmittedContext)>;

impl Store {
    /// Creates contexts, with one script call for each partition that occurs (and for each 250 of them, or fewer with large bodies). Others
    /// are heard between calls that take Redis long.
    ///
    /// Dropping the future does not undo what was sent. After an error some partitions may have accepted theirs: repeat with dedup keys.
    ///
    /// # Errors
    /// [`Error::Exhausted`] when Redis is full; [`Error::Full`] when a partition keeps as much as it may; [`Error::Partly`] with the cause when
    /// some of them were written; [`Error::Unavailable`] when it is unknown whether they were created.
    pub async fn submit(&self, contexts: &[NewContext]) -> Result<Vec<SubmittedContext>, Error> {
        self.redis.has_room()?;
        let mut by_partition: Vec<(PartitionId, Vec<usize>)> = Vec::new();
        for (index, context) in contexts.iter().enumerate() {
            match by_partition
                .iter_mut()
                .find(|(partition, _)| *partition == context.partition)
            {
                Some((_, indexes)) => indexes.push(index),
                None => by_partition.push((context.partition, vec![index])),
            }
        }
        let mut submitted: Chunk = Vec::with_capacity(contexts.len());
        let mut confirmed = Ok(());
        let mut failed: Option<Error> = None;
        for round in calls::of(&by_partition, contexts) {
            let calls = round
                .calls
                .iter()
                .map(|call| self.submit_chunk(call.partition, &call.indexes, contexts));
            let sent = futures::future::join_all(calls);
            let chunks = if round.is_heavy {
                self.bulk.send(sent).await
            } else {
                sent.await
            };
            for chunk in chunks {
                match chunk {
                    Ok((chunk, as_promised)) => {
                        submitted.extend(chunk);
                        confirmed = confirmed.and(as_promised);
                    }
                    // What is not known is said before what is refused.
                    Err(error @ Error::Unavailable { .. }) => failed = Some(error),
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
            if failed.is_some() {
                break;
            }
        }
        submitted.sort_unstable_by_key(|(index, _)| *index);
        if let Some(error) = failed {
            // What is written and has not come as far as was promised is not passed off as done, whatever became of the rest.
            let error = match (error, confirmed) {
                (error @ Error::Unavailable { .. }, _) | (error, Ok(())) => error,
                (_, Err(unconfirmed)) => unconfirmed,
            };
            let taken = submitted.into_iter();
            return Err(error.partly(taken.map(|(index, context)| (index, context.id))));
        }
        let submitted = submitted.into_iter().map(|(_, context)| context);
        match confirmed {
            Ok(()) => Ok(submitted.collect()),
            Err(error) => Err(error.of_contexts(submitted.map(|context| context.id))),
        }
    }

    async fn submit_chunk(
        &self,
        partition: PartitionId,
        indexes: &[usize],
        contexts: &[NewContext],
    ) -> Result<(Chunk, Result<(), Error>), Error> {
        let (indexes, chosen): (Vec<usize>, Vec<&NewContext>) = indexes
            .iter()
            .filter_map(|index| contexts.get(*index).map(|context| (*index, context)))
            .unzip();
        let (submitted, confirmed) = self.submit_at_once(partition, &chosen).await?;
        Ok((indexes.into_iter().zip(submitted).collect(), confirmed))
    }
}

pub(super) fn when_arg(when: When) -> Value {
    Value::from(match when {
        When::Delay(delay) => format!("+{}", delay.as_millis()),
        When::At(at) => at.as_u64().to_string(),
    })
}

/// The id the script made: the delay counts from the script's clock.
pub(super) fn id_of(context: &NewContext, now: u64) -> Result<ContextId, Error> {
    let due = match context.when {
        When::Delay(delay) => {
            now.saturating_add(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX))
        }
        When::At(at) => at.as_u64(),
    };
    let text = format!("{}.{due}.{}", context.partition, context.unique());
    text.parse()
        .map_err(|_| Error::contract(SUBMIT.name(), text))
}
