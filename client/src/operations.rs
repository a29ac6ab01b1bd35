//! The cluster: its trackers, its workers, the limits of groups, who may do what, and who did.

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

    /// Lets a worker take no more work, until it is undrained; what it runs goes on.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn drain_worker(&self, id: &str) -> Result<v1::Worker, Error> {
        let request = v1::WorkerRef { id: id.to_owned() };
        self.call(Repeat::Harmless, request, async |mut api, r| {
            api.drain_worker(r).await
        })
        .await
    }

    /// Lets a worker take work again.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn undrain_worker(&self, id: &str) -> Result<v1::Worker, Error> {
        let request = v1::WorkerRef { id: id.to_owned() };
        self.call(Repeat::Harmless, request, async |mut api, r| {
            api.undrain_worker(r).await
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

    /// How the cluster is, in numbers, as the tracker that answers saw it last.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn overview(&self) -> Result<v1::Overview, Error> {
        self.call(
            Repeat::Harmless,
            v1::GetOverviewRequest {},
            async |mut api, r| api.get_overview(r).await,
        )
        .await
    }

    /// How much is due when, counted in buckets of time from now on, as the tracker that answers saw it last.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn wheel(&self, request: v1::GetWheelRequest) -> Result<v1::Wheel, Error> {
        self.call(Repeat::Harmless, request, async |mut api, r| {
            api.get_wheel(r).await
        })
        .await
    }

    /// A page of what comes next of what users have in the wheel, the earliest first.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn upcoming(
        &self,
        request: v1::ListUpcomingRequest,
    ) -> Result<v1::ListUpcomingResponse, Error> {
        self.call(Repeat::Harmless, request, async |mut api, r| {
            api.list_upcoming(r).await
        })
        .await
    }

    /// What is going on, as it comes. The stream has no end in time; when it ends, another call goes on with the cursor of the last event.
    ///
    /// # Errors
    /// As [`Client::call`], for the beginning.
    pub async fn subscribe(
        &self,
        request: v1::SubscribeRequest,
    ) -> Result<tonic::Streaming<v1::StreamEvent>, Error> {
        self.call(Repeat::Harmless, request, async |mut api, r| {
            api.subscribe(r).await
        })
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

    /// The groups that have workers, limits or a pause.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn groups(&self) -> Result<v1::ListGroupsResponse, Error> {
        self.call(
            Repeat::Harmless,
            v1::ListGroupsRequest {},
            async |mut api, r| api.list_groups(r).await,
        )
        .await
    }

    /// Starts no context of a group until it is resumed; what runs goes on. A second pause replaces the note, of at most 100 letters on one
    /// line.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn pause_group(&self, name: &str, note: &str) -> Result<v1::Group, Error> {
        let request = v1::PauseGroupRequest {
            name: name.to_owned(),
            note: note.to_owned(),
        };
        self.call(Repeat::Harmless, request, async |mut api, r| {
            api.pause_group(r).await
        })
        .await
    }

    /// Starts contexts of a group again.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn resume_group(&self, name: &str) -> Result<v1::Group, Error> {
        let request = v1::GroupRef {
            name: name.to_owned(),
        };
        self.call(Repeat::Harmless, request, async |mut api, r| {
            api.resume_group(r).await
        })
        .await
    }

    /// A link that logs a browser in as this client, once and within five minutes.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn make_login_link(&self) -> Result<v1::LoginLink, Error> {
        let request = v1::MakeLoginLinkRequest {};
        self.call(Repeat::Harmless, request, async |mut api, r| {
            api.make_login_link(r).await
        })
        .await
    }

    /// Makes a token. Its secret is in the answer, and nowhere else. When the answer is lost, the token is there and nobody can show it: it is
    /// found by its name, and revoked.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn make_token(&self, request: v1::MakeTokenRequest) -> Result<v1::MadeToken, Error> {
        self.call(Repeat::Unsent, request, async |mut api, r| {
            api.make_token(r).await
        })
        .await
    }

    /// Gives a token another secret, which is in the answer.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn rotate_token(
        &self,
        request: v1::RotateTokenRequest,
    ) -> Result<v1::MadeToken, Error> {
        self.call(Repeat::Unsent, request, async |mut api, r| {
            api.rotate_token(r).await
        })
        .await
    }

    /// Revokes a token: within seconds nobody may do anything by it.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn revoke_token(&self, id: &str) -> Result<(), Error> {
        let request = v1::RevokeTokenRequest { id: id.to_owned() };
        let revoked = self.call(Repeat::Unsent, request, async |mut api, r| {
            api.revoke_token(r).await
        });
        revoked.await.map(drop)
    }

    /// A page of the tokens, without their secrets, from a cursor of an earlier page on.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn tokens(&self, cursor: &str) -> Result<v1::ListTokensResponse, Error> {
        let request = v1::ListTokensRequest {
            cursor: cursor.to_owned(),
        };
        self.call(Repeat::Harmless, request, async |mut api, r| {
            api.list_tokens(r).await
        })
        .await
    }

    /// A page of what was done and refused, the newest first.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn audit(
        &self,
        request: v1::ListAuditRequest,
    ) -> Result<v1::ListAuditResponse, Error> {
        self.call(Repeat::Harmless, request, async |mut api, r| {
            api.list_audit(r).await
        })
        .await
    }
}
