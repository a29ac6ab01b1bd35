//! The HTTP surface: liveness, readiness and metrics, for the machinery around a tracker.
//!
//! It listens on loopback unless configured otherwise, knows three paths, and bounds what a peer can hold: connections by number, and each
//! by time (`patience.rs`). A connection has one request. The metrics are written out once a second at most, whoever asks.

mod hosts;
mod patience;
mod scrape;
mod upkeep;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::health::{Health, Pulse};
use hosts::Hosts;
use patience::Patient;
use scrape::Scrape;
pub(crate) use upkeep::Upkeep;

/// What the handlers look at.
#[derive(Clone)]
pub struct Surface {
    /// Whether the tracker can work.
    pub health: Arc<Health>,
    /// Whether the threads that turn the wheel are alive.
    pub pulse: Arc<Pulse>,
    /// Renders the metrics.
    pub metrics: PrometheusHandle,
}

impl std::fmt::Debug for Surface {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surface")
            .field("health", &self.health)
            .field("pulse", &self.pulse)
            .finish_non_exhaustive()
    }
}

/// The three paths, asked for under one of `hosts`.
fn router(surface: Surface, hosts: Hosts) -> Router {
    let scrapes = Arc::new(Scrape::new(surface.metrics.clone()));
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .with_state(surface)
        .route("/metrics", get(scrape))
        .with_state(scrapes)
        .layer(from_fn_with_state(hosts, admitted))
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

/// Serves the surface to `connections` at once until `stop`, then ends the connections that are idle and waits for the others, each at most
/// the time of one request.
///
/// # Errors
/// When the listener does not know its address; a failing connection ends alone.
pub async fn serve(
    listener: TcpListener,
    surface: Surface,
    connections: u32,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let hosts = Hosts::of(listener.local_addr()?);
    axum::serve(Patient::new(listener, connections), router(surface, hosts))
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

/// Answers one request, and no further one on its connection.
async fn admitted(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    let mut response = match hosts.refuse(&request) {
        None => next.run(request).await,
        Some((status, why)) => (status, why).into_response(),
    };
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
