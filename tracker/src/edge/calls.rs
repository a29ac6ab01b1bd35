//! A service behind its guard: it is known who calls before anything of a message is read, requests are watched as they arrive, calls are
//! decoded and answered on other threads than those that turn.

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
use crate::access::{Authority, Origin};
use crate::rpc::Lasting;

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
    authority: Arc<Authority>,
}

impl<S> Guard<S> {
    /// A service whose calls have one message each, of `most` bytes.
    pub(crate) fn calls(
        (service, authority): (S, Arc<Authority>),
        most: usize,
        threads: Handle,
        memory: Memory,
    ) -> Self {
        let kind = Kind::Calls(threads, memory);
        Self {
            service,
            most,
            kind,
            authority,
        }
    }

    /// A service whose calls are streams of messages, of `most` bytes each.
    pub(crate) fn streams((service, authority): (S, Arc<Authority>), most: usize) -> Self {
        let kind = Kind::Streams;
        Self {
            service,
            most,
            kind,
            authority,
        }
    }
}

/// Asks who calls, and passes the request on with what it is told.
async fn admitted<S>(
    mut service: S,
    authority: Arc<Authority>,
    mut request: http::Request<Arriving>,
) -> Result<http::Response<body::Body>, Infallible>
where
    S: Service<http::Request<Arriving>, Response = http::Response<body::Body>, Error = Infallible>,
{
    let origin = request.extensions().get::<Origin>().copied();
    let path = request.uri().path();
    let method = path.rsplit('/').next().unwrap_or_default();
    let headers = request.headers();
    let caller = if request.body().is_call() {
        authority.caller(headers, origin, method).await
    } else {
        authority.streaming(headers, origin, method).await
    };
    match caller {
        Ok(caller) => {
            if let Some(meter) = authority.meter(&caller) {
                request.body_mut().count_by(meter);
            }
            request.extensions_mut().insert(caller);
            service.call(request).await
        }
        Err(error) => Ok(Status::from(error).into_http()),
    }
}

impl<S: NamedService> NamedService for Guard<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<http::Request<body::Body>> for Guard<S>
where
    S: Service<http::Request<Arriving>, Response = http::Response<body::Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
{
    type Response = http::Response<body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<body::Body>) -> Self::Future {
        let most = self.most;
        let peer = request.extensions().get::<Peer>().cloned();
        if let Some(peer) = &peer {
            request.extensions_mut().insert(peer.origin());
        }
        let (service, authority) = (self.service.clone(), Arc::clone(&self.authority));
        let (threads, memory) = match &self.kind {
            Kind::Streams => {
                let request = request.map(|body| Arriving::stream(body, most));
                return Box::pin(admitted(service, authority, request));
            }
            Kind::Calls(threads, memory) => (threads, memory),
        };
        let Some(Peer { connection, .. }) = peer else {
            let status = Status::internal("a call without a connection");
            return Box::pin(std::future::ready(Ok(status.into_http())));
        };
        let kept = Kept::default();
        let memory = [Arc::clone(&connection.memory), Arc::clone(&memory.0)];
        let request = request.map(|body| Arriving::call(body, most, memory, Arc::clone(&kept)));
        // A caller that goes away ends its call.
        let answer = threads.spawn(admitted(service, authority, request));
        let answer = AbortOnDropHandle::new(answer);
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
            if response.extensions().get::<Lasting>().is_some() {
                // It has its own watch over who takes nothing.
                return Ok(response);
            }
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
        let peer = Peer::of(([127, 0, 0, 1], 1).into());
        let request = http::Request::builder().uri(path).extension(peer);
        request.body(body::Body::empty()).unwrap()
    }

    #[tokio::test]
    async fn calls_are_answered_on_threads_of_their_own_and_one_that_breaks_or_is_ended_has_an_answer()
     {
        let front = Front::start("calls-of-a-test", 1).unwrap();
        let probe = || (Probe, Arc::new(Authority::Open));
        let mut calls = Guard::calls(probe(), 100, front.handle().clone(), Memory::new());
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
        let mut streams = Guard::streams(probe(), 100);
        let response = streams.call(request("/")).await.unwrap();
        assert_ne!(response.headers()["thread"], "calls-of-a-test");
    }
}
