//! Callbacks: a URL and what is sent there, as xcron has them and as the handler `http` has them (docs/http-handler.md).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tickwheel_core::error::Violation;
use tickwheel_http_handler::{Guard, Target};

/// What is sent where nothing was given.
const NOTHING: &str = "{}";

/// A callback as it is shown. Of one that may not be seen there is an empty URL and an empty body.
#[derive(Debug, Serialize)]
pub(super) struct Callback {
    url: String,
    body: Box<RawValue>,
}

/// What of the body of a job is a callback; whoever changed the job may have put more beside it.
#[derive(Deserialize, Default)]
struct Call {
    #[serde(default)]
    url: String,
    body: Option<Box<RawValue>>,
}

impl Callback {
    /// Reads the body of a job.
    pub(super) fn read(call: &[u8]) -> Self {
        let call: Call = serde_json::from_slice(call).unwrap_or_default();
        let body = call.body.filter(|body| is_map(body.get()));
        Self {
            url: call.url,
            body: body.unwrap_or_else(nothing),
        }
    }
}

fn nothing() -> Box<RawValue> {
    // It is JSON.
    RawValue::from_string(NOTHING.to_owned()).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// Whether a text, which is JSON, is a map.
pub(super) fn is_map(json: &str) -> bool {
    json.trim_start().starts_with('{')
}

/// The body of the job that makes a callback: `url` as it was read, `body` as it was written, `None` where nothing was given.
pub(super) fn call(url: &str, body: Option<&str>) -> Vec<u8> {
    let url = serde_json::Value::from(url);
    let body = body.unwrap_or(NOTHING);
    format!("{{\"url\":{url},\"body\":{body}}}").into_bytes()
}

/// Whether workers may call a URL, as far as it is known here without asking for the address of its name. Who calls it looks again.
///
/// # Errors
/// The rule that it breaks; never the URL, which may hold a secret.
pub(super) fn check(url: &str, guard: &Guard) -> Result<(), Violation> {
    let broken = |rule: String| Violation::new("callback.url", rule, "");
    let target = Target::parse(url).map_err(|refusal| {
        let said = refusal.to_string();
        broken(said.strip_prefix("the URL ").unwrap_or(&said).to_owned())
    })?;
    guard
        .admit(&target)
        .map_err(|refusal| broken(format!("is not called: {refusal}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_is_kept_as_it_was_written() {
        let body = r#"{ "n": 9007199254740993, "n": -0.10, "t": "\ud83d\ude00" }"#;
        let kept = call("https://a.example/\"x\"?b=ä", Some(body));
        let read = Callback::read(&kept);
        assert_eq!(read.url, "https://a.example/\"x\"?b=ä");
        assert_eq!(read.body.get(), body);
        let kept = call("https://a.example", None);
        assert_eq!(kept, br#"{"url":"https://a.example","body":{}}"#);
        for other in [
            &b""[..],
            b"[]",
            b"\xff",
            b"{\"url\": 7}",
            b"{\"body\": [1]}",
        ] {
            let read = Callback::read(other);
            assert_eq!((read.url.as_str(), read.body.get()), ("", "{}"));
        }
    }

    #[test]
    fn a_url_that_no_worker_calls_is_refused_by_its_rule() {
        let guard = Guard::default();
        let said = |url: &str| check(url, &guard).map_err(|wrong| wrong.to_string());
        for fine in [
            "http://example.com/hook",
            "https://example.com:8443",
            // Its address is not known here.
            "http://localhost/",
        ] {
            assert_eq!(said(fine), Ok(()), "{fine}");
        }
        for (url, rule) in [
            ("ftp://example.com", "begins with http:// or https://"),
            ("http://u:secret@example.com", "has no user and no password"),
            ("http://127.0.0.1/", "not public: loopback"),
            ("http://0x7f.1/", "not public: loopback"),
            ("http://[::ffff:10.0.0.1]/", "is not called: the address"),
            ("http://169.254.169.254/", "is not called: the address"),
            ("http://example.com:6379/", "port 6379"),
        ] {
            let said = said(url).unwrap_err();
            assert!(said.starts_with("callback.url: "), "{said}");
            assert!(said.contains(rule), "{url}: {said}");
            assert!(!said.contains("secret"), "{said}");
        }
    }
}
