//! Who asks for more in a second than it may: it is refused, told when it passes, and nobody else notices.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use prost::Message as _;
use tickwheel_proto::v1;
use tickwheel_tracker::Config;
use tickwheel_tracker::config::{Quota, Quotas, Rates};
use tokio::time::{Instant, sleep};
use tonic::{Code, Status};

use crate::access_workers::{come, hello};
use crate::guarded::{Api, Guarded, api_at, guarded_with, id_of, of_workers, scope, within};
use crate::harness::{api as manual, configured, invalid, job, serving, submission};

const LIMIT: Duration = Duration::from_secs(20);

/// Nobody is held to anything but what is said.
fn with(rates: Rates) -> impl FnOnce(Config) -> Config {
    |config| Config { rates, ..config }
}

fn viewers(calls: u32) -> Rates {
    Rates {
        viewer_calls: calls,
        ..Rates::unlimited()
    }
}

async fn ask(api: &mut Api) -> Result<(), Status> {
    let asked = v1::ListLimitsRequest::default();
    api.list_limits(asked).await.map(drop)
}

/// Asks until it is refused; how often it was answered.
async fn answered(api: &mut Api) -> u64 {
    let mut answers = 0;
    while ask(api).await.is_ok() {
        answers += 1;
        assert!(answers < 100_000, "nothing is refused");
    }
    answers
}

/// The violation of a refusal, and after how long it passes.
fn throttled(status: &Status) -> (v1::Violation, Duration) {
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    let detail = v1::ErrorDetail::decode(status.details()).unwrap();
    assert_eq!(detail.code, "EXHAUSTED");
    let pushed = status.metadata().get("grpc-retry-pushback-ms").unwrap();
    assert_eq!(pushed.to_str().unwrap(), detail.retry_after_ms.to_string());
    assert!(detail.retry_after_ms > 0);
    let [violation] = <[v1::Violation; 1]>::try_from(detail.violations).unwrap();
    (violation, Duration::from_millis(detail.retry_after_ms))
}

/// A counter of refusals, as a scrape has it.
async fn counted(guarded: &Guarded, class: &str, of: &str) -> u64 {
    counted_at(guarded.caller.http.unwrap(), class, of).await
}

async fn counted_at(address: SocketAddr, class: &str, of: &str) -> u64 {
    let text = crate::http::scrape(address).await;
    let name = format!("tickwheel_quota_refused_total{{class=\"{class}\",of=\"{of}\"}} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&name));
    line.unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_token_that_floods_is_refused_and_every_call_of_others_is_answered() {
    let Some(guarded) = guarded_with(with(viewers(50))).await else {
        return;
    };
    let (flooding, quiet) = (
        guarded.make(scope(v1::Role::Viewer)).await,
        guarded.make(scope(v1::Role::Viewer)).await,
    );
    assert_eq!(counted(&guarded, "viewer", "calls").await, 0);
    let stop = Arc::new(AtomicBool::new(false));
    let refused = Arc::new(AtomicU64::new(0));
    let floods: Vec<_> = (0..4)
        .map(|_| {
            let mut api = guarded.api(&flooding);
            let (stop, refused) = (Arc::clone(&stop), Arc::clone(&refused));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    if let Err(status) = ask(&mut api).await {
                        throttled(&status);
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    let mut api = guarded.api(&quiet);
    for _ in 0..60 {
        let before = refused.load(Ordering::Relaxed);
        ask(&mut api).await.unwrap();
        let end = Instant::now() + LIMIT;
        while refused.load(Ordering::Relaxed) < before + 4 {
            assert!(Instant::now() < end, "the flood is let in");
            tokio::task::yield_now().await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    for flood in floods {
        flood.await.unwrap();
    }
    let told = refused.load(Ordering::Relaxed);
    let end = Instant::now() + LIMIT;
    // Metrics are written out once a second.
    while counted(&guarded, "viewer", "calls").await != told {
        assert!(Instant::now() < end, "not all of {told} are counted");
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(counted(&guarded, "admin", "calls").await, 0);
}

#[tokio::test]
async fn who_waits_as_it_is_told_is_answered_and_a_refusal_asks_redis_nothing() {
    let Some(guarded) = guarded_with(with(viewers(20))).await else {
        return;
    };
    let token = guarded.make(scope(v1::Role::Viewer)).await;
    let mut api = guarded.api(&token);
    let answers = answered(&mut api).await;
    assert!(answers >= 40, "two seconds' worth at once: {answers}");
    let (violation, wait) = throttled(&ask(&mut api).await.unwrap_err());
    assert_eq!(violation.field, "token");
    assert_eq!(violation.given, id_of(&token));
    assert!(
        violation.rule.contains("at most 20 calls a second") && violation.rule.contains("wait "),
        "{violation:?}"
    );
    assert!(
        wait <= Duration::from_millis(50),
        "one call comes each 50 ms"
    );
    sleep(wait).await;
    ask(&mut api).await.unwrap();
    let (before, began) = (guarded.caller.commands().await, Instant::now());
    let mut refused = 0;
    while refused < 2_000 {
        refused += u64::from(ask(&mut api).await.is_err());
    }
    // What is let in meanwhile, and what a tracker asks by itself.
    let seconds = began.elapsed().as_secs() + 1;
    let commands = guarded.caller.commands().await - before;
    assert!(
        commands < 1_000 * seconds && commands < refused,
        "{commands} in {seconds} s"
    );
}

#[tokio::test]
async fn what_is_refused_is_not_written() {
    let rates = Rates {
        submitter_calls: 10,
        ..Rates::unlimited()
    };
    let Some(guarded) = guarded_with(with(rates)).await else {
        return;
    };
    let token = guarded.make(scope(v1::Role::Submitter)).await;
    let mut api = guarded.api(&token);
    let (mut written, mut refused) = (0, 0);
    while refused < 20 {
        let contexts = vec![submission(3_600_000)];
        match api.submit(v1::SubmitRequest { contexts }).await {
            Ok(_) => written += 1,
            Err(status) => {
                throttled(&status);
                refused += 1;
            }
        }
    }
    let request = v1::ListContextsRequest {
        page_size: 1_000,
        ..v1::ListContextsRequest::default()
    };
    let listed = guarded.api(&guarded.admin).list_contexts(request).await;
    assert_eq!(listed.unwrap().into_inner().contexts.len(), written);
}

#[tokio::test]
async fn bytes_are_counted_and_who_sent_too_many_waits() {
    let rates = Rates {
        bytes: 64 << 10,
        ..Rates::unlimited()
    };
    let Some(guarded) = guarded_with(with(rates)).await else {
        return;
    };
    let (large, small) = (
        guarded.make(scope(v1::Role::Submitter)).await,
        guarded.make(scope(v1::Role::Submitter)).await,
    );
    let with_body = |bytes: usize| v1::SubmitRequest {
        contexts: vec![v1::Submission {
            body: vec![b'x'; bytes].into(),
            ..submission(3_600_000)
        }],
    };
    let mut api = guarded.api(&large);
    // A message larger than what may come at once passes, and is paid for.
    api.submit(with_body(200 << 10)).await.unwrap();
    let (violation, wait) = throttled(&api.submit(with_body(1)).await.unwrap_err());
    assert!(
        violation.rule.contains("at most 65536 bytes a second"),
        "{violation:?}"
    );
    assert!(wait > Duration::from_millis(500), "{wait:?}");
    guarded.api(&small).submit(with_body(1)).await.unwrap();
    assert_eq!(counted(&guarded, "submitter", "bytes").await, 1);
    sleep(wait).await;
    api.submit(with_body(1)).await.unwrap();
}

#[tokio::test]
async fn a_rate_is_shared_by_two_trackers() {
    let mut shared = None;
    let rates = viewers(100);
    let guarded = guarded_with(|config| {
        let config = Config { rates, ..config };
        shared = Some(config.clone());
        config
    });
    let Some(guarded) = guarded.await else {
        return;
    };
    let alone = guarded.make(scope(v1::Role::Viewer)).await;
    assert!(answered(&mut guarded.api(&alone)).await >= 200);
    let second = serving(shared.unwrap()).await;
    let token = guarded.make(scope(v1::Role::Viewer)).await;
    let mut both = [guarded.api(&token), api_at(&second, &token)];
    for tracker in [guarded.api(&guarded.admin), api_at(&second, &guarded.admin)] {
        knows_both(tracker).await;
    }
    for api in &mut both {
        let began = Instant::now();
        let answers = answered(api).await;
        // Half of 100 a second: a hundred at once, and what comes meanwhile.
        let more = u64::try_from(began.elapsed().as_millis() / 20).unwrap() + 1;
        assert!((100..=100 + more).contains(&answers), "{answers} + {more}");
    }
}

/// Waits until a tracker has heard of both.
async fn knows_both(mut api: Api) {
    let end = Instant::now() + LIMIT;
    loop {
        let overview = api.get_overview(v1::GetOverviewRequest {}).await;
        if overview.unwrap().into_inner().totals.unwrap().trackers == 2 {
            return;
        }
        assert!(Instant::now() < end, "the trackers do not know each other");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn workers_come_whatever_their_token_was_shown_for() {
    let Some(guarded) = guarded_with(with(viewers(1))).await else {
        return;
    };
    let token = guarded.make(of_workers("g")).await;
    // Calls of a worker are refused, and then too many.
    let mut api = guarded.api(&token);
    let codes = async |api: &mut Api| ask(api).await.unwrap_err().code();
    let end = Instant::now() + LIMIT;
    while codes(&mut api).await != Code::ResourceExhausted {
        assert!(Instant::now() < end, "its calls are not counted");
    }
    let mut streams = Vec::new();
    for number in 0..20 {
        let worker_id = format!("mill-{number:08}");
        let hello = v1::Hello {
            worker_id,
            ..hello()
        };
        streams.push(come(&guarded, Some(&token), hello).await.unwrap());
    }
    assert_eq!(streams.len(), 20);
}

#[tokio::test]
async fn whoever_knows_an_id_alone_spends_nothing_of_its_token() {
    let Some(guarded) = guarded_with(with(viewers(1))).await else {
        return;
    };
    let token = guarded.make(scope(v1::Role::Viewer)).await;
    let secret = token.rsplit('_').next().unwrap();
    let wrong = token.replace(secret, &"A".repeat(secret.len()));
    for _ in 0..3 {
        let status = ask(&mut guarded.api(&wrong)).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
    }
    let mut api = guarded.api(&token);
    ask(&mut api).await.unwrap();
    ask(&mut api).await.unwrap();
}

/// Contexts of these namespaces, an hour ahead.
fn contexts(namespaces: &[&str]) -> Vec<v1::Submission> {
    let of = |namespace: &&str| v1::Submission {
        namespace: (*namespace).to_owned(),
        ..submission(3_600_000)
    };
    namespaces.iter().map(of).collect()
}

#[tokio::test]
async fn a_namespace_is_submitted_so_many_contexts_a_second_and_others_do_not_notice() {
    let Some(config) = configured() else {
        return;
    };
    let quotas = Quotas {
        contexts_per_second: Quota {
            default: 0,
            namespaces: [("a".to_owned(), 20)].into(),
        },
        ..Quotas::default()
    };
    let mut caller = serving(Config {
        quotas,
        http_listen: Some(([127, 0, 0, 1], 0).into()),
        ..config
    })
    .await;
    caller.apply(vec![job("a/run", manual())]).await.unwrap();
    // More than may come at once passes, and is paid for by what comes behind it.
    let first = caller.submit(contexts(&["a"; 80])).await.unwrap();
    assert_eq!(first.len(), 80);
    let mixed = contexts(&["b", "a", "b", "a"]);
    let (violation, wait) = throttled(&caller.submit(mixed.clone()).await.unwrap_err());
    assert_eq!(violation.field, "contexts[1].namespace");
    assert_eq!(violation.given, "a (2 contexts)");
    assert!(
        violation.rule.contains("at most 20 contexts a second"),
        "{violation:?}"
    );
    assert!(
        wait > Duration::from_secs(1),
        "80 are paid in 4 s: {wait:?}"
    );
    let (violation, _) = throttled(&caller.run("a/run").await.unwrap_err());
    assert_eq!(violation.field, "name");
    for _ in 0..100 {
        caller.submit(contexts(&["b"; 10])).await.unwrap();
    }
    let address = caller.http.unwrap();
    assert_eq!(counted_at(address, "namespace", "contexts").await, 2);
    let mut written = [("a", 0), ("b", 0)];
    for (namespace, count) in &mut written {
        let mut cursor = String::new();
        loop {
            let request = v1::ListContextsRequest {
                page_size: 1_000,
                cursor,
                ..v1::ListContextsRequest::default()
            };
            let page = caller
                .rpc
                .list_contexts(request)
                .await
                .unwrap()
                .into_inner();
            let of = |one: &&v1::Context| one.id.ends_with(&format!("@{namespace}/"));
            *count += page.contexts.iter().filter(of).count();
            cursor = page.next_cursor;
            if cursor.is_empty() {
                break;
            }
        }
    }
    assert_eq!(written, [("a", 80), ("b", 1_000)]);
    sleep(wait).await;
    caller.submit(mixed).await.unwrap();
}

#[tokio::test]
async fn a_token_has_its_own_rate_and_nobody_gives_more_than_it_has() {
    let Some(guarded) = guarded_with(with(viewers(50))).await else {
        return;
    };
    let wish = |scope: v1::Scope, calls: u32, bytes: u32| v1::MakeTokenRequest {
        name: "own".to_owned(),
        scope: Some(scope),
        calls_per_second: calls,
        bytes_per_second: bytes,
        ..v1::MakeTokenRequest::default()
    };
    let viewer = || within(v1::Role::Viewer, "a", "*");
    let mut admin = guarded.api(&guarded.admin);
    let made = admin.make_token(wish(viewer(), 500, 0)).await.unwrap();
    let made = made.into_inner();
    assert_eq!(made.token.unwrap().calls_per_second, 500);
    assert!(answered(&mut guarded.api(&made.text)).await >= 1_000);
    let slow = admin.make_token(wish(viewer(), 2, 1 << 20)).await.unwrap();
    let slow = slow.into_inner().text;
    let mut api = guarded.api(&slow);
    let answers = answered(&mut api).await;
    assert!((4..20).contains(&answers), "{answers}");
    let (violation, _) = throttled(&ask(&mut api).await.unwrap_err());
    assert!(
        violation.rule.contains("at most 2 calls a second"),
        "{violation:?}"
    );
    let listed = admin.list_tokens(v1::ListTokensRequest::default()).await;
    let listed = listed.unwrap().into_inner().tokens;
    let shown = listed.iter().find(|one| one.id == id_of(&slow)).unwrap();
    assert_eq!(
        (shown.calls_per_second, shown.bytes_per_second),
        (2, 1 << 20)
    );

    // Of one namespace: what the role has, and less.
    let of_one = guarded.make(within(v1::Role::Admin, "a", "*")).await;
    let mut of_one = guarded.api(&of_one);
    of_one.make_token(wish(viewer(), 50, 0)).await.unwrap();
    let refused = of_one.make_token(wish(viewer(), 51, 0)).await.unwrap_err();
    assert_eq!(denied(&refused), ["calls_per_second"]);
    // With own rates: no more than those, and not what the role has either.
    let own = wish(within(v1::Role::Admin, "a", "*"), 40, 1 << 20);
    let own = admin.make_token(own).await.unwrap().into_inner().text;
    let mut own = guarded.api(&own);
    own.make_token(wish(viewer(), 40, 1 << 20)).await.unwrap();
    let refused = own.make_token(wish(viewer(), 0, 0)).await.unwrap_err();
    assert_eq!(denied(&refused), ["calls_per_second", "bytes_per_second"]);
    let refused = own
        .make_token(wish(viewer(), 41, 1 << 20))
        .await
        .unwrap_err();
    assert_eq!(denied(&refused), ["calls_per_second"]);
    // What is made for workers is held to none, so anybody may give it.
    own.make_token(wish(of_workers("g"), 0, 0)).await.unwrap();
    // What is none is refused as such.
    for (wrong, field) in [
        (wish(viewer(), 0, 5), "bytes_per_second"),
        (wish(viewer(), u32::MAX, 0), "calls_per_second"),
        (wish(of_workers("g"), 5, 0), "calls_per_second"),
    ] {
        let answer = admin.make_token(wrong).await;
        assert_eq!(invalid(answer), [field]);
    }
}

fn denied(status: &Status) -> Vec<String> {
    assert_eq!(status.code(), Code::PermissionDenied, "{status:?}");
    let detail = v1::ErrorDetail::decode(status.details()).unwrap();
    let fields = detail.violations.into_iter().map(|one| one.field);
    fields.collect()
}
