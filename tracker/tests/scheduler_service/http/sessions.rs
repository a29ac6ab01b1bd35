//! Browsers: logged in with a token, known by a cookie, and held to having meant what they change.

use tickwheel_api::routes::Operation;
use tickwheel_core::access::Role;
use tickwheel_proto::v1;

use super::client::{Http, Reply};
use crate::guarded::{Guarded, guarded, of_workers, scope, within};

async fn served() -> Option<(Guarded, Http)> {
    let guarded = guarded().await?;
    let address = guarded.caller.http.unwrap();
    Some((guarded, Http { address }))
}

/// What a browser sends back.
fn cookie(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{reply:?}");
    let set = reply.header("set-cookie").unwrap();
    assert!(
        set.contains("HttpOnly") && set.contains("SameSite=Strict"),
        "{set}"
    );
    set.split(';').next().unwrap().to_owned()
}

const OURS: [(&str, &str); 2] = [("sec-fetch-site", "same-origin"), ("tickwheel-csrf", "1")];

impl Http {
    async fn browse(self, cookie: &str, method: &str, path: &str, more: &[(&str, &str)]) -> Reply {
        let mut headers = vec![("cookie", cookie)];
        headers.extend_from_slice(more);
        self.ask(method, path, &headers, b"").await
    }
}

#[tokio::test]
async fn a_browser_is_what_its_token_is_until_it_logs_out() {
    let Some((guarded, http)) = served().await else {
        return;
    };
    let token = guarded.make(within(v1::Role::Operator, "a", "*")).await;
    let opened = http.ask_as(&token, "POST", "/session", "").await;
    let session = cookie(&opened);
    let said = opened.json();
    assert_eq!(said["scope"]["role"], "operator");
    assert!(said["ends_ms"].as_u64().unwrap() > 0);
    let operations = said["operations"].as_array().unwrap();
    assert!(operations.iter().any(|one| one == "PauseGroup"));
    assert!(!operations.iter().any(|one| one == "MakeToken"));
    let known = http.browse(&session, "GET", "/session", &[]).await;
    assert_eq!(known.json(), said);
    assert!(!session.contains(&token), "the cookie is not the token");
    assert_eq!(http.browse(&session, "GET", "/runs", &[]).await.status, 200);
    let hidden = http.browse(&session, "GET", "/jobs/b:job", &[]).await;
    assert_eq!(hidden.status, 404, "its reach is that of the token");
    let paused = http
        .browse(&session, "POST", "/groups/g:pause", &OURS)
        .await;
    assert_eq!(paused.status, 200, "{paused:?}");
    assert_eq!(paused.json()["paused_by"], said["token"]);
    // A session makes no other, and no program goes by one.
    let again = http.browse(&session, "POST", "/session", &OURS).await;
    assert_eq!(again.status, 403, "{again:?}");
    let closed = http.browse(&session, "DELETE", "/session", &OURS).await;
    assert_eq!(closed.status, 200, "{closed:?}");
    assert!(closed.header("set-cookie").unwrap().contains("Max-Age=0"));
    let over = http.browse(&session, "GET", "/session", &[]).await;
    assert_eq!(over.status, 401, "{over:?}");
    assert!(
        over.problem()["detail"]
            .as_str()
            .unwrap()
            .contains("log in")
    );
}

#[tokio::test]
async fn a_session_ends_with_its_token() {
    let Some((guarded, http)) = served().await else {
        return;
    };
    let token = guarded.make(scope(v1::Role::Viewer)).await;
    let session = cookie(&http.ask_as(&token, "POST", "/session", "").await);
    assert_eq!(http.browse(&session, "GET", "/jobs", &[]).await.status, 200);
    guarded.revoke(&token).await;
    let over = http.browse(&session, "GET", "/jobs", &[]).await;
    assert_eq!(over.status, 401, "{over:?}");
    // What is none is told the same, and who shows a token beside it is asked for that alone.
    for shown in ["tw=", "tw=garbage", &format!("{session}; {session}")] {
        let wrong = http.browse(shown, "GET", "/jobs", &[]).await;
        assert_eq!(wrong.status, 401, "{shown}: {wrong:?}");
    }
    let bearer = format!("Bearer {}", guarded.admin);
    let both = http
        .browse("tw=garbage", "GET", "/jobs", &[("authorization", &bearer)])
        .await;
    assert_eq!(both.status, 200, "{both:?}");
    let worker = guarded.make(of_workers("g")).await;
    let refused = http.ask_as(&worker, "POST", "/session", "").await;
    assert_eq!(refused.status, 403, "{refused:?}");
}

/// The path of an operation, with a name in it that nothing has.
fn path(operation: Operation) -> String {
    let path = operation.row().path;
    match (path.find('{'), path.find('}')) {
        (Some(from), Some(to)) => format!("{}none{}", &path[..from], &path[to + 1..]),
        _ => path.to_owned(),
    }
}

#[tokio::test]
async fn what_no_page_of_ours_sent_changes_nothing_by_a_session() {
    let Some((guarded, http)) = served().await else {
        return;
    };
    let token = guarded.make(scope(v1::Role::Admin)).await;
    let session = cookie(&http.ask_as(&token, "POST", "/session", "").await);
    let unmeant: [&[(&str, &str)]; 5] = [
        &[],
        &OURS[..1],
        &OURS[1..],
        &[("sec-fetch-site", "cross-site"), OURS[1]],
        &[OURS[0], OURS[1], ("origin", "http://evil.example")],
    ];
    for operation in Operation::ALL.iter().copied() {
        let (row, path) = (operation.row(), path(operation));
        if row.method.is_safe() {
            continue;
        }
        for headers in unmeant {
            let method = row.method.as_str();
            let reply = http.browse(&session, method, &path, headers).await;
            assert_eq!(reply.status, 403, "{operation:?} {headers:?}: {reply:?}");
            assert_eq!(reply.problem()["code"], "CSRF", "{operation:?}");
        }
        let lesser = guarded.make(scope(v1::Role::Viewer)).await;
        if row.role > Role::Viewer {
            let viewer = cookie(&http.ask_as(&lesser, "POST", "/session", "").await);
            let reply = http
                .browse(&viewer, row.method.as_str(), &path, &OURS)
                .await;
            assert_eq!(
                reply.problem()["code"],
                "PERMISSION_DENIED",
                "{operation:?}"
            );
        }
    }
    for headers in unmeant {
        let reply = http.browse(&session, "DELETE", "/session", headers).await;
        assert_eq!(reply.problem()["code"], "CSRF", "{headers:?}");
    }
    assert_eq!(
        http.browse(&session, "GET", "/session", &[]).await.status,
        200
    );
    // Those that were known by their session are written down.
    let told = |events: &[v1::AuditEvent]| events.iter().any(|one| one.result == "CSRF");
    guarded.audit(told).await;
}

impl Http {
    async fn log_in(self, code: &str, more: &[(&str, &str)]) -> Reply {
        let body = format!(r#"{{"code": "{code}"}}"#);
        self.ask("POST", "/session", more, body.as_bytes()).await
    }
}

#[tokio::test]
async fn a_link_logs_one_browser_in_as_who_made_it() {
    let Some((guarded, http)) = served().await else {
        return;
    };
    let token = guarded.make(within(v1::Role::Operator, "a", "*")).await;
    let made = http.ask_as(&token, "POST", "/login-links", "").await;
    assert_eq!(made.status, 200, "{made:?}");
    let code = made.json()["code"].as_str().unwrap().to_owned();
    let secret = token.splitn(3, '_').nth(2).unwrap();
    assert!(
        secret.len() > 20 && !code.contains(secret),
        "it has a secret of its own"
    );
    let asked = http
        .browse(&format!("tw={code}"), "GET", "/jobs", &[])
        .await;
    assert_eq!(asked.status, 401, "a link is no session: {asked:?}");
    let bearer = http.ask_as(&code, "GET", "/jobs", "").await;
    assert_eq!(bearer.status, 401, "nor a token: {bearer:?}");
    let opened = http.log_in(&code, &[]).await;
    let session = cookie(&opened);
    assert_eq!(opened.json()["scope"]["role"], "operator");
    assert_eq!(opened.json()["token"], code_of(&token));
    assert_eq!(http.browse(&session, "GET", "/runs", &[]).await.status, 200);
    assert_eq!(
        http.browse(&session, "GET", "/jobs/b:job", &[])
            .await
            .status,
        404
    );
    let again = http.log_in(&code, &[]).await;
    assert_eq!(again.status, 401, "{again:?}");
    assert!(
        again.problem()["detail"]
            .as_str()
            .unwrap()
            .contains("tickwheel console")
    );
    // What a browser may, makes no more of it.
    let more = http.browse(&session, "POST", "/login-links", &OURS).await;
    assert_eq!(more.status, 403, "{more:?}");
    guarded.revoke(&token).await;
    assert_eq!(http.browse(&session, "GET", "/runs", &[]).await.status, 401);
}

/// The id of a token.
fn code_of(token: &str) -> String {
    crate::guarded::id_of(token)
}

#[tokio::test]
async fn what_is_no_link_logs_nobody_in() {
    let Some((guarded, http)) = served().await else {
        return;
    };
    let token = guarded.make(scope(v1::Role::Viewer)).await;
    for wrong in ["", "x", "tw_abcdefgh2345"] {
        let refused = http.log_in(wrong, &[]).await;
        assert_eq!(refused.fields(), ["code"], "{wrong}");
    }
    let refused = http.log_in(&token, &[]).await;
    assert_eq!(refused.status, 401, "a token is no link: {refused:?}");
    let made = http.ask_as(&token, "POST", "/login-links", "").await;
    let code = made.json()["code"].as_str().unwrap().to_owned();
    let foreign = http
        .log_in(&code, &[("sec-fetch-site", "cross-site")])
        .await;
    assert_eq!(foreign.status, 403, "{foreign:?}");
    let body = format!(r#"{{"code": "{code}"}}"#);
    let plain = [("content-type", "text/plain")];
    let typed = http.ask("POST", "/session", &plain, body.as_bytes()).await;
    assert_eq!(typed.status, 415, "{typed:?}");
    let long = format!(r#"{{"code": "{}"}}"#, "x".repeat(2_000));
    let long = http.ask("POST", "/session", &[], long.as_bytes()).await;
    assert_eq!(long.status, 413, "{long:?}");
    assert_eq!(
        http.log_in(&code, &[]).await.status,
        200,
        "it is still good"
    );
    let worker = guarded.make(of_workers("g")).await;
    let refused = http.ask_as(&worker, "POST", "/login-links", "").await;
    assert_eq!(refused.status, 403, "{refused:?}");
}
