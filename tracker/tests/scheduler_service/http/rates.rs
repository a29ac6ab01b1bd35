//! Who asks for too much over HTTP: what counts is the token, whichever way it is shown.

use std::net::SocketAddr;

use tickwheel_proto::v1;
use tickwheel_tracker::Config;
use tickwheel_tracker::config::Rates;

use super::client::Http;
use crate::guarded::{guarded_with, id_of, scope};

/// All metrics of a tracker.
pub(crate) async fn scrape(address: SocketAddr) -> String {
    let http = Http { address };
    let reply = http.ask_at("GET", "/metrics", &[], b"").await;
    String::from_utf8(reply.body).unwrap()
}

#[tokio::test]
async fn a_token_is_one_over_both_wires_and_in_every_browser() {
    let rates = Rates {
        viewer_calls: 5,
        ..Rates::unlimited()
    };
    let guarded = guarded_with(|config| Config { rates, ..config }).await;
    let Some(guarded) = guarded else {
        return;
    };
    let http = Http {
        address: guarded.caller.http.unwrap(),
    };
    let token = guarded.make(scope(v1::Role::Viewer)).await;
    let opened = http.ask_as(&token, "POST", "/session", "").await;
    let cookie = opened.header("set-cookie").unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let mut api = guarded.api(&token);
    let asked = v1::ListLimitsRequest::default();
    while api.list_limits(asked).await.is_ok() {}
    let shown = format!("Bearer {token}");
    for header in [("Authorization", shown.as_str()), ("cookie", cookie)] {
        // In a fifth of a second one more passes.
        let mut reply = http.ask("GET", "/limits", &[header], b"").await;
        for _ in 0..20 {
            if reply.status != 200 {
                break;
            }
            reply = http.ask("GET", "/limits", &[header], b"").await;
        }
        assert_eq!(reply.status, 429, "{reply:?}");
        assert_eq!(reply.header("retry-after").as_deref(), Some("1"));
        let problem = reply.problem();
        assert_eq!(problem["code"], "EXHAUSTED");
        let after = problem["retry_after_ms"].as_u64().unwrap();
        assert!((1..=200).contains(&after), "{after}");
        assert_eq!(problem["violations"][0]["field"], "token");
        assert_eq!(problem["violations"][0]["given"], id_of(&token));
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("at most 5 calls a second"), "{detail}");
    }
    let other = guarded.make(scope(v1::Role::Viewer)).await;
    assert_eq!(http.ask_as(&other, "GET", "/limits", "").await.status, 200);
}
