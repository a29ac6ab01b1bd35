//! One request and the head of its answer, over a connection of its own.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use crate::connect::Io;
use crate::failure::Failure;
use crate::guard::{Refusal, Target};

/// Headers of an answer, and their bytes: what an honest server sends, several times over.
const HEADERS_MAX: usize = 200;
const HEAD_BYTES_MAX: usize = 64 << 10;

/// What is asked of one server.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
}

/// An answer of which the head is there. The connection closes when it is dropped.
pub(crate) struct Answer {
    pub(crate) response: Response<Incoming>,
    _connection: JoinSet<()>,
}

/// Sends the request and waits for the head of the answer. Dropping the future closes the connection.
pub(crate) async fn send(
    stream: Box<dyn Io>,
    target: &Target,
    asked: Asked,
) -> Result<Answer, Failure> {
    let request = request(target, asked)?;
    let handshake = http1::Builder::new()
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(broken)?;
    let mut driver = JoinSet::new();
    driver.spawn(async move {
        // How it ends is told to whoever waits for the answer.
        connection.await.ok();
    });
    let response = sender.send_request(request).await.map_err(broken)?;
    Ok(Answer {
        response,
        _connection: driver,
    })
}

fn request(target: &Target, asked: Asked) -> Result<Request<Full<Bytes>>, Failure> {
    let path: Uri = target
        .path()
        .parse()
        .map_err(|_| Refusal::Url("has a path that cannot be sent"))?;
    let host = HeaderValue::from_str(&target.authority())
        .map_err(|_| Refusal::Url("has a host that cannot be sent"))?;
    let mut request = Request::new(Full::new(asked.body.unwrap_or_default()));
    *request.method_mut() = asked.method;
    *request.uri_mut() = path;
    *request.headers_mut() = asked.headers;
    request.headers_mut().insert(HOST, host);
    Ok(request)
}

/// What hyper says may quote the answer: it goes to the log of the worker only.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the form that `map_err` wants"
)]
pub(crate) fn broken(error: hyper::Error) -> Failure {
    tracing::debug!(%error, "the exchange broke off");
    Failure::Broken
}
