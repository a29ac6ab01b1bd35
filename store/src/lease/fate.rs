//! What became of attempts that are not held. Script: `lua/lease/fate.lua`.

use fred::types::Value;
use tickwheel_core::partition::PartitionId;

use super::AttemptRef;
use crate::error::Error;
use crate::reply::Reply;
use crate::script::FATE;
use crate::store::Store;

/// Attempts of one call.
const ATTEMPTS_MAX: usize = 1_000;
/// Steps through the events for one call's attempts: more than a partition keeps.
const STEPS_MAX: usize = 64;

/// What became of an attempt that is not held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Fate {
    /// It ended its context, or split it.
    Settled,
    /// It lost its lease: another attempt holds the context, waits for a worker or ended it; or there is no such context.
    Lost,
}

impl Store {
    /// What became of attempts of one partition that were reported and are not held, in their order.
    ///
    /// It is looked up for all of them together in the newest ends; what is not there is taken for lost, but for subtasks, whose ends are told
    /// by their roots: they are taken for settled.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn fates(
        &self,
        partition: PartitionId,
        attempts: &[AttemptRef],
    ) -> Result<Vec<Fate>, Error> {
        let mut fates = Vec::with_capacity(attempts.len());
        for chunk in attempts.chunks(ATTEMPTS_MAX) {
            fates.extend(self.fates_of(partition, chunk).await?);
        }
        Ok(fates)
    }

    async fn fates_of(
        &self,
        partition: PartitionId,
        attempts: &[AttemptRef],
    ) -> Result<Vec<Fate>, Error> {
        let mut known: Vec<Option<Fate>> = vec![None; attempts.len()];
        let mut cursor = String::new();
        for _ in 0..STEPS_MAX {
            let open: Vec<usize> = (0..attempts.len())
                .filter(|at| known.get(*at) == Some(&None))
                .collect();
            if open.is_empty() {
                break;
            }
            let mut args = vec![Value::from(cursor), Value::from(open.len().to_string())];
            for attempt in open.iter().filter_map(|at| attempts.get(*at)) {
                args.push(Value::from(attempt.context.as_str()));
                args.push(Value::from(attempt.attempt.to_string()));
            }
            let keys = vec![self.keys.wheel(partition)];
            let value = self.redis.call(&FATE, keys, args).await?;
            let mut reply = Reply::expect(FATE.name(), value, "FATES")?;
            cursor = reply.text()?;
            let letters = reply.text()?;
            if letters.len() != open.len() {
                return Err(Error::contract(FATE.name(), letters));
            }
            for (at, letter) in open.into_iter().zip(letters.chars()) {
                let fate = match letter {
                    'S' => Some(Fate::Settled),
                    'L' => Some(Fate::Lost),
                    'U' => None,
                    _ => return Err(Error::contract(FATE.name(), letters)),
                };
                if let Some(known) = known.get_mut(at) {
                    *known = fate;
                }
            }
            if cursor.is_empty() {
                break;
            }
        }
        let taken_for = |attempt: &AttemptRef| match attempt.context.subtask() {
            Some(_) => Fate::Settled,
            None => Fate::Lost,
        };
        let fates = known.into_iter().zip(attempts);
        Ok(fates
            .map(|(fate, attempt)| fate.unwrap_or_else(|| taken_for(attempt)))
            .collect())
    }
}
