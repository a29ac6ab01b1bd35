//! `/api/v1/session`: a browser logs in with a token, or with a link that was made with one, is known by a cookie from then on, and logs out. No call of gRPC is for that: programs
//! show their tokens.

use std::time::Duration;

use axum::http::{HeaderMap, header};
use tickwheel_api::answers::Session;
use tickwheel_api::requests;
use tickwheel_api::routes::{Method, Operation};
use tickwheel_core::time::TimestampMs;

use super::answer::Answer;
use super::problem::Told;
use crate::access::{Caller, Origin, SESSION, cookie};
use crate::error::Error;
use crate::http::{programs, safety};
use crate::rpc::error::code_of;
use crate::rpc::scheduler::Scheduler;

/// Its path, below that of the API.
pub(super) const PATH: &str = "/session";
/// Bytes of what a browser sends that opened a link.
pub(super) const LINK_BYTES_MAX: usize = 1_024;
/// What it has.
pub(super) const METHODS: [Method; 3] = [Method::Get, Method::Post, Method::Delete];

/// What the audit calls it.
pub(super) const fn word(method: Method) -> &'static str {
    match method {
        Method::Get => "GetSession",
        Method::Post => "OpenSession",
        Method::Put | Method::Delete => "CloseSession",
    }
}

/// Refuses what a browser sends without one of our pages having meant it, which is written down.
pub(super) fn meant(
    scheduler: &Scheduler,
    caller: &Caller,
    call: &'static str,
    headers: &HeaderMap,
) -> Result<(), Told> {
    if !caller.is_browser() {
        return Ok(());
    }
    match safety::unmeant(headers) {
        Some(why) => {
            let authority = scheduler.authority();
            authority.denied(caller, call, Vec::new, "CSRF");
            Err(Told::forged(why))
        }
        None => Ok(()),
    }
}

/// Does what is asked.
pub(super) async fn answer(
    scheduler: &Scheduler,
    method: Method,
    caller: &Caller,
    headers: &HeaderMap,
) -> Result<Answer, Error> {
    match method {
        Method::Get => Answer::json(&shown(caller, caller.not_after())),
        Method::Post => open(scheduler, caller, headers).await,
        Method::Put | Method::Delete => close(scheduler, caller).await,
    }
}

async fn open(
    scheduler: &Scheduler,
    caller: &Caller,
    headers: &HeaderMap,
) -> Result<Answer, Error> {
    let authority = scheduler.authority();
    let opened = authority.open_session(caller).await;
    let result = opened.as_ref().err().map(code_of);
    let result = result.map_or("OK", |code| code.as_str());
    authority
        .done(caller, word(Method::Post), &[], result)
        .await;
    let Some(opened) = opened? else {
        return Answer::json(&shown(caller, None));
    };
    let answer = Answer::json(&shown(caller, Some(opened.ends)))?;
    let is_tls = goes_over_tls(headers);
    Ok(answer.with_cookie(cookie::given(Some(&opened.shown), SESSION, is_tls)))
}

/// Lets a browser in that opened the link in `body`.
pub(super) async fn log_in(
    scheduler: &Scheduler,
    body: &[u8],
    headers: &HeaderMap,
    (origin, request): (Origin, &str),
) -> Result<Answer, Told> {
    if !programs::is_json(headers) {
        return Err(Told::no_json());
    }
    let link = requests::login_code(body).map_err(Told::invalid)?;
    let (authority, call) = (scheduler.authority(), word(Method::Post));
    let opened = authority.log_in(&link, origin, (call, request)).await;
    let opened = opened.map_err(|error| Told::of(&error, &[]))?;
    let answered = match opened {
        None => Answer::json(&shown(&Caller::anybody(), None)),
        Some((caller, opened)) => {
            authority.done(&caller, call, &[], "OK").await;
            let is_tls = goes_over_tls(headers);
            Answer::json(&shown(&caller, Some(opened.ends))).map(|answer| {
                answer.with_cookie(cookie::given(Some(&opened.shown), SESSION, is_tls))
            })
        }
    };
    answered.map_err(|error| Told::of(&error, &[]))
}

/// A browser says where its page is from, and that was held against the name that was asked: what is https there goes over TLS.
fn goes_over_tls(headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN).map(|origin| origin.as_bytes());
    origin.is_some_and(|origin| origin.starts_with(b"https://"))
}

async fn close(scheduler: &Scheduler, caller: &Caller) -> Result<Answer, Error> {
    let authority = scheduler.authority();
    let closed = authority.close_session(caller).await;
    let result = closed.as_ref().err().map(code_of);
    let result = result.map_or("OK", |code| code.as_str());
    authority
        .done(caller, word(Method::Delete), &[], result)
        .await;
    closed?;
    let answer = Answer::json(&shown(caller, None))?;
    let gone = |is_tls| cookie::given(None, Duration::ZERO, is_tls);
    Ok(answer.with_cookie(gone(false)).with_cookie(gone(true)))
}

fn shown(caller: &Caller, ends: Option<TimestampMs>) -> Session {
    let allowed = Operation::ALL
        .iter()
        .filter(|one| caller.is(one.row().role));
    Session::new(
        caller.token().map(ToString::to_string).unwrap_or_default(),
        caller.scope(),
        ends.map_or(0, TimestampMs::as_u64),
        allowed.map(|one| one.name()).collect(),
    )
}
