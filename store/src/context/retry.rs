//! Running a context again that ended without success. Script: `lua/context/retry.lua`.

use tickwheel_core::id::ContextId;

use super::{ContextView, no_context};
use crate::dead::Requeued;
use crate::error::Error;
use crate::store::Store;

impl Store {
    /// Puts a context that ended without success back into its ready set. Its attempts count on, its failures start anew.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when it has not ended, ended well or was cancelled, or when its job has as many active
    /// contexts as its overlap policy allows.
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
        let verdicts = self
            .retry_dead(partition, &[(context.clone(), ended)])
            .await?;
        match verdicts.first() {
            Some(Requeued::Ready) => self
                .get_context(context)
                .await?
                .ok_or_else(|| no_context(context)),
            Some(Requeued::Busy) => {
                refused("its job has as many active contexts as its overlap policy allows")
            }
            Some(Requeued::NotDead) | None => refused(&format!(
                "it ended as {} and is not kept among the dead",
                view.state
            )),
        }
    }
}
