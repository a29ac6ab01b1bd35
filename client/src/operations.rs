//! The cluster: its trackers, its workers, the limits of groups.

use tickwheel_proto::v1;

use crate::call::{Client, Repeat};
use crate::error::Error;

impl Client {
    /// The live workers of a group; `None`: of all.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn workers(&self, group: Option<&str>) -> Result<v1::ListWorkersResponse, Error> {
        let request = v1::ListWorkersRequest {
            group: group.unwrap_or_default().to_owned(),
        };
        self.call(Repeat::Harmless, request, async |mut api, r| {
            api.list_workers(r).await
        })
        .await
    }

    /// The cluster as the tracker that answers sees it.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn cluster(&self) -> Result<v1::Cluster, Error> {
        self.call(
            Repeat::Harmless,
            v1::GetClusterRequest {},
            async |mut api, r| api.get_cluster(r).await,
        )
        .await
    }

    /// Gives a group its limits in place of those it had; with none of them, takes them away.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn set_limits(&self, limits: v1::GroupLimits) -> Result<v1::GroupLimits, Error> {
        self.call(Repeat::Harmless, limits, async |mut api, r| {
            api.set_limits(r).await
        })
        .await
    }

    /// The limits of all groups.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn limits(&self) -> Result<v1::ListLimitsResponse, Error> {
        self.call(
            Repeat::Harmless,
            v1::ListLimitsRequest {},
            async |mut api, r| api.list_limits(r).await,
        )
        .await
    }
}
