//! The body of the handler: one call, as whoever submits it writes it.

mod expect;
mod fields;
mod headers;
#[cfg(test)]
mod tests;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use tickwheel_core::error::with_suggestion;
use tickwheel_core::time::parse_duration;
use tickwheel_core::{Violation, Violations};

use crate::guard::Target;
pub(crate) use expect::Expect;
use fields::{Fields, text, truth, whole};

/// No CONNECT, which asks for a tunnel, and no TRACE, which shows headers that a proxy added.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// What a call takes at most unless it says otherwise: redirects, the answer and all.
const TIMEOUT: Duration = Duration::from_secs(10);
/// What it may say: a call holds a permit as long as it waits.
const TIMEOUT_MAX: Duration = Duration::from_secs(600);

const REDIRECTS_MAX: u64 = 5;

/// Bytes of an answer that are read unless the call says otherwise, and what it may say. They are counted, not kept.
const RESPONSE_BYTES: u64 = 1 << 20;
const RESPONSE_BYTES_MAX: u64 = 64 << 20;

/// One call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) target: Target,
    pub(crate) method: Method,
    /// With `Content-Type`, where there is a body.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
    pub(crate) expect: Expect,
    pub(crate) timeout: Duration,
    pub(crate) follow_redirects: u64,
    pub(crate) max_response_bytes: u64,
    pub(crate) keep_response: bool,
}

impl Call {
    /// Reads the body of a context.
    ///
    /// # Errors
    /// All mistakes; none of them shows the URL, the body or a header's value.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Violations> {
        let json = std::str::from_utf8(body).unwrap_or_default();
        let mut fields = Fields::of(json).map_err(|_| {
            let rule = "the body is a map such as {\"url\": \"https://example.com/hook\"}";
            Violation::new("", rule, "")
        })?;
        let target = fields.need("url", |json| {
            let url = text(json).map_err(|wrong| Violation::new("", wrong.rule, ""))?;
            Target::parse(&url).map_err(|refusal| {
                let said = refusal.to_string();
                let rule = said.strip_prefix("the URL ").unwrap_or(&said);
                Violation::new("", rule, "")
            })
        });
        let method = fields.get("method", method).unwrap_or(Method::POST);
        let mut headers = fields.get("headers", headers::headers).unwrap_or_default();
        let body = read_body(&mut fields);
        if let Some((_, form)) = &body {
            let form = HeaderValue::from_static(form);
            headers.entry(CONTENT_TYPE).or_insert(form);
        }
        let expect = fields.get("expect", Expect::read).unwrap_or_default();
        let timeout = fields.get("timeout", timeout).unwrap_or(TIMEOUT);
        let mut number = |key, most, usual| {
            let read = fields.get(key, |json| whole(json, 0, most));
            read.unwrap_or(usual)
        };
        let follow_redirects = number("follow_redirects", REDIRECTS_MAX, 0);
        let max_response_bytes = number("max_response_bytes", RESPONSE_BYTES_MAX, RESPONSE_BYTES);
        let keep_response = fields.get("keep_response", truth).unwrap_or(false);
        fields.finish()?;
        // A missing URL is among the mistakes.
        let target = target.ok_or_else(Violations::new)?;
        Ok(Self {
            target,
            method,
            headers,
            body: body.map(|(body, _)| body),
            expect,
            timeout,
            follow_redirects,
            max_response_bytes,
            keep_response,
        })
    }
}

/// The body that is sent, and its `Content-Type`.
fn read_body(fields: &mut Fields) -> Option<(Bytes, &'static str)> {
    let json = fields
        .raw("body")
        .map(|json| (Bytes::copy_from_slice(json.as_bytes()), "application/json"));
    let hidden = |wrong: Violation| Violation::new("", wrong.rule, "");
    let plain = fields.get("body_text", |json| text(json).map_err(hidden));
    let plain = plain.map(|text| (Bytes::from(text), "text/plain; charset=utf-8"));
    let binary = fields.get("body_base64", |json| {
        let text = text(json).map_err(hidden)?;
        let bytes = STANDARD.decode(text);
        bytes.map_err(|_| Violation::new("", "is base64 with padding", ""))
    });
    let binary = binary.map(|bytes| (Bytes::from(bytes), "application/octet-stream"));
    let mut given = [json, plain, binary].into_iter().flatten();
    let first = given.next();
    if given.next().is_some() {
        fields.wrong("", "has one of body, body_text and body_base64");
    }
    first
}

fn method(json: &str) -> Result<Method, Violation> {
    let word = text(json)?;
    if METHODS.contains(&word.as_str())
        && let Ok(method) = Method::from_bytes(word.as_bytes())
    {
        return Ok(method);
    }
    let rule = format!("is one of {}", METHODS.join(", "));
    let rule = with_suggestion(&rule, &word, METHODS.iter().copied());
    Err(Violation::new("", rule, word))
}

fn timeout(json: &str) -> Result<Duration, Violation> {
    let text = text(json).map_err(|_| Violation::new("", "is a span like 250ms or 10s", json))?;
    let span = parse_duration(&text)?;
    if span.is_zero() || span > TIMEOUT_MAX {
        return Err(Violation::new("", "is from 1ms to 10m", text));
    }
    Ok(span)
}
