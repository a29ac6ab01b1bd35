//! Who asks. This is the one place that every request of a program passes before anything of it is read or done.

use axum::http::HeaderMap;
use tickwheel_core::access::Role;

use crate::access::{Caller, Origin};
use crate::error::Error;
use crate::rpc::error::code_of;
use crate::rpc::scheduler::{Scheduler, needs};

/// What is asked for, and by which request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asks<'a> {
    /// The call that does it.
    pub(crate) call: &'static str,
    /// By what it is known who asks.
    pub(crate) by: By,
    /// Who may ask for it at least.
    pub(crate) least: Role,
    /// What the request is called.
    pub(crate) request_id: &'a str,
}

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// Whoever shows a token.
    Token,
    /// A browser too, by its session.
    TokenOrSession,
}

/// Whoever asks, by the token in `Authorization`, as a caller of gRPC shows it, or as a browser by its session; its body is not read when its role may not ask. What else it
/// may is said by the row of the call that does it.
///
/// # Errors
/// [`Error::Unauthenticated`], [`Error::Denied`], [`Error::Throttled`], [`Error::Busy`], and what the store says.
pub(crate) async fn caller(
    scheduler: &Scheduler,
    asks: Asks<'_>,
    headers: &HeaderMap,
    peer: Origin,
) -> Result<Caller, Error> {
    let authority = scheduler.authority();
    let caller = match asks.by {
        By::Token => authority.caller(headers, Some(peer), asks.call).await?,
        By::TokenOrSession => {
            let found = authority.caller_or_browser(headers, Some(peer), asks.call);
            found.await?
        }
    };
    let caller = caller.with_request(asks.request_id);
    if !caller.is(asks.least) {
        let refused = Error::Denied(needs(asks.least, asks.call, &caller).into());
        let code = code_of(&refused).as_str();
        authority.denied(&caller, asks.call, Vec::new, code);
        return Err(refused);
    }
    Ok(caller)
}
