//! The HTTP surface: liveness, readiness and metrics, for the machinery around a tracker.
//!
//! It listens on loopback unless configured otherwise, knows three paths, and bounds what a peer can hold: connections by number, and each
//! request by time.

pub mod health;
mod patience;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use health::Health;
use patience::Patient;

/// What the handlers look at.
#[derive(Clone)]
pub struct Surface {
    /// Whether the tracker can work.
    pub health: Arc<Health>,
    /// Renders the metrics.
    pub metrics: PrometheusHandle,
}

impl std::fmt::Debug for Surface {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surface")
            .field("health", &self.health)
            .finish_non_exhaustive()
    }
}

/// The three paths.
pub fn router(surface: Surface) -> Router {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(scrape))
        .with_state(surface)
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

/// Serves `router` until `stop`, then ends the connections that are idle and waits for the others, each at most the time of one request.
///
/// # Errors
/// None today: a failing connection ends alone.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) -> std::io::Result<()> {
    axum::serve(Patient::new(listener), router)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

/// The process answers: nothing more. A supervisor that restarts on this must not do so because Redis is away.
async fn alive() -> &'static str {
    "alive\n"
}

async fn ready(State(surface): State<Surface>) -> Response {
    let readiness = surface.health.readiness();
    let status = if readiness.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness)).into_response()
}

async fn scrape(State(surface): State<Surface>) -> Response {
    let kind = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    (kind, surface.metrics.render()).into_response()
}

#[cfg(test)]
mod tests;
