//! One call of the script: what it is given, and what its answer says.

use std::collections::{BTreeMap, HashMap};

use fred::types::Value;
use tickwheel_core::id::ContextId;
use tickwheel_core::partition::PartitionId;
use tickwheel_core::routing::{Placement, PlacementId};

use super::new_context::{NewContext, SubmittedContext};
use super::{id_of, when_arg};
use crate::error::Error;
use crate::placement::{placement_args, placements_full, queues_full};
use crate::reply::Reply;
use crate::script::SUBMIT;
use crate::store::Store;

/// What became of the contexts, in their order, and whether they have come as far as was promised.
pub(super) type Called = (Vec<SubmittedContext>, Result<(), Error>);

/// Why a call came to nothing.
#[derive(Debug)]
pub(super) enum Failed {
    /// Something that it was given is refused: nothing of it is written.
    Refused(Error),
    /// Redis did not do it, or it is not known whether it did, whatever it was given.
    Undone(Error),
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Refused(error) | Failed::Undone(error) => error,
        }
    }
}

impl Store {
    /// Creates contexts of `partition` with one script call: all of them, or none.
    pub(super) async fn submit_at_once(
        &self,
        partition: PartitionId,
        contexts: &[&NewContext],
    ) -> Result<Called, Failed> {
        let keys = vec![self.keys.wheel(partition)];
        let called = self.redis.call_kept(&SUBMIT, keys, args(contexts)).await;
        let (value, confirmed) = called.map_err(sorted)?;
        let undone = |error: Error| Failed::Undone(error);
        let (status, mut reply) = Reply::open(SUBMIT.name(), value).map_err(undone)?;
        match status.as_str() {
            "ACCEPTED" => {}
            "PLACEMENTS_FULL" => return Err(Failed::Refused(placements_full())),
            "QUEUES_FULL" => {
                let queue = reply.text().map_err(undone)?;
                return Err(Failed::Refused(queues_full(&queue)));
            }
            other => return Err(undone(Error::contract(SUBMIT.name(), other))),
        }
        let submitted = accepted(&mut reply, contexts).map_err(undone)?;
        Ok((submitted, confirmed))
    }
}

/// An error that the script raised took back what it had begun, and is about something that it was given. Of what else breaks the contract, an
/// answer that cannot be read say, it is not known what was done.
fn sorted(error: Error) -> Failed {
    match &error {
        Error::Damaged { .. } => Failed::Refused(error),
        Error::Contract { reply, .. } if reply.contains("BAD_ARG") => Failed::Refused(error),
        Error::Contract { .. }
        | Error::Unavailable { .. }
        | Error::Exhausted { .. }
        | Error::Full(_)
        | Error::Unconfirmed { .. }
        | Error::Partly { .. }
        | Error::Invalid(_)
        | Error::Conflict(_)
        | Error::Changed { .. }
        | Error::NotFound { .. }
        | Error::Unusable(_) => Failed::Undone(error),
    }
}

fn args(contexts: &[&NewContext]) -> Vec<Value> {
    let mut args: Vec<Value> = Vec::with_capacity(2 + 4 * contexts.len());
    args.push(Value::from(""));
    args.push(Value::from(contexts.len().to_string()));
    for context in contexts {
        args.push(when_arg(context.when));
        args.push(Value::from(context.unique()));
        args.push(Value::Bytes(context.rest.clone()));
        args.push(Value::from(context.dedup_arg().unwrap_or_default()));
    }
    let placements: BTreeMap<PlacementId, &Placement> = contexts
        .iter()
        .filter_map(|context| context.placement.as_deref())
        .map(|placement| (placement.id(), placement))
        .collect();
    args.extend(placement_args(placements.into_values()));
    args
}

fn accepted(reply: &mut Reply, contexts: &[&NewContext]) -> Result<Vec<SubmittedContext>, Error> {
    let now = reply.number()?;
    let mut taken = reply.list()?;
    let mut duplicates = HashMap::new();
    while !taken.is_empty() {
        let position = taken.number()?;
        duplicates.insert(position, taken.parsed::<ContextId>()?);
    }
    let of = |(position, context): (u64, &&NewContext)| {
        let existing = duplicates.remove(&position);
        Ok(SubmittedContext {
            duplicate: existing.is_some(),
            id: existing.map_or_else(|| id_of(context, now), Ok)?,
        })
    };
    (1_u64..).zip(contexts).map(of).collect()
}
