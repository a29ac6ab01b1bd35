//! A tracker that asks for tokens, and those who have some.

use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use tempfile::TempDir;
use tickwheel_proto::v1;
use tickwheel_proto::v1::scheduler_service_client::SchedulerServiceClient;
use tickwheel_proto::wire::schema::METHODS;
use tickwheel_tracker::Config;
use tickwheel_tracker::config::Access;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::harness::{Caller, configured, serving};
use crate::raw;

/// A token is read again after this.
pub(crate) const RECHECK: Duration = Duration::from_millis(400);

/// The generated client, which shows a token.
pub(crate) type Api = SchedulerServiceClient<InterceptedService<Channel, Shows>>;

#[derive(Clone)]
pub(crate) struct Shows(MetadataValue<Ascii>);

impl tonic::service::Interceptor for Shows {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request
            .metadata_mut()
            .insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// A tracker that asks, and the token of its admin.
pub(crate) struct Guarded {
    pub(crate) caller: Caller,
    pub(crate) admin: String,
    _folder: TempDir,
}

/// What is asked of a tracker that asks for tokens.
pub(crate) fn asking(folder: &TempDir) -> Option<Config> {
    Some(Config {
        access: Access {
            bootstrap_token_file: Some(folder.path().join("admin.token")),
            recheck: RECHECK,
            ..Access::default()
        },
        heartbeat_interval: Duration::from_millis(100),
        http_listen: Some(([127, 0, 0, 1], 0).into()),
        ..configured()?
    })
}

/// `None` where there is no Redis.
pub(crate) async fn guarded() -> Option<Guarded> {
    guarded_with(|config| config).await
}

/// The same with something else configured.
pub(crate) async fn guarded_with(change: impl FnOnce(Config) -> Config) -> Option<Guarded> {
    let folder = TempDir::new().unwrap();
    let caller = serving(change(asking(&folder)?)).await;
    let admin = std::fs::read_to_string(folder.path().join("admin.token")).unwrap();
    Some(Guarded {
        caller,
        admin: admin.trim().to_owned(),
        _folder: folder,
    })
}

/// A scope of everything, but for its role, without permissions.
pub(crate) fn scope(role: v1::Role) -> v1::Scope {
    let all = || vec!["*".to_owned()];
    v1::Scope {
        role: role.into(),
        namespaces: all(),
        groups: all(),
        handlers: all(),
        ..v1::Scope::default()
    }
}

/// The same in one namespace, and in one group if that is named.
pub(crate) fn within(role: v1::Role, namespace: &str, group: &str) -> v1::Scope {
    v1::Scope {
        namespaces: vec![namespace.to_owned()],
        groups: vec![group.to_owned()],
        ..scope(role)
    }
}

/// That of workers of a group.
pub(crate) fn of_workers(group: &str) -> v1::Scope {
    v1::Scope {
        namespaces: Vec::new(),
        groups: vec![group.to_owned()],
        worker_ids: vec!["mill-*".to_owned()],
        permits: 8,
        ..scope(v1::Role::Worker)
    }
}

/// Somebody who shows this token to a tracker.
pub(crate) fn api_at(caller: &Caller, token: &str) -> Api {
    let shown = format!("Bearer {token}").parse().unwrap();
    SchedulerServiceClient::with_interceptor(caller.channel.clone(), Shows(shown))
}

pub(crate) fn id_of(token: &str) -> String {
    token.split('_').nth(1).unwrap().to_owned()
}

impl Guarded {
    /// Somebody who shows this token.
    pub(crate) fn api(&self, token: &str) -> Api {
        api_at(&self.caller, token)
    }

    pub(crate) async fn try_make(
        &self,
        by: &str,
        scope: v1::Scope,
        valid_ms: Option<u64>,
    ) -> Result<String, Status> {
        let request = v1::MakeTokenRequest {
            name: "a test".to_owned(),
            scope: Some(scope),
            valid_ms,
            ..v1::MakeTokenRequest::default()
        };
        Ok(self.api(by).make_token(request).await?.into_inner().text)
    }

    /// A token that the admin made.
    pub(crate) async fn make(&self, scope: v1::Scope) -> String {
        self.try_make(&self.admin, scope, None).await.unwrap()
    }

    pub(crate) async fn revoke(&self, token: &str) {
        let request = v1::RevokeTokenRequest { id: id_of(token) };
        self.api(&self.admin).revoke_token(request).await.unwrap();
    }

    /// Calls a method with what is shown in as many headers.
    pub(crate) async fn call(
        &self,
        method: &str,
        message: Vec<u8>,
        shown: &[&[u8]],
    ) -> Result<Bytes, Status> {
        let found = METHODS.iter().find(|one| one.name == method).unwrap();
        raw::call_shown(&self.caller.channel, found, Bytes::from(message), shown).await
    }

    /// The same with one token.
    pub(crate) async fn call_as(
        &self,
        token: &str,
        method: &str,
        message: Vec<u8>,
    ) -> Result<Bytes, Status> {
        let shown = format!("Bearer {token}");
        self.call(method, message, &[shown.as_bytes()]).await
    }

    /// What was written down, the newest first, when `is_there` says that it is complete.
    pub(crate) async fn audit(
        &self,
        is_there: impl Fn(&[v1::AuditEvent]) -> bool,
    ) -> Vec<v1::AuditEvent> {
        let end = tokio::time::Instant::now() + Duration::from_secs(10);
        loop {
            let request = v1::ListAuditRequest {
                page_size: 1_000,
                ..v1::ListAuditRequest::default()
            };
            let events = self.api(&self.admin).list_audit(request).await;
            let events = events.unwrap().into_inner().events;
            if is_there(&events) {
                return events;
            }
            assert!(tokio::time::Instant::now() < end, "{events:#?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// The code word of a refusal, which agrees with its status.
pub(crate) fn word(status: &Status) -> String {
    let detail = v1::ErrorDetail::decode(status.details()).unwrap();
    let words = [
        ("UNAUTHENTICATED", Code::Unauthenticated),
        ("PERMISSION_DENIED", Code::PermissionDenied),
        ("NOT_FOUND", Code::NotFound),
        ("INVALID", Code::InvalidArgument),
        ("CONFLICT", Code::FailedPrecondition),
    ];
    assert!(
        words.contains(&(detail.code.as_str(), status.code())),
        "{status:?}"
    );
    detail.code
}
