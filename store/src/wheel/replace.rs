//! A context in place of the one that its dedup key stands for, and the context of a key. Script: `lua/wheel/replace.lua`.

use fred::interfaces::KeysInterface;
use tickwheel_core::id::{ContextId, DedupKey, JobName, Namespace};
use tickwheel_core::partition::partition_of;

use super::submit::{NewContext, id_of, when_arg};
use crate::args::Args;
use crate::error::Error;
use crate::placement::{placement_args, placements_full, queues_full};
use crate::reply::Reply;
use crate::script::REPLACE;
use crate::store::Store;

/// What became of a context that takes the dedup key of another one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Replaced {
    /// The new one.
    pub id: ContextId,
    /// The one that had the key before.
    pub before: Option<ContextId>,
}

/// Whose dedup keys: each owner has its own.
#[derive(Debug, Clone, Copy)]
pub enum KeyOwner<'a> {
    /// Contexts that were submitted alone into a namespace.
    Namespace(&'a Namespace),
    /// Runs of a job that were asked for.
    Job(&'a JobName),
}

impl Store {
    /// Creates `context`, which has a dedup key. The context that had the key is cancelled if it waits; if it runs, it goes on.
    ///
    /// # Errors
    /// [`Error::Invalid`] without a dedup key; [`Error::Exhausted`] when Redis is full; [`Error::Unavailable`] when it is unknown whether it
    /// was created: a repeat replaces it.
    pub async fn replace(&self, context: &NewContext) -> Result<Replaced, Error> {
        let Some(dedup) = context.dedup_arg() else {
            let rule = "is given for a context that replaces another one";
            let violation = tickwheel_core::error::Violation::new("dedup_key", rule, "");
            return Err(Error::Invalid(violation.into()));
        };
        let args = Args::new()
            .with("when", when_arg(context.when))
            .with("unique", context.unique())
            .with("rest", context.rest.clone())
            .with("dedup", dedup)
            .items(placement_args(context.placement.as_deref().into_iter()));
        let keys = vec![self.keys.wheel(context.partition)];
        let (value, confirmed) = self.redis.call_kept(&REPLACE, keys, args).await?;
        let (status, mut reply) = Reply::open(REPLACE.name(), value)?;
        match status.as_str() {
            "ACCEPTED" => {}
            "PLACEMENTS_FULL" => return Err(placements_full()),
            "QUEUES_FULL" => return Err(queues_full(&reply.text()?)),
            other => return Err(Error::contract(REPLACE.name(), other)),
        }
        let now = reply.number()?;
        let before = match reply.text()?.as_str() {
            "" => None,
            id => Some(
                id.parse()
                    .map_err(|_| Error::contract(REPLACE.name(), id))?,
            ),
        };
        let id = id_of(context, now)?;
        match confirmed {
            Ok(()) => Ok(Replaced { id, before }),
            Err(error) => Err(error.of_contexts([id])),
        }
    }

    /// The context that `key` of this owner stands for, while it is kept.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn context_of_key(
        &self,
        key: &DedupKey,
        owner: KeyOwner<'_>,
    ) -> Result<Option<ContextId>, Error> {
        let (place, suffix) = match owner {
            KeyOwner::Job(job) => (job.as_str(), format!("@{job}")),
            KeyOwner::Namespace(namespace) => (key.as_str(), namespace.suffix()),
        };
        let partition = partition_of(place, self.partitions);
        let name = self.keys.dedup(partition, &key.name(), &suffix);
        let read: Result<Option<String>, _> = self.redis.plain().get(name).await;
        let text = read.map_err(|error| Error::from_redis("get", error, ToOwned::to_owned))?;
        let id = |text: String| text.parse().map_err(|_| Error::contract("get", text));
        text.map(id).transpose()
    }
}
