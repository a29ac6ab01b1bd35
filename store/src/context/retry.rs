//! Running a context again that has ended. Script: `lua/context/retry.lua`.

use tickwheel_core::id::ContextId;

use super::{ContextView, no_context};
use crate::dead::Requeued;
use crate::error::Error;
use crate::store::Store;
use crate::wheel::OWN_BODY;

/// Who says what a context runs.
#[derive(Debug, Clone, Copy)]
enum Made {
    /// Its job.
    Job,
    /// The call that asked for a run of its job, with a body of its own.
    Asked,
    /// The call that submitted it.
    Alone,
}

impl Made {
    fn of(context: &ContextId) -> Self {
        let head = context.as_str().split('@').next().unwrap_or_default();
        match context.job() {
            None => Self::Alone,
            Some(_) if head.ends_with(OWN_BODY) => Self::Asked,
            Some(_) => Self::Job,
        }
    }
}

impl Store {
    /// Puts a context that has ended back into its ready set. Its attempts count on, its failures start anew.
    ///
    /// One that ended without success runs what it ran before. Of one that succeeded or was cancelled the body is not kept: it runs what its
    /// job says now, and only if its body was that of its job. Followers are told of the first end of a context only.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when it has not ended, when nothing says what it would run, or when its job has as many
    /// active contexts as its overlap policy allows.
    pub async fn retry_context(&self, context: &ContextId) -> Result<ContextView, Error> {
        let view = self
            .get_context(context)
            .await?
            .ok_or_else(|| no_context(context))?;
        let refused = |why: &str| {
            Err(Error::Conflict(format!(
                "context `{context}` cannot run again: {why}"
            )))
        };
        let Some(ended) = view.ended.filter(|_| view.state.is_settled()) else {
            return refused(&format!("it is {}", view.state));
        };
        let partition = self.known(context.partition(), context.as_str())?;
        let retried = match Made::of(context) {
            Made::Job => self.retry_ended(partition, context, ended).await?,
            Made::Alone | Made::Asked => {
                let dead = [(context.clone(), ended)];
                let verdicts = self.retry_dead(partition, &dead).await?;
                verdicts.into_iter().next().unwrap_or(Requeued::NotDead)
            }
        };
        match (retried, Made::of(context)) {
            (Requeued::Ready, _) => self
                .get_context(context)
                .await?
                .ok_or_else(|| no_context(context)),
            (Requeued::Busy, _) => {
                refused("its job has as many active contexts as its overlap policy allows")
            }
            (Requeued::BodyDropped, _) => refused(
                "its body has more than 16 KiB and was not kept when it ended: submit it again with its body",
            ),
            (Requeued::PlacementGone, _) => refused(
                "which workers may run it is not kept any more: submit it again with its routing, or apply its job again",
            ),
            (Requeued::NotDead, Made::Alone) => refused(&format!(
                "it ended as {} and is not kept among the dead, so its body is not known any more; submit it again",
                view.state
            )),
            (Requeued::NotDead, Made::Asked) => refused(&format!(
                "it ended as {} and was given a body of its own, which is not kept; run its job with that body",
                view.state
            )),
            (Requeued::NotDead, Made::Job) => refused(&format!(
                "it ended as {} and neither the dead nor the runs of its job have it any more",
                view.state
            )),
        }
    }
}
