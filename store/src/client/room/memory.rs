//! What the servers' memory is used for is asked here for those who watch it.

use super::MemoryUse;
use crate::client::Redis;
use crate::error::Error;

impl Redis {
    /// What the primaries use of their memory; `None` when one of them does not tell, as an ACL may have it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when one does not answer.
    pub async fn memory(&self) -> Result<Option<MemoryUse>, Error> {
        let mut infos = Vec::new();
        for node in self.primaries() {
            match self.info(&node, "memory").await {
                Ok(info) => infos.push(info),
                Err(error @ Error::Unavailable { .. }) => return Err(error),
                Err(error) => {
                    tracing::debug!(%node, %error, "a server does not tell of its memory");
                    return Ok(None);
                }
            }
        }
        Ok(MemoryUse::of(infos.iter().map(String::as_str)))
    }
}
