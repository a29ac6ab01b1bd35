//! Contexts that ended without success and are kept.

use tickwheel_proto::v1;

use crate::call::{Client, Repeat};
use crate::error::Error;

impl Client {
    /// A page of them, over all partitions with the newest end first.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn list_dead(
        &self,
        request: v1::ListDeadRequest,
    ) -> Result<v1::ListDeadResponse, Error> {
        self.call(Repeat::Harmless, request, async |mut api, r| {
            api.list_dead(r).await
        })
        .await
    }

    /// Lets some run again, one bounded step in each call; the answer's cursor begins the next one.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn requeue_dead(
        &self,
        request: v1::ChangeDeadRequest,
    ) -> Result<v1::ChangeDeadResponse, Error> {
        self.call(Repeat::Unsent, request, async |mut api, r| {
            api.requeue_dead(r).await
        })
        .await
    }

    /// Forgets some, one bounded step in each call; the answer's cursor begins the next one.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn purge_dead(
        &self,
        request: v1::ChangeDeadRequest,
    ) -> Result<v1::ChangeDeadResponse, Error> {
        self.call(Repeat::Unsent, request, async |mut api, r| {
            api.purge_dead(r).await
        })
        .await
    }
}
