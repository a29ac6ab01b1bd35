//! Answers as they go out.

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use tickwheel_api::DOCUMENT;
use tickwheel_api::routes::Method;
use tokio::sync::mpsc;

use super::stream;
use crate::error::Error;
use crate::http::programs::respond;

/// Redis' clock.
const TIME: HeaderName = HeaderName::from_static("tickwheel-time");
/// It was asked before, and this is what was answered then.
const REPLAY: HeaderName = HeaderName::from_static("idempotent-replay");

/// What was asked for.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    text: Vec<u8>,
    headers: Vec<(HeaderName, String)>,
    cookies: Vec<HeaderValue>,
    /// In place of a text: what comes bit by bit.
    events: Option<mpsc::Receiver<Bytes>>,
}

impl Answer {
    /// An answer in JSON.
    pub(super) fn json(answer: &impl Serialize) -> Result<Self, Error> {
        let text = serde_json::to_vec(answer).map_err(|error| {
            Error::Store(tickwheel_store::Error::Contract {
                script: "http",
                reply: error.to_string(),
            })
        })?;
        Ok(Self {
            status: StatusCode::OK,
            text,
            headers: Vec::new(),
            cookies: Vec::new(),
            events: None,
        })
    }

    /// The OpenAPI document.
    pub(super) fn document() -> Self {
        Self {
            status: StatusCode::OK,
            text: DOCUMENT.as_bytes().to_vec(),
            headers: Vec::new(),
            cookies: Vec::new(),
            events: None,
        }
    }

    /// Which methods a path has.
    pub(super) fn options(allowed: &str) -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            text: Vec::new(),
            headers: vec![(header::ALLOW, allowed.to_owned())],
            cookies: Vec::new(),
            events: None,
        }
    }

    /// A stream of events, each as it is sent.
    pub(super) fn stream(events: mpsc::Receiver<Bytes>) -> Self {
        Self {
            status: StatusCode::OK,
            text: Vec::new(),
            headers: Vec::new(),
            cookies: Vec::new(),
            events: Some(events),
        }
    }

    /// Has a browser keep this, or forget it.
    pub(super) fn with_cookie(mut self, cookie: Option<HeaderValue>) -> Self {
        self.cookies.extend(cookie);
        self
    }

    /// With the revision of what it shows.
    pub(super) fn with_revision(mut self, revision: u64) -> Self {
        self.headers.push((header::ETAG, format!("\"{revision}\"")));
        self
    }

    /// With the time by Redis' clock, where it is known anyway.
    pub(super) fn with_time(mut self, ms: u64) -> Self {
        self.headers.push((TIME, ms.to_string()));
        self
    }

    /// Says that it was answered before.
    pub(super) fn with_replay(mut self, is_replay: bool) -> Self {
        if is_replay {
            self.headers.push((REPLAY, "true".to_owned()));
        }
        self
    }

    /// The answer; the last one of its connection, if so.
    pub(super) fn into_response(self, id: &str, is_last: bool) -> Response<Body> {
        if let Some(events) = self.events {
            return stream::response(events, id);
        }
        let mut response = respond((self.status, "application/json"), self.text, id, is_last);
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(name, value);
            }
        }
        for cookie in self.cookies {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}

/// The methods of a path, as a header lists them.
pub(super) fn allowed(methods: &[Method]) -> String {
    let mut words: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
    if methods.contains(&Method::Get) {
        words.push("HEAD");
    }
    words.push("OPTIONS");
    words.join(", ")
}
