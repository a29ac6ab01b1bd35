//! The HTTP surface: liveness, readiness and metrics for the machinery around a tracker, the API for programs (`api/`), the web console for
//! people (`console.rs`), and the endpoints of xcron for those that were written for it (`xcron/`).
//!
//! It listens on loopback unless configured otherwise, and bounds what a peer can hold: connections by number, and each by time
//! (`request_deadline.rs`, `clock.rs`). A connection of a probe has one request, one of the API any number. The metrics are written out
//! once a second at most, whoever asks. What is answered here costs next to nothing; programs are answered on the threads of calls (`programs.rs`).

mod api;
mod clock;
mod connections;
mod console;
mod hosts;
mod programs;
mod request_deadline;
mod safety;
mod scrape;
mod upkeep;
mod xcron;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Request, Response as HttpResponse, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use hyper::body::Incoming;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::codegen::Service as _;

use crate::access::Origin;
use crate::error::Error;
use crate::health::{Health, Pulse};
use crate::tls::Acceptor;
pub(crate) use api::Api;
use connections::Answers;
use hosts::Hosts;
pub(crate) use programs::Programs;
use scrape::Scrape;
pub(crate) use upkeep::Upkeep;
pub(crate) use xcron::Xcron;

/// What the handlers look at.
#[derive(Clone)]
pub(crate) struct Surface {
    /// Whether the tracker can work.
    pub(crate) health: Arc<Health>,
    /// Whether the threads that turn the wheel are alive.
    pub(crate) pulse: Arc<Pulse>,
    /// Renders the metrics.
    pub(crate) metrics: PrometheusHandle,
    /// Answers what programs ask; absent where only probes ask.
    pub(crate) api: Option<Api>,
    /// Answers what clients of xcron ask.
    pub(crate) xcron: Option<Xcron>,
}

impl std::fmt::Debug for Surface {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surface")
            .field("health", &self.health)
            .field("pulse", &self.pulse)
            .finish_non_exhaustive()
    }
}

/// The three paths of probes.
fn router(surface: &Surface) -> Router {
    let scrapes = Arc::new(Scrape::new(surface.metrics.clone()));
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .with_state(surface.clone())
        .route("/metrics", get(scrape))
        .with_state(scrapes)
}

/// Binds `address`.
///
/// # Errors
/// [`Error::Listen`] when the system refuses the address.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address)
        .await
        .map_err(|source| Error::Listen { address, source })
}

/// Serves the surface to so many `connections` at once, each as the acceptor has it, until `stop`, then ends the connections that rest and waits for the others, each for an
/// answer that is under way.
///
/// # Errors
/// When the listener does not know its address; a failing connection ends alone.
pub(crate) async fn serve(
    listener: TcpListener,
    surface: Surface,
    connections: (u32, Acceptor),
    stop: CancellationToken,
) -> std::io::Result<()> {
    let door = Door {
        hosts: Hosts::of(listener.local_addr()?),
        probes: router(&surface),
        api: surface.api,
        xcron: surface.xcron,
    };
    connections::serve(listener, connections, door, stop).await
}

/// Where all requests come in.
#[derive(Clone)]
struct Door {
    hosts: Hosts,
    probes: Router,
    api: Option<Api>,
    xcron: Option<Xcron>,
}

impl Answers for Door {
    async fn answer(&self, request: Request<Incoming>, peer: Origin) -> HttpResponse<Body> {
        let refused = self.hosts.refuse(&request);
        let api = self.api.as_ref().filter(|_| api::is_under(&request));
        let xcron = self.xcron.as_ref().filter(|_| xcron::is_under(&request));
        // It is a page over the API: where that is not asked, neither is it.
        let console = self.api.as_ref().map(|_| ());
        let mut response = match (api, xcron, refused) {
            (Some(api), _, refused) => api.answer(request, peer, refused).await,
            (None, _, Some((status, why))) => last((status, why).into_response()),
            (None, Some(xcron), None) => xcron.answer(request, peer).await,
            (None, None, None) => match console.and_then(|()| console::answer(&request)) {
                Some(page) => page,
                None => {
                    let answered = self.probes.clone().call(request.map(Body::new)).await;
                    last(answered.unwrap_or_else(|never| match never {}))
                }
            },
        };
        safety::shield(response.headers_mut());
        response
    }
}

/// An answer to a probe: no further one on its connection.
fn last(mut response: Response) -> Response {
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(header::CONNECTION, close);
    response
}

/// The process answers, and its loops run: nothing more. A supervisor that restarts on this must not do so because Redis is away.
async fn alive(State(surface): State<Surface>) -> (StatusCode, &'static str) {
    if surface.pulse.is_alive() {
        (StatusCode::OK, "alive\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "stuck\n")
    }
}

/// Without the details of its reasons, which are in the log: whoever reaches this port may read it.
async fn ready(State(surface): State<Surface>) -> Response {
    let readiness = surface.health.readiness().in_short();
    let status = if readiness.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness)).into_response()
}

async fn scrape(State(scrapes): State<Arc<Scrape>>) -> Response {
    let kind = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    (kind, scrapes.text().await).into_response()
}

#[cfg(test)]
mod tests;
