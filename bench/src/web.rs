//! Submits contexts as JSON over HTTP/1.1, on connections that are kept: one request at a time on each.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::args::Options;
use crate::caller::Trackers;
use crate::report::Spread;

const PATH: &str = "/api/v1/submissions";

/// What every connection takes its requests from.
#[derive(Debug)]
struct Work {
    next: AtomicUsize,
    count: usize,
    batch: usize,
    body_bytes: usize,
    authorization: Option<HeaderValue>,
}

/// Submits `count` delayed contexts in batches, those of one context without a list; answers how long the requests took.
pub(crate) async fn submit(
    trackers: &Trackers,
    (count, options): (usize, &Options),
) -> Result<Spread> {
    let authorization = match &trackers.token {
        None => None,
        Some(file) => {
            let token = tokio::fs::read_to_string(file).await?;
            Some(HeaderValue::from_str(&format!("Bearer {}", token.trim()))?)
        }
    };
    let work = Arc::new(Work {
        next: AtomicUsize::new(0),
        count,
        batch: options.batch.max(1),
        body_bytes: options.body,
        authorization,
    });
    let mut connections = JoinSet::new();
    let to = trackers.http.iter().cycle().take(options.calls.max(1));
    for address in to {
        let (address, work) = (*address, Arc::clone(&work));
        connections.spawn(async move { connection(address, &work).await });
    }
    let mut times = Vec::new();
    while let Some(done) = connections.join_next().await {
        times.extend(done??);
    }
    Spread::of(times.into_iter())
}

/// Sends requests until none is left; how many microseconds each took.
async fn connection(address: SocketAddr, work: &Work) -> Result<Vec<u64>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let host = HeaderValue::from_str(&address.to_string())?;
    let mut times = Vec::new();
    loop {
        let first = work.next.fetch_add(work.batch, Ordering::Relaxed);
        if first >= work.count {
            drop(sender);
            connection.await?.context("a connection broke")?;
            return Ok(times);
        }
        let body = body(first..work.count.min(first + work.batch), work.body_bytes)?;
        let asked = Instant::now();
        request(&mut sender, (&host, work.authorization.as_ref()), body).await?;
        times.push(u64::try_from(asked.elapsed().as_micros())?);
    }
}

async fn request(
    sender: &mut SendRequest<Full<Bytes>>,
    (host, authorization): (&HeaderValue, Option<&HeaderValue>),
    body: Bytes,
) -> Result<()> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(PATH)
        .header(HOST, host)
        .header(CONTENT_TYPE, "application/json");
    if let Some(authorization) = authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    sender.ready().await?;
    let response = sender.send_request(request.body(Full::new(body))?).await?;
    let status = response.status();
    let answer = response.into_body().collect().await?.to_bytes();
    ensure!(
        status.is_success(),
        "{status}: {}",
        String::from_utf8_lossy(&answer)
    );
    Ok(())
}

/// One context without a list, or several in one.
fn body(numbers: std::ops::Range<usize>, body_bytes: usize) -> Result<Bytes> {
    let is_list = numbers.len() > 1;
    let mut text = String::with_capacity(numbers.len() * (body_bytes + 80));
    for number in numbers {
        text.push(if !is_list {
            ' '
        } else if text.is_empty() {
            '['
        } else {
            ','
        });
        // As many bytes as the body of a context that goes over gRPC has.
        write!(
            text,
            r#"{{"group":"bench","handler":"noop","delay":"1h","body_text":"{number:0body_bytes$}"}}"#
        )?;
    }
    if is_list {
        text.push(']');
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_one_context_or_a_list() {
        let one = body(7..8, 8).unwrap();
        assert_eq!(
            std::str::from_utf8(&one).unwrap().trim(),
            r#"{"group":"bench","handler":"noop","delay":"1h","body_text":"00000007"}"#
        );
        let list: Vec<serde_json::Value> = serde_json::from_slice(&body(0..3, 8).unwrap()).unwrap();
        assert_eq!(list[2]["body_text"], "00000002");
        assert_eq!(list.len(), 3);
    }
}
