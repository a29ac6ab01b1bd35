//! Running a context again that ended without success. Script: `lua/context/retry.lua`.

use fred::types::Value;
use tickwheel_core::id::ContextId;

use super::{ContextView, no_context};
use crate::error::Error;
use crate::script::RETRY_CONTEXT;
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
        let Some(ended) = view.ended else {
            return refused(&format!("it is {}", view.state));
        };
        let args = vec![
            Value::from(context.as_str()),
            Value::from(ended.as_u64().to_string()),
        ];
        let (status, _) = self.call_context(&RETRY_CONTEXT, context, args).await?;
        match status.as_str() {
            "READY" => self
                .get_context(context)
                .await?
                .ok_or_else(|| no_context(context)),
            "NOT_DEAD" => refused(&format!(
                "it ended as {} and is not kept among the dead",
                view.state
            )),
            "BUSY" => refused("its job has as many active contexts as its overlap policy allows"),
            other => Err(Error::contract(RETRY_CONTEXT.name(), other)),
        }
    }
}
