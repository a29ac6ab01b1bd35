//! Every code, over the wire. How a request is read is tested beside what reads it.

use std::time::Duration;

use tickwheel_proto::v1;
use tickwheel_proto::v1::trigger::Kind;
use tickwheel_tracker::config::Xcron;

use super::super::client::{Http, served};
use super::client::{URL, code, create, delete, id_of, post, query, task};
use crate::guarded::guarded;
use crate::harness::{Caller, after, api, configured, deleting, job, on_its_own, once, serving};

async fn jobs(caller: &mut Caller) -> usize {
    let request = v1::ListJobsRequest {
        page_size: 1_000,
        ..v1::ListJobsRequest::default()
    };
    let listed = caller.rpc.list_jobs(request).await.unwrap();
    listed.into_inner().jobs.len()
}

#[tokio::test]
async fn a_wrong_task_is_refused_by_its_code_and_nothing_is_written() {
    let Some((mut caller, http)) = served().await else {
        return;
    };
    let now = caller.now().await / 1_000;
    let with_url =
        |url: &str| format!(r#"{{"type":2,"format":"4102444800","callback":{{"url":"{url}"}}}}"#);
    for (request, expected, part) in [
        ("{\"type\":2,".to_owned(), 1000, "is JSON"),
        (task(3, "4102444800"), 1020, "type: is 1 (periodic"),
        (task(2, "0 1 * * *"), 1001, "a crontab is type 1"),
        (task(1, "4102444800"), 1001, "a unix time is type 2"),
        (task(2, "410244480"), 1001, "10 digits"),
        (task(2, "41024448.0"), 1002, "10 digits"),
        (task(2, &(now - 2).to_string()), 1002, "is not in the past"),
        (task(2, "1000000000"), 1002, "by the clock of the cluster"),
        (task(1, "61 1 * * *"), 1010, "format: "),
        (task(1, "0 0 30 2 *"), 1010, "never fires"),
        (with_url(""), 1003, "callback.url: is missing"),
        (with_url("file:///etc/passwd"), 1003, "begins with http"),
        (
            with_url("http://169.254.169.254/latest"),
            1003,
            "not public",
        ),
        (
            with_url("http://example.com:6379/"),
            1003,
            "http_handler.ports",
        ),
    ] {
        let (code, message) = code(&create(http, &request).await);
        assert_eq!(code, expected, "{request}: {message}");
        assert!(message.contains(part), "{request}: {message}");
    }
    assert_eq!(jobs(&mut caller).await, 0);
    // This very second is not past.
    let created = create(
        http,
        &task(2, &caller.now().await.div_ceil(1_000).to_string()),
    )
    .await;
    id_of(&created);
    assert_eq!(jobs(&mut caller).await, 1);
}

#[tokio::test]
async fn a_body_says_that_it_is_json_is_short_and_is_there_only_where_it_belongs() {
    let Some((mut caller, http)) = served().await else {
        return;
    };
    let request = task(1, "0 1 * * *");
    let plain = [("Content-Type", "text/plain")];
    let refused = post(http, "createTask", &plain, request.as_bytes()).await;
    assert_eq!(code(&refused).0, 1000, "{refused}");
    // Of the longest body that may come, all is kept; one byte more is too much.
    let padding = 262_144 - task(1, "0 1 * * *").len();
    let filled = |more: usize| {
        let body = format!(r#"{{"n":1{}}}"#, " ".repeat(padding + more));
        request.replace(r#"{"n":1}"#, &body)
    };
    assert_eq!(filled(0).len(), 262_144);
    id_of(&create(http, &filled(0)).await);
    let (code_, message) = code(&create(http, &filled(1)).await);
    assert_eq!(code_, 1000);
    assert!(message.contains("at most 262144 bytes"), "{message}");
    let asked = http
        .ask_at("GET", "/xcron/queryTask?task_id=1", &[], b"{}")
        .await;
    assert_eq!(code(&super::client::envelope(&asked)).0, 1000);
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    let deep = request.replace(r#"{"n":1}"#, &format!(r#"{{"n":{deep}}}"#));
    assert_eq!(code(&create(http, &deep).await).0, 1000);
    assert_eq!(jobs(&mut caller).await, 1);
}

#[tokio::test]
async fn what_is_no_task_is_not_there_for_its_clients() {
    let Some((mut caller, http)) = served().await else {
        return;
    };
    let other = |name: &str, kind: Kind, handler: &str| v1::JobSpec {
        group: "xcron".to_owned(),
        handler: handler.to_owned(),
        ..job(name, kind)
    };
    let at = caller.now().await + 3_600_001;
    let put = vec![
        other("xcron/manual", api(), "http"),
        other("xcron/other", once(at / 1_000 * 1_000), "close"),
        other("xcron/half", once(at | 1), "http"),
        other("other/task", once(at / 1_000 * 1_000), "http"),
    ];
    caller.apply(put).await.unwrap();
    for id in ["manual", "other", "half", "task", "nobody"] {
        for answer in [query(http, id).await, delete(http, id).await] {
            let (code, message) = code(&answer);
            assert_eq!(code, 1404, "{id}");
            assert_eq!(message, format!("there is no task {id}"));
        }
    }
    assert_eq!(jobs(&mut caller).await, 4);
    // One that somebody wrote like a task is one, and whoever follows it does not hold it.
    let like = v1::JobSpec {
        body: br#"{"url": "https://a.example/", "body": [1], "method": "PUT"}"#
            .to_vec()
            .into(),
        ..other("xcron/like", once(at / 1_000 * 1_000), "http")
    };
    let follower = job("xcron/follower", after("xcron/like"));
    caller.apply(vec![like, follower]).await.unwrap();
    let shown = query(http, "like").await;
    assert_eq!(shown["data"]["callback"]["url"], "https://a.example/");
    assert_eq!(shown["data"]["callback"]["body"], serde_json::json!({}));
    assert_eq!(delete(http, "like").await["code"], 0);
    caller
        .rpc
        .delete_job(deleting("xcron/follower", true))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_task_is_made_as_it_is_configured_and_paths_can_be_turned_off() {
    let Some(mut config) = configured() else {
        return;
    };
    config.http_listen = Some(([127, 0, 0, 1], 0).into());
    config.xcron = Xcron {
        zone: "Asia/Shanghai".to_owned(),
        max_attempts: 4,
        retry_delay: Duration::from_millis(1_500),
        ..Xcron::default()
    };
    config.xcron.guard.allow = "10.1.0.0/16".parse().unwrap();
    let mut caller = serving(config.clone()).await;
    let http = Http {
        address: caller.http.unwrap(),
    };
    let request = task(1, "0 1 * * *").replace(URL, "http://10.1.2.3/clear");
    let id = id_of(&create(http, &request).await);
    let spec = caller.job(&format!("xcron/{id}")).await.unwrap();
    let spec = spec.spec.unwrap();
    let Some(Kind::Cron(cron)) = spec.trigger.unwrap().kind else {
        panic!("no crontab");
    };
    assert_eq!(cron.time_zone, "Asia/Shanghai");
    let retry = spec.options.unwrap().retry.unwrap();
    assert_eq!((retry.max_attempts, retry.delay_ms), (4, 1_500));

    config.xcron.enabled = false;
    config.prefix += "-off";
    let caller = serving(config).await;
    let http = Http {
        address: caller.http.unwrap(),
    };
    let reply = http
        .ask_at("POST", "/xcron/createTask", &[], request.as_bytes())
        .await;
    assert_eq!(reply.status, 404);
}

#[tokio::test]
async fn who_shows_too_much_that_is_no_token_is_told_so() {
    let Some(guarded) = guarded().await else {
        return;
    };
    let http = Http {
        address: guarded.caller.http.unwrap(),
    };
    let shown = |number: u32| async move {
        let token = format!("Bearer tw_k3m9x2ab{number:04}_{}", "A".repeat(43));
        let headers = [("Authorization", token.as_str())];
        code(&post(http, "deleteTask", &headers, b"{}").await).0
    };
    // Some are looked up at once, and further ones each after the other; many of these do not wait.
    let first = futures::future::join_all((0..20).map(shown)).await;
    assert!(first.contains(&1401), "{first:?}");
    let then = futures::future::join_all((20..120).map(shown)).await;
    assert!(then.contains(&1429), "{then:?}");
    let known = |code: &u64| [1401, 1429].contains(code);
    assert!(first.iter().chain(&then).all(known), "{first:?} {then:?}");
}

#[tokio::test]
async fn a_store_that_is_full_damaged_or_away_is_told() {
    let Some((mut config, server)) = on_its_own() else {
        return;
    };
    config.http_listen = Some(([127, 0, 0, 1], 0).into());
    let caller = serving(config).await;
    let http = Http {
        address: caller.http.unwrap(),
    };
    let request = task(1, "0 1 * * *");
    let (id, damaged) = (
        id_of(&create(http, &request).await),
        id_of(&create(http, &request).await),
    );
    caller.redis("CONFIG SET maxmemory 1mb").await;
    let (full, message) = code(&create(http, &request).await);
    assert_eq!((full, message.contains("full")), (1004, true), "{message}");
    // What makes room goes on.
    assert_eq!(delete(http, &id).await["code"], 0);
    caller.redis("CONFIG SET maxmemory 0").await;

    for partition in 0..4 {
        let key = caller.key(&format!("job:xcron/{damaged}"));
        let key = key.replace('}', &format!(":{partition}}}"));
        if caller.redis(&format!("DEL {key}")).await.contains(":1") {
            caller.redis(&format!("SET {key} x")).await;
        }
    }
    for answer in [query(http, &damaged).await, delete(http, &damaged).await] {
        let (broken, message) = code(&answer);
        assert_eq!(broken, 1500, "{message}");
        assert!(message.contains("damaged") && !message.contains("lua"));
    }

    drop(server);
    let (away, message) = code(&create(http, &request).await);
    assert_eq!(away, 1503, "{message}");
    assert!(message.contains("queryTask of "), "{message}");
    for answer in [query(http, &id).await, delete(http, &id).await] {
        assert_eq!(code(&answer).0, 1503, "{answer}");
    }
}
