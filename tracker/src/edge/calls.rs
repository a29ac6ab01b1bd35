//! A service behind its guard: requests are watched as they arrive, calls are decoded and answered on other threads than those that turn.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;
use tonic::codegen::{Body, BoxFuture, Service, http};
use tonic::server::NamedService;
use tonic::{Status, body};

use super::memory::Memory;
use super::peers::Answering;
use super::request::{Arriving, Kept};
use super::stream::Peer;

/// How the requests of a service are taken.
#[derive(Debug, Clone)]
enum Kind {
    /// Each is one message, answered on these threads.
    Calls(Handle, Memory),
    /// Each is a stream of messages, read where it is served.
    Streams,
}

/// A service of gRPC behind its guard.
#[derive(Debug, Clone)]
pub(crate) struct Guard<S> {
    service: S,
    /// Bytes of one message.
    most: usize,
    kind: Kind,
}

impl<S> Guard<S> {
    /// A service whose calls have one message each, of `most` bytes.
    pub(crate) fn calls(service: S, most: usize, threads: Handle, memory: Memory) -> Self {
        let kind = Kind::Calls(threads, memory);
        Self {
            service,
            most,
            kind,
        }
    }

    /// A service whose calls are streams of messages, of `most` bytes each.
    pub(crate) fn streams(service: S, most: usize) -> Self {
        let kind = Kind::Streams;
        Self {
            service,
            most,
            kind,
        }
    }
}

impl<S: NamedService> NamedService for Guard<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<http::Request<body::Body>> for Guard<S>
where
    S: Service<http::Request<Arriving>, Response = http::Response<body::Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = http::Response<body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<body::Body>) -> Self::Future {
        let most = self.most;
        let (threads, memory) = match &self.kind {
            Kind::Streams => {
                let request = request.map(|body| Arriving::stream(body, most));
                return Box::pin(self.service.call(request));
            }
            Kind::Calls(threads, memory) => (threads, memory),
        };
        let Some(Peer { connection }) = request.extensions().get::<Peer>().cloned() else {
            let status = Status::internal("a call without a connection");
            return Box::pin(std::future::ready(Ok(status.into_http())));
        };
        let kept = Kept::default();
        let memory = [Arc::clone(&connection.memory), Arc::clone(&memory.0)];
        let request = request.map(|body| Arriving::call(body, most, memory, Arc::clone(&kept)));
        // A caller that goes away ends its call.
        let answer = AbortOnDropHandle::new(threads.spawn(self.service.call(request)));
        Box::pin(async move {
            let response = match answer.await {
                Ok(Ok(response)) => response,
                Ok(Err(never)) => match never {},
                // Its threads have ended with the tracker.
                Err(error) if error.is_cancelled() => {
                    Status::from(crate::error::Error::Draining).into_http()
                }
                Err(error) => {
                    tracing::error!(%error, "a call was not answered");
                    Status::internal("the call was not answered: see the log").into_http()
                }
            };
            drop(kept);
            let answering = connection.answering();
            Ok(response.map(|body| body::Body::new(Answer { body, answering })))
        })
    }
}

/// The body of an answer, known as waiting to be taken until it is dropped.
struct Answer {
    body: body::Body,
    #[expect(dead_code, reason = "what counts is that it is dropped")]
    answering: Answering,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Poll::Ready(ready!(Pin::new(&mut self.body).poll_frame(cx)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::super::front::Front;
    use super::super::peers::Connection;
    use super::*;

    /// Answers with the name of its thread, or not at all.
    #[derive(Clone)]
    struct Probe;

    impl Service<http::Request<Arriving>> for Probe {
        type Response = http::Response<body::Body>;
        type Error = Infallible;
        type Future = BoxFuture<Self::Response, Infallible>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: http::Request<Arriving>) -> Self::Future {
            Box::pin(async move {
                assert_ne!(request.uri().path(), "/broken");
                if request.uri().path() == "/never" {
                    std::future::pending::<()>().await;
                }
                let name = std::thread::current().name().unwrap_or_default().to_owned();
                let response = http::Response::builder().header("thread", name);
                Ok(response.body(body::Body::empty()).unwrap())
            })
        }
    }

    fn request(path: &str) -> http::Request<body::Body> {
        let peer = Peer {
            connection: Connection::new(),
        };
        let request = http::Request::builder().uri(path).extension(peer);
        request.body(body::Body::empty()).unwrap()
    }

    #[tokio::test]
    async fn calls_are_answered_on_threads_of_their_own_and_one_that_breaks_or_is_ended_has_an_answer()
     {
        let front = Front::start("calls-of-a-test", 1).unwrap();
        let mut calls = Guard::calls(Probe, 100, front.handle().clone(), Memory::new());
        let response = calls.call(request("/")).await.unwrap();
        assert_eq!(response.headers()["thread"], "calls-of-a-test");
        let broken = calls.call(request("/broken")).await.unwrap();
        let status = Status::from_header_map(broken.headers()).unwrap();
        assert_eq!(status.code(), Code::Internal);
        let waiting = calls.call(request("/never"));
        drop(front);
        let ended = waiting.await.unwrap();
        let status = Status::from_header_map(ended.headers()).unwrap();
        assert_eq!(status.code(), Code::Unavailable, "the tracker stops");
        let mut streams = Guard::streams(Probe, 100);
        let response = streams.call(request("/")).await.unwrap();
        assert_ne!(response.headers()["thread"], "calls-of-a-test");
    }
}
