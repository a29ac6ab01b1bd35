//! The two surfaces of a tracker, gRPC and HTTP, and the threads they run on.
//!
//! Connections of gRPC and the streams of workers are served where the wheel is turned, so that a frame costs no change of threads. Calls,
//! and requests of the HTTP API, are decoded and answered on two threads of their own, and everything else of HTTP on one: however long they
//! take, turns and sessions go on, and whoever asks whether this process lives has an answer. Handshakes of TLS are made on a thread of their
//! own, as each takes a millisecond of arithmetic before anybody is known.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use tickwheel_proto::v1::scheduler_service_server::SchedulerServiceServer;
use tickwheel_proto::v1::worker_service_server::WorkerServiceServer;
use tickwheel_proto::wire::bounds::{CALL_BYTES_MAX, FRAME_BYTES_MAX};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;

use crate::config::Config;
use crate::edge::descriptors;
use crate::edge::incoming::incoming;
use crate::edge::{Front, Guard, Memory, Peers, Watched};
use crate::error::Error;
use crate::health::{Health, Pulse};
use crate::http::{self, Api, Programs, Surface, Upkeep, Xcron};
use crate::metrics;
use crate::periodic;
use crate::rpc::scheduler::Scheduler;
use crate::rpc::worker::{PING, Workers};
use crate::tls::{Acceptor, Secured, Serving, Wire};
use crate::wiring::Wired;

/// Streams of one connection; without a limit a peer could open any number.
const STREAMS_MAX: u32 = 256;
const KEEPALIVE_INTERVAL: Duration = PING;
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(3);
/// Bytes in flight before a peer has to acknowledge: one stream carries everything of a worker.
const STREAM_WINDOW: u32 = 1 << 20;
/// What a connection may have sent and nobody has read yet.
const CONNECTION_WINDOW: u32 = 2 << 20;
/// Threads that answer calls.
const CALL_THREADS: usize = 2;
/// Connections to the HTTP surface at once: 1,024 streams, and 256 for everything else.
const HTTP_CONNECTIONS: u32 = 1_280;

/// Both addresses, taken before anybody is told of them.
#[derive(Debug)]
pub(crate) struct Doors {
    grpc: TcpListener,
    http: Option<std::net::TcpListener>,
    /// As bound.
    pub(crate) grpc_addr: SocketAddr,
    /// As bound.
    pub(crate) http_addr: Option<SocketAddr>,
}

/// What serves, until it is told to stop.
#[derive(Debug)]
pub(crate) struct Surfaces {
    serving: Vec<JoinHandle<()>>,
    _calls: Front,
    _http: Option<Front>,
    _handshakes: Option<Front>,
}

impl Doors {
    /// Binds what is configured.
    pub(crate) async fn open(config: &Config) -> Result<Self, Error> {
        let refused = |address| move |source| Error::Listen { address, source };
        let grpc = http::bind(config.grpc_listen).await?;
        let grpc_addr = grpc.local_addr().map_err(refused(config.grpc_listen))?;
        let (mut http, mut http_addr) = (None, None);
        if let Some(address) = config.http_listen {
            let listener = http::bind(address).await?;
            http_addr = Some(listener.local_addr().map_err(refused(address))?);
            // It is served by a runtime of its own.
            http = Some(listener.into_std().map_err(refused(address))?);
        }
        Ok(Self {
            grpc,
            http,
            grpc_addr,
            http_addr,
        })
    }

    /// Serves both until `stop`, over TLS where there is a certificate.
    pub(crate) fn serve(
        self,
        (config, tls): (&Config, Option<&Arc<Serving>>),
        wired: &Wired,
        health: &Arc<Health>,
        stop: &CancellationToken,
    ) -> Result<Surfaces, Error> {
        let room = descriptors::room(config.grpc_connections, HTTP_CONNECTIONS);
        let address = self.grpc_addr;
        let refused = |source| Error::Listen { address, source };
        let calls = Front::start("tickwheel-calls", CALL_THREADS).map_err(refused)?;
        let peers = Peers::new(room.grpc, config.grpc_connections_per_address);
        let handshakes = tls.map(|_| Front::start("tickwheel-tls", 1));
        let handshakes = handshakes.transpose().map_err(refused)?;
        let acceptor = |wire| match (tls, &handshakes) {
            (Some(tls), Some(front)) => Acceptor::tls(Arc::clone(tls), wire, front.handle()),
            _ => Acceptor::Plain,
        };
        let incoming = incoming(self.grpc, peers, acceptor(Wire::Grpc));
        let grpc = grpc(incoming, wired, &calls, stop.clone());
        let mut serving = vec![tokio::spawn(grpc)];
        let mut http = None;
        if let Some((listener, address)) = self.http.zip(self.http_addr) {
            let refused = |source| Error::Listen { address, source };
            let front = Front::start("tickwheel-http", 1).map_err(refused)?;
            let pulse = Arc::new(Pulse::new());
            serving.push(tokio::spawn(Arc::clone(&pulse).beat(stop.clone())));
            let scheduler = Scheduler::new(Arc::clone(&wired.api));
            let programs = Programs::new(calls.handle().clone(), stop.clone());
            let surface = Surface {
                health: Arc::clone(health),
                pulse,
                metrics: metrics::install()?,
                xcron: xcron(config, &scheduler, &programs),
                api: Some(Api::new(scheduler, programs)),
            };
            let connections = (room.http, acceptor(Wire::Http));
            let serve = serve_http(listener, (surface, connections), stop.clone());
            serving.push(front.handle().spawn(serve));
            http = Some(front);
        }
        Ok(Surfaces {
            serving,
            _calls: calls,
            _http: http,
            _handshakes: handshakes,
        })
    }
}

impl Surfaces {
    /// Returns when both have stopped.
    pub(crate) async fn ended(self) {
        for task in self.serving {
            // One that panicked serves nothing.
            task.await.ok();
        }
    }
}

/// The endpoints of xcron, unless they are turned off.
fn xcron(config: &Config, scheduler: &Scheduler, programs: &Programs) -> Option<Xcron> {
    let settings = config.xcron.clone();
    let (scheduler, programs) = (scheduler.clone(), programs.clone());
    settings
        .enabled
        .then(|| Xcron::new(scheduler, programs, settings))
}

fn grpc<C: Stream<Item = std::io::Result<Watched<Secured<TcpStream>>>>>(
    connections: C,
    wired: &Wired,
    calls: &Front,
    stop: CancellationToken,
) -> impl Future<Output = ()> + use<C> {
    let scheduler = SchedulerServiceServer::new(Scheduler::new(Arc::clone(&wired.api)))
        .max_decoding_message_size(CALL_BYTES_MAX);
    let workers = WorkerServiceServer::new(Workers(Arc::clone(&wired.streams)))
        .max_decoding_message_size(FRAME_BYTES_MAX);
    let threads = calls.handle().clone();
    let authority = || Arc::clone(&wired.api.authority);
    let scheduler = (scheduler, authority());
    let scheduler = Guard::calls(scheduler, CALL_BYTES_MAX, threads, Memory::new());
    let workers = Guard::streams((workers, authority()), FRAME_BYTES_MAX);
    let server = Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .max_concurrent_streams(Some(STREAMS_MAX))
        .initial_stream_window_size(Some(STREAM_WINDOW))
        .initial_connection_window_size(Some(CONNECTION_WINDOW))
        .add_service(scheduler)
        .add_service(workers);
    async move {
        // An open stream would hold a graceful shutdown for ever, so the server simply ends when it is told to.
        tokio::select! {
            served = server.serve_with_incoming(connections) => {
                if let Err(error) = served {
                    tracing::error!(%error, "the gRPC server ended");
                }
            }
            () = async { stop.cancelled().await; tokio::time::sleep(Duration::from_millis(100)).await } => {}
        }
    }
}

async fn serve_http(
    listener: std::net::TcpListener,
    (surface, connections): (Surface, (u32, Acceptor)),
    stop: CancellationToken,
) {
    let handle = surface.metrics.clone();
    // Here, so that its events come to the threads of this surface.
    let served = match TcpListener::from_std(listener) {
        Ok(listener) => {
            let serve = http::serve(listener, surface, connections, stop.clone());
            let (served, _) = tokio::join!(serve, periodic::run(Upkeep(handle), stop));
            served
        }
        Err(error) => Err(error),
    };
    if let Err(error) = served {
        tracing::error!(%error, "the HTTP server ended");
    }
}
