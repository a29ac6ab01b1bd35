//! What is asked about tokens, logins and the audit, over HTTP and over gRPC.

use serde_json::json;
use tickwheel_api::answers::{AuditPage, LoginLink, MadeToken, Revoked, TokenPage};
use tickwheel_api::routes::Operation;
use tickwheel_proto::v1;

use super::client::Http;
use super::twins::{Said, by_grpc, by_http, refused, shown};
use crate::guarded::scope;
use crate::harness::Caller;

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what it does not know is asked of others, and nobody's is a failure"
)]
pub(super) async fn about_access(
    operation: Operation,
    caller: &mut Caller,
    http: Http,
) -> Option<[Said; 2]> {
    let rpc = &mut caller.rpc;
    let wish = |name: &str| v1::MakeTokenRequest {
        name: name.to_owned(),
        scope: Some(scope(v1::Role::Viewer)),
        valid_ms: Some(60_000),
        ..v1::MakeTokenRequest::default()
    };
    let mut ids = Vec::new();
    if matches!(operation, Operation::RotateToken | Operation::RevokeToken) {
        for _ in 0..2 {
            let made = rpc.make_token(wish("twin")).await.unwrap().into_inner();
            ids.push(made.token.unwrap().id);
        }
    }
    Some(match operation {
        Operation::ListTokens => {
            rpc.make_token(wish("twin")).await.unwrap();
            let reply = http.get("/tokens").await;
            let request = v1::ListTokensRequest::default();
            [
                by_http(&reply),
                by_grpc::<_, TokenPage>(rpc.list_tokens(request).await),
            ]
        }
        Operation::MakeLoginLink => link(caller, http).await,
        Operation::MakeToken => {
            let body =
                json!({ "name": "http/me", "role": "viewer", "namespaces": ["*"], "valid": "1m" });
            let reply = http.post("/tokens", &body.to_string()).await;
            [
                by_http(&reply),
                by_grpc::<_, MadeToken>(rpc.make_token(wish("grpc/me")).await),
            ]
        }
        Operation::RotateToken => {
            let reply = http
                .post(&format!("/tokens/{}:rotate", ids[0]), r#"{"grace": "5s"}"#)
                .await;
            let request = v1::RotateTokenRequest {
                id: ids[1].clone(),
                grace_ms: Some(5_000),
            };
            [
                by_http(&reply),
                by_grpc::<_, MadeToken>(rpc.rotate_token(request).await),
            ]
        }
        Operation::RevokeToken => {
            let reply = http
                .ask("DELETE", &format!("/tokens/{}", ids[0]), &[], b"")
                .await;
            let id = ids[1].clone();
            let answer = rpc.revoke_token(v1::RevokeTokenRequest { id: id.clone() });
            let answer = answer.await.map(|_| shown(&Revoked { id }));
            [by_http(&reply), answer.map_err(|status| refused(&status))]
        }
        Operation::ListAudit => {
            let reply = http.get("/audit").await;
            let request = v1::ListAuditRequest::default();
            [
                by_http(&reply),
                by_grpc::<_, AuditPage>(rpc.list_audit(request).await),
            ]
        }
        _ => return None,
    })
}

async fn link(caller: &mut Caller, http: Http) -> [Said; 2] {
    let reply = http.post("/login-links", "").await;
    let request = v1::MakeLoginLinkRequest {};
    let answer = caller.rpc.make_login_link(request).await;
    [by_http(&reply), by_grpc::<_, LoginLink>(answer)]
}
