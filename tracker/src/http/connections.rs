//! Connections, one after the other accepted and each served until it ends: by its peer, by its clock, or because the tracker stops.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::request_deadline::{Bounded, Patient};
use crate::access::Origin;
use crate::rpc::Lasting;
use crate::tls::{Acceptor, Secured, ShownCertificate};

/// Bytes of a request's line and headers together.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// Bytes that a connection holds for a peer who does not take them, and as many that came from it: streams of a thousand who sleep take 64 MiB.
const BUFFER_BYTES_MAX: usize = 64 << 10;
/// Headers of a request.
const HEADERS_MAX: usize = 100;
/// Connections with an answer under way when the tracker stops have so long for it.
const LEAVE_WITHIN: Duration = Duration::from_millis(1_500);

/// Who answers requests.
pub(super) trait Answers: Clone + Send + Sync + 'static {
    /// The answer to a request of `peer`.
    fn answer(
        &self,
        request: Request<Incoming>,
        peer: Origin,
    ) -> impl Future<Output = Response<Body>> + Send;
}

/// Serves `most` connections at once until `stop`, then ends those that rest and waits a little for the others.
pub(super) async fn serve(
    listener: TcpListener,
    (most, acceptor): (u32, Acceptor),
    answers: impl Answers,
    stop: CancellationToken,
) -> io::Result<()> {
    let mut patient = Patient::new(listener, acceptor, most);
    let open = TaskTracker::new();
    loop {
        let ((stream, certificate), address) = tokio::select! {
            accepted = patient.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let peer = (address, certificate);
        open.spawn(connection(stream, peer, answers.clone(), stop.clone()));
    }
    drop(patient);
    open.close();
    open.wait().await;
    Ok(())
}

async fn connection(
    stream: Bounded<Secured<TcpStream>>,
    (address, certificate): (SocketAddr, ShownCertificate),
    answers: impl Answers,
    stop: CancellationToken,
) {
    let clock = stream.clock();
    let service = service_fn(move |request| {
        let (answers, clock) = (answers.clone(), clock.clone());
        // A request comes behind the handshake.
        let peer = Origin::new(address, certificate.get());
        async move {
            // It may have come with the one before.
            clock.begin();
            let answer = answers.answer(request, peer).await;
            if answer.extensions().get::<Lasting>().is_some() {
                clock.lasts();
            } else {
                clock.answered();
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let mut http = http1::Builder::new();
    http.max_headers(HEADERS_MAX)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(BUFFER_BYTES_MAX)
        // The clock of the connection has its time as well.
        .header_read_timeout(None);
    let connection = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        // How a connection ends is its peer's affair.
        _ = connection.as_mut() => return,
        () = stop.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::time::timeout(LEAVE_WITHIN, connection).await.ok();
}
