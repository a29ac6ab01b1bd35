//! The handler `http`: from the body of a context to its outcome.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use hyper::header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use serde::Serialize;
use tickwheel_worker::{BoxError, Context, Handler, HandlerResult};
use tokio::time::{Instant, timeout};

use crate::call::Call;
use crate::connect::Connector;
use crate::failure::Failure;
use crate::following::follow;
use crate::guard::Guard;
use crate::reading::{Wanted, read};
use crate::resolve::{Resolve, SystemResolver};
use crate::retry_after::retry_after;

/// Which context it is, the same for all attempts.
const RUN: HeaderName = HeaderName::from_static("tickwheel-run");
/// The number of the attempt, which only grows.
const ATTEMPT: HeaderName = HeaderName::from_static("tickwheel-attempt");
/// By which a server knows a call that it has seen: the context's id again, under the name that many servers know.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

const AGENT: &str = concat!("tickwheel/", env!("CARGO_PKG_VERSION"));

/// Calls the URL that the body of its context names, as far as its [`Guard`] lets it. Cheap to clone.
///
/// ```no_run
/// use tickwheel_http_handler::{Guard, HttpHandler};
/// use tickwheel_worker::Worker;
///
/// # #[tokio::main] async fn main() -> Result<(), tickwheel_worker::BoxError> {
/// let guard = Guard { allow: "10.1.0.0/16, *.corp.example".parse()?, ..Guard::default() };
/// Worker::builder("http://127.0.0.1:7400")
///     .group("hooks")
///     .handler(HttpHandler::NAME, HttpHandler::new(guard)?)
///     .run()
///     .await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct HttpHandler {
    connector: Arc<Connector>,
}

/// What a run that succeeded leaves behind.
#[derive(Debug, Serialize)]
struct Called {
    status: u16,
    ms: u64,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl HttpHandler {
    /// What it is called where contexts name their handler.
    pub const NAME: &str = "http";

    /// With the names and certificates of the system. Certificates are read here, once.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(guard: Guard) -> Result<Self, BoxError> {
        Self::with_resolver(guard, SystemResolver)
    }

    /// The same with names that are resolved otherwise. What is resolved is vetted all the same.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn with_resolver(guard: Guard, resolver: impl Resolve) -> Result<Self, BoxError> {
        let connector = Connector::new(guard, Arc::new(resolver))?;
        Ok(Self {
            connector: Arc::new(connector),
        })
    }

    async fn run(&self, ctx: &Context, body: &[u8]) -> Result<Called, Failure> {
        let call = Call::read(body)?;
        let own = headers_of(ctx);
        let work = timeout(call.timeout, self.answered(&call, &own));
        tokio::select! {
            // The future of the call is dropped, and its connection with it.
            reason = ctx.cancelled() => Err(Failure::Cancelled(reason)),
            worked = work => worked.unwrap_or(Err(Failure::TimedOut(call.timeout))),
        }
    }

    async fn answered(&self, call: &Call, own: &HeaderMap) -> Result<Called, Failure> {
        let began = Instant::now();
        let mut answer = follow(&self.connector, call, own).await?;
        let status = answer.response.status();
        if !call.expect.has(status) {
            let retry_after = retry_after(answer.response.headers());
            return Err(Failure::Status {
                status,
                retry_after,
            });
        }
        let wanted = Wanted {
            most: call.max_response_bytes,
            text: call.expect.text.as_deref(),
            keep: call.keep_response,
        };
        let read = read(answer.response.body_mut(), wanted).await?;
        if !read.has_text {
            return Err(Failure::NoText);
        }
        let ms = began.elapsed().as_millis();
        Ok(Called {
            status: status.as_u16(),
            ms: u64::try_from(ms).unwrap_or(u64::MAX),
            bytes: read.bytes,
            text: call.keep_response.then(|| beginning(&read.begin)),
        })
    }
}

impl Handler for HttpHandler {
    fn call(&self, ctx: Context, body: Bytes) -> BoxFuture<'static, HandlerResult<Bytes>> {
        let handler = self.clone();
        Box::pin(async move {
            let called = handler.run(&ctx, &body).await;
            let called = called.map_err(Failure::into_error)?;
            Ok(Bytes::from(serde_json::to_vec(&called)?))
        })
    }
}

impl fmt::Debug for HttpHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpHandler")
            .field("guard", &self.connector.guard)
            .finish_non_exhaustive()
    }
}

/// What a server is told of the run.
fn headers_of(ctx: &Context) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(ATTEMPT, HeaderValue::from(ctx.attempt()));
    // Ids are of letters and signs that a header may have; one that is not, of a tracker to come, is left out.
    for (name, value) in [
        (RUN, ctx.context_id()),
        (IDEMPOTENCY_KEY, ctx.idempotency_key()),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    headers
}

/// What can be read of the beginning; a character that was cut in two is left out.
fn beginning(bytes: &[u8]) -> String {
    let whole = match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => bytes.get(..error.valid_up_to()),
        Ok(_) | Err(_) => None,
    };
    String::from_utf8_lossy(whole.unwrap_or(bytes)).into_owned()
}
