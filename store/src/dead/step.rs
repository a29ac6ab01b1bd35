//! One step of running many dead contexts again, or of forgetting them.

use std::collections::BTreeMap;

use tickwheel_core::id::ContextId;
use tickwheel_core::partition::PartitionId;
use tickwheel_core::time::TimestampMs;

use super::{Cursor, DeadFilter, Requeued, STEP_MAX};
use crate::error::Error;
use crate::store::Store;

/// What to do with the dead that were chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeadAction {
    /// Run them again: attempts counted on, failures forgotten.
    Requeue,
    /// Forget them.
    Purge,
}

/// What one step did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadStep {
    /// Contexts looked at.
    pub looked: u64,
    /// Those that were chosen.
    pub matched: u64,
    /// Those that were run again or forgotten; 0 in a dry run.
    pub done: u64,
    /// Those whose job had no room for them; they stay among the dead.
    pub busy: u64,
    /// Those whose body was too great to be kept; they stay among the dead.
    pub bodiless: u64,
    /// Those that another caller took meanwhile.
    pub gone: u64,
    /// Where the next step begins; empty: all were looked at.
    pub next: String,
    /// The first of the chosen, at most as many as one step looks at.
    pub ids: Vec<ContextId>,
}

impl Store {
    /// Looks at up to 100 of the dead from `cursor` on, and does `action` to those that `filter` chooses; a `dry_run` only counts.
    ///
    /// Repeating a step is safe: what it did is no longer among the dead. Cancelling it between two calls leaves what was done.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the cursor is not one of the dead; [`Error::Unavailable`]: repeat the step.
    pub async fn dead_step(
        &self,
        action: DeadAction,
        filter: &DeadFilter,
        cursor: &str,
        dry_run: bool,
    ) -> Result<DeadStep, Error> {
        let cursor = Cursor::parse(cursor)?;
        let found = self.dead_page(&cursor, STEP_MAX).await?;
        let mut step = DeadStep {
            looked: u64::try_from(found.items.iter().filter(|view| filter.sees(view)).count())
                .unwrap_or(u64::MAX),
            ..DeadStep::default()
        };
        let chosen: Vec<(ContextId, TimestampMs)> = found
            .items
            .iter()
            .filter(|view| filter.holds(view))
            .map(|view| (view.id.clone(), view.ended.unwrap_or_default()))
            .collect();
        let taken = if dry_run {
            step.matched = u64::try_from(chosen.len()).unwrap_or(u64::MAX);
            Vec::new()
        } else {
            self.act(action, cursor.partition, &chosen, &mut step)
                .await?
        };
        step.ids = chosen.into_iter().map(|(id, _)| id).collect();
        let next = without(&found.next, &taken);
        step.next = match self.after(&cursor, next) {
            Some(next) => format!("{}/{}", next.partition, next.position),
            None => String::new(),
        };
        Ok(step)
    }

    /// Does `action` to the dead contexts of these ids, at most 1,000; those that are not among the dead are counted as gone.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an id that nothing is known of, before anything is done; [`Error::Unavailable`]: repeat.
    pub async fn dead_ids(
        &self,
        action: DeadAction,
        ids: &[ContextId],
        dry_run: bool,
    ) -> Result<DeadStep, Error> {
        let mut step = DeadStep {
            looked: u64::try_from(ids.len()).unwrap_or(u64::MAX),
            ids: ids.to_vec(),
            ..DeadStep::default()
        };
        let mut chosen: BTreeMap<PartitionId, Vec<(ContextId, TimestampMs)>> = BTreeMap::new();
        for id in ids {
            let view = self.get_context(id).await?;
            let view = view.ok_or_else(|| Error::NotFound {
                kind: "context",
                id: id.to_string(),
            })?;
            match view.ended {
                Some(ended) => chosen
                    .entry(id.partition())
                    .or_default()
                    .push((id.clone(), ended)),
                None => step.gone += 1,
            }
        }
        for (partition, contexts) in chosen {
            for few in contexts.chunks(usize::try_from(STEP_MAX).unwrap_or(usize::MAX)) {
                if dry_run {
                    step.matched += u64::try_from(few.len()).unwrap_or(u64::MAX);
                } else {
                    self.act(action, partition, few, &mut step).await?;
                }
            }
        }
        Ok(step)
    }

    /// Does `action` to these, counts it, and answers with the ends of those that left the dead.
    async fn act(
        &self,
        action: DeadAction,
        partition: PartitionId,
        chosen: &[(ContextId, TimestampMs)],
        step: &mut DeadStep,
    ) -> Result<Vec<TimestampMs>, Error> {
        step.matched += u64::try_from(chosen.len()).unwrap_or(u64::MAX);
        if chosen.is_empty() {
            return Ok(Vec::new());
        }
        let verdicts = match action {
            DeadAction::Requeue => self.retry_dead(partition, chosen).await?,
            DeadAction::Purge => {
                let purged = self.purge_dead(partition, chosen).await?.into_iter();
                purged
                    .map(|there| {
                        if there {
                            Requeued::Ready
                        } else {
                            Requeued::NotDead
                        }
                    })
                    .collect()
            }
        };
        let mut taken = Vec::new();
        for ((_, ended), verdict) in chosen.iter().zip(verdicts) {
            match verdict {
                Requeued::Ready => step.done += 1,
                Requeued::Busy => {
                    step.busy += 1;
                    continue;
                }
                Requeued::BodyDropped | Requeued::PlacementGone => {
                    step.bodiless += 1;
                    continue;
                }
                Requeued::NotDead => step.gone += 1,
            }
            taken.push(*ended);
        }
        Ok(taken)
    }
}

/// A position `<ended ms>:<n>` when those of `taken` are no longer in front of it.
fn without(position: &str, taken: &[TimestampMs]) -> String {
    let parts = position
        .split_once(':')
        .and_then(|(end, n)| Some((end.parse::<u64>().ok()?, n.parse::<usize>().ok()?)));
    match parts {
        Some((end, n)) => {
            let fewer = taken.iter().filter(|one| one.as_u64() == end).count();
            format!("{end}:{}", n.saturating_sub(fewer))
        }
        None => position.to_owned(), // none, or at an end that no script wrote
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_moves_back_by_what_was_taken_at_its_end() {
        let taken = [5, 5, 6].map(TimestampMs::new);
        assert_eq!(without("5:7", &taken), "5:5");
        assert_eq!(without("4:7", &taken), "4:7");
        assert_eq!(without("", &taken), "");
    }
}
