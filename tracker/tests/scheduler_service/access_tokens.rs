//! Tokens themselves: when they end, what they cost, who guesses them, where their secrets are not, and the first one.

use std::time::Duration;

use futures::future::join_all;
use tickwheel_proto::v1;
use tokio::time::Instant;
use tonic::{Code, Request};

use crate::guarded::{Guarded, asking, guarded, id_of, scope, within, word};
use crate::harness::{Caller, after, api, configured, job, serving};

fn spec(name: &str) -> v1::JobSpec {
    job(name, api())
}

fn applying(names: &[&str]) -> v1::ApplyJobsRequest {
    v1::ApplyJobsRequest {
        jobs: names.iter().map(|name| spec(name)).collect(),
        dry_run: false,
        ..v1::ApplyJobsRequest::default()
    }
}

/// How long a token is still believed.
async fn refused_after(guarded: &Guarded, token: &str) -> Duration {
    let began = Instant::now();
    let mut api = guarded.api(token);
    loop {
        if let Err(status) = api.list_jobs(v1::ListJobsRequest::default()).await {
            assert_eq!(status.code(), Code::Unauthenticated, "{status:?}");
            return began.elapsed();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "it is still believed"
        );
    }
}

#[tokio::test]
async fn a_token_that_is_revoked_or_over_is_refused() {
    let Some(guarded) = guarded().await else {
        return;
    };
    let viewer = || within(v1::Role::Viewer, "a", "*");
    let revoked = guarded.make(viewer()).await;
    guarded
        .api(&revoked)
        .list_jobs(v1::ListJobsRequest::default())
        .await
        .unwrap();
    guarded.revoke(&revoked).await;
    let took = refused_after(&guarded, &revoked).await;
    assert!(took < Duration::from_secs(2), "{took:?}");

    let short = guarded
        .try_make(&guarded.admin, viewer(), Some(1_000))
        .await
        .unwrap();
    let took = refused_after(&guarded, &short).await;
    assert!((500..3_000).contains(&took.as_millis()), "{took:?}");

    let rotated = guarded.make(viewer()).await;
    let request = v1::RotateTokenRequest {
        id: id_of(&rotated),
        grace_ms: Some(1_000),
    };
    let made = guarded.api(&guarded.admin).rotate_token(request).await;
    let fresh = made.unwrap().into_inner().text;
    for token in [&rotated, &fresh] {
        guarded
            .api(token)
            .list_jobs(v1::ListJobsRequest::default())
            .await
            .unwrap();
    }
    refused_after(&guarded, &rotated).await;
    guarded
        .api(&fresh)
        .list_jobs(v1::ListJobsRequest::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn calls_of_a_known_token_cost_redis_nothing_more() {
    let Some(guarded) = guarded().await else {
        return;
    };
    let token = guarded.make(within(v1::Role::Viewer, "a", "*")).await;
    let mut api = guarded.api(&token);
    let preview = || v1::PreviewJobRequest {
        spec: Some(spec("a/one")),
        ..Default::default()
    };
    api.preview_job(preview()).await.unwrap();
    let began = Instant::now();
    let before = guarded.caller.calls("hget").await;
    for _ in 0..200 {
        api.preview_job(preview()).await.unwrap();
    }
    let looked = guarded.caller.calls("hget").await - before;
    // Heartbeats have two each, ten a second; the token is read again each 400 ms; other tests share the server.
    let bound = 200 + began.elapsed().as_millis();
    assert!(u128::from(looked) < bound, "{looked} looks for 200 calls");
}

#[tokio::test]
async fn hostile_headers_are_refused() {
    let Some(guarded) = guarded().await else {
        return;
    };
    let good = format!("Bearer {}", guarded.admin);
    let huge = format!("Bearer tw_{}", "A".repeat(8_000));
    let binary: Vec<u8> = (128..=255).collect();
    let many: Vec<&[u8]> = vec![b"Bearer tw_abcdefgh_A"; 40];
    let shown: [&[&[u8]]; 7] = [
        &[huge.as_bytes()],
        &[&binary],
        &many,
        &[good.as_bytes(), good.as_bytes()],
        &[b""],
        &[b"Bearer"],
        &[guarded.admin.as_bytes()],
    ];
    let calls = shown.map(|shown| guarded.call("ListJobs", Vec::new(), shown));
    for answer in join_all(calls).await {
        assert_eq!(word(&answer.unwrap_err()), "UNAUTHENTICATED");
    }
    guarded
        .call("ListJobs", Vec::new(), &[good.as_bytes()])
        .await
        .unwrap();
}

#[tokio::test]
async fn who_guesses_waits_and_nobody_else_does() {
    let Some(guarded) = guarded().await else {
        return;
    };
    let began = Instant::now();
    let guesses = (0..60).map(|n| {
        let shown = format!("Bearer tw_abcdef{n:06}_{}", "A".repeat(43));
        let guarded = &guarded;
        async move {
            guarded
                .call("ListJobs", Vec::new(), &[shown.as_bytes()])
                .await
        }
    });
    let honest = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let asked = Instant::now();
        let mut admin = guarded.api(&guarded.admin);
        admin
            .list_jobs(v1::ListJobsRequest::default())
            .await
            .unwrap();
        asked.elapsed()
    };
    let (guessed, waited) = tokio::join!(join_all(guesses), honest);
    assert!(
        began.elapsed() > Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    assert!(waited < Duration::from_millis(900), "{waited:?}");
    for answer in guessed {
        let code = answer.unwrap_err().code();
        assert!(
            [Code::Unauthenticated, Code::ResourceExhausted].contains(&code),
            "{code:?}"
        );
    }
    let told = |events: &[v1::AuditEvent]| {
        let guesses = events
            .iter()
            .filter(|event| event.result == "UNAUTHENTICATED");
        guesses.map(|event| event.count).sum::<u64>() >= 20
    };
    let events = guarded.audit(told).await;
    let guesses: Vec<_> = events
        .iter()
        .filter(|event| event.result == "UNAUTHENTICATED")
        .collect();
    assert!(
        guesses.len() < 10,
        "those that are alike are one: {guesses:?}"
    );
    assert!(guesses.iter().all(|event| event.token_id.is_empty()));
}

#[tokio::test]
async fn a_secret_is_nowhere_but_with_who_was_given_it() {
    let Some(guarded) = guarded().await else {
        return;
    };
    let token = guarded.make(scope(v1::Role::Admin)).await;
    let (_, secret) = token.split_at(token.len() - 43);
    let mut api = guarded.api(&token);
    api.apply_jobs(applying(&["a/one"])).await.unwrap();
    let mut told = Vec::new();
    // A token where something else belongs.
    let wrong = api
        .revoke_token(v1::RevokeTokenRequest { id: token.clone() })
        .await;
    told.push(format!("{:?}", wrong.unwrap_err()));
    let almost = format!("Bearer {token}x");
    let refused = guarded
        .call("ListJobs", Vec::new(), &[almost.as_bytes()])
        .await;
    told.push(format!("{:?}", refused.unwrap_err()));
    let tokens = api.list_tokens(v1::ListTokensRequest::default()).await;
    told.push(format!("{:?}", tokens.unwrap()));
    let events = guarded.audit(|events| !events.is_empty()).await;
    told.push(format!("{events:?}"));
    let keys = ["tokens", "audit", "tokens_used"];
    for (key, command) in keys.iter().zip(["HGETALL", "XRANGE", "HGETALL"]) {
        let range = if command == "XRANGE" { " - +" } else { "" };
        let line = format!("{command} {}{range}", guarded.caller.key(key));
        told.push(guarded.caller.redis(&line).await);
    }
    assert!(
        told.iter().any(|text| text.contains("a test")),
        "it is looked at"
    );
    for text in told {
        assert!(!text.contains(secret), "{text}");
    }
}

async fn bootstrapped(folder: &tempfile::TempDir) -> Option<(Caller, String)> {
    let config = tickwheel_tracker::Config {
        prefix: "boot".to_owned(),
        ..asking(folder)?
    };
    let caller = serving(config).await;
    let token = std::fs::read_to_string(folder.path().join("admin.token"));
    Some((caller, token.unwrap_or_default()))
}

#[tokio::test]
async fn the_first_token_is_made_once_and_its_file_is_read_again() {
    let (one, two) = (
        tempfile::TempDir::new().unwrap(),
        tempfile::TempDir::new().unwrap(),
    );
    let Some((_first, token)) = bootstrapped(&one).await else {
        return;
    };
    let (_second, again) = bootstrapped(&one).await.unwrap();
    assert!(!token.is_empty() && token == again);
    let (third, none) = bootstrapped(&two).await.unwrap();
    assert_eq!(none, "", "there is an admin: nothing is made");
    let mut api = third.rpc.clone();
    let mut request = Request::new(v1::ListTokensRequest::default());
    let shown = format!("Bearer {}", token.trim()).parse().unwrap();
    request.metadata_mut().insert("authorization", shown);
    let tokens = api.list_tokens(request).await.unwrap().into_inner().tokens;
    assert_eq!(tokens.len(), 1);
    assert_eq!(tokens[0].name, "bootstrap");
}

#[tokio::test]
async fn an_open_tracker_asks_nobody_and_listens_on_loopback_only() {
    let Some(config) = configured() else { return };
    let mut caller = serving(config.clone()).await;
    caller
        .apply(vec![spec("a/one"), job("a/two", after("a/one"))])
        .await
        .unwrap();
    let request = v1::MakeTokenRequest {
        scope: Some(scope(v1::Role::Viewer)),
        ..Default::default()
    };
    caller.rpc.make_token(request).await.unwrap();
    let far = tickwheel_tracker::Config {
        grpc_listen: ([0, 0, 0, 0], 0).into(),
        advertise_url: Some("http://h:1".to_owned()),
        ..config
    };
    let refused = tickwheel_tracker::Tracker::start(far).await.unwrap_err();
    assert!(
        refused.to_string().contains("access.insecure_listen"),
        "{refused}"
    );
}
