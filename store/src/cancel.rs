//! Cancelling a context wherever it is. Script: `lua/context/cancel.lua`.

use fred::types::Value;
use tickwheel_core::id::{AttemptNo, ContextId, WorkerId};

use crate::error::Error;
use crate::reply::Reply;
use crate::script::CANCEL;
use crate::store::Store;

/// What a cancellation met.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Cancelled {
    /// The context waited, and is cancelled.
    Ended,
    /// It runs; its worker is being told, and its grace began.
    Running {
        /// Who runs it.
        worker: WorkerId,
        /// Its attempt.
        attempt: AttemptNo,
    },
    /// Its subtasks that run are being told; it ends with the last of them.
    Stopping,
    /// It is not planned, not waiting and not running: ended before, or never there.
    Nowhere,
}

impl Store {
    /// Cancels `context`. Idempotent.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: repeat.
    pub async fn cancel_context(&self, context: &ContextId) -> Result<Cancelled, Error> {
        let partition = self.known(context.partition(), context.as_str())?;
        let args = vec![Value::from(""), Value::from(context.as_str())];
        let value = self
            .redis
            .call(&CANCEL, vec![self.keys.wheel(partition)], args)
            .await?;
        let (status, mut reply) = Reply::open(CANCEL.name(), value)?;
        match status.as_str() {
            "ENDED" => Ok(Cancelled::Ended),
            "RUNNING" => {
                let worker = reply.parsed()?;
                let attempt = u32::try_from(reply.number()?)
                    .map_err(|_| Error::contract(CANCEL.name(), "attempt"))?;
                Ok(Cancelled::Running {
                    worker,
                    attempt: AttemptNo::new(attempt),
                })
            }
            "STOPPING" => Ok(Cancelled::Stopping),
            "NOWHERE" => Ok(Cancelled::Nowhere),
            other => Err(Error::contract(CANCEL.name(), other)),
        }
    }
}
