//! Streams of server-sent events: what a subscription tells, as browsers read it.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, StatusCode, header};
use tickwheel_api::answers::StreamEvent;
use tickwheel_proto::v1;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use crate::http::programs::respond;
use crate::live::{Subscription, carry};
use crate::rpc::Lasting;

/// Something is sent at least so often, so that both ends, and whoever is between, know that the other is there.
const QUIET: Duration = Duration::from_secs(10);
const NOTHING: &str = ": still there\n\n";
/// After a stream that broke, a browser comes again after this, and as long again at random.
const COME_AGAIN_MS: u64 = 1_000;

/// Begins to carry what a subscription tells.
pub(super) fn begin(events: Subscription) -> mpsc::Receiver<Bytes> {
    let nothing: fn() -> Bytes = || Bytes::from_static(NOTHING.as_bytes());
    carry(events, |told| told.text(written), Some((QUIET, nothing)))
}

/// The answer to who asks for a stream.
pub(super) fn response(events: mpsc::Receiver<Bytes>, id: &str) -> Response<Body> {
    let again = COME_AGAIN_MS + rand::random_range(0..COME_AGAIN_MS);
    let first = Bytes::from(format!("retry: {again}\n\n"));
    let body = tokio_stream::once(first).chain(ReceiverStream::new(events));
    let body = body.map(Ok::<Bytes, std::convert::Infallible>);
    let mut response = respond((StatusCode::OK, ""), Vec::new(), id, true);
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/event-stream; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    // Proxies that gather an answer would hold it for ever.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    *response.body_mut() = Body::from_stream(body);
    response.extensions_mut().insert(Lasting);
    response
}

/// Of each event its cursor as its id, its kind as its name, and its data on one line.
fn written(events: &[v1::StreamEvent]) -> Bytes {
    let mut text = String::new();
    for v1::StreamEvent { cursor, event } in events {
        let Some(event) = event.clone().map(StreamEvent::from) else {
            continue;
        };
        match event.data() {
            Ok(data) => {
                let name = event.name();
                text.push_str(&format!("id: {cursor}\nevent: {name}\ndata: {data}\n\n"));
            }
            Err(error) => tracing::error!(%error, "an event cannot be written"),
        }
    }
    Bytes::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_its_cursor_its_kind_and_one_line() {
        let lagged = v1::Lagged {
            topic: "a\nb".to_owned(),
            dropped: 3,
        };
        let event = v1::StreamEvent {
            cursor: "5.6.7~8".to_owned(),
            event: Some(v1::stream_event::Event::Lagged(lagged)),
        };
        let text = "id: 5.6.7~8\nevent: lagged\ndata: {\"topic\":\"a\\nb\",\"dropped\":3}\n\n";
        assert_eq!(written(&[event]), text);
    }
}
