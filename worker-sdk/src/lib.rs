//! Write the handlers of Tickwheel jobs.
//!
//! A worker dials out to the trackers of a cluster, says which handlers it has and how many it runs at once, runs what it
//! is given, and tells how each attempt ended. It speaks gRPC with trackers only; it knows no Redis and opens no port.
//!
//! ```no_run
//! use serde::Deserialize;
//! use tickwheel_worker::{Context, Stopped, Worker};
//!
//! #[derive(Deserialize)]
//! struct CloseOrder { order: u64 }
//!
//! #[tokio::main]
//! async fn main() -> Result<Stopped, tickwheel_worker::Error> {
//!     Worker::builder("http://127.0.0.1:7400").group("orders").concurrency(64)
//!         .handle("close", |ctx: Context, body: CloseOrder| async move {
//!             ctx.log(format!("closing {}", body.order));
//!             Ok(())
//!         })
//!         .run().await
//! }
//! ```
//!
//! # What a handler can rely on
//! - A context is dispatched **at least once**, and its end is recorded exactly once. Two attempts of one context can
//!   overlap when a worker is frozen or cut off: [`Context::idempotency_key`] and [`Context::fence`] are for that.
//! - `?` makes a retried failure of any error; [`fatal`] and [`retry_after`] say more. A panic is a failure.
//! - A handler is async: one that blocks its thread (long computing, blocking I/O) belongs into
//!   `tokio::task::spawn_blocking`. One that holds its thread beyond time-out and grace is given up and counted as leaked;
//!   if handlers hold all threads of the runtime, the worker is as good as dead and its leases run out.
//! - Outcomes are kept until a tracker, any tracker, has confirmed that they are stored.
//!
//! # What handlers share
//! - [`WorkerBuilder::state`] gives them a pool or a client, [`WorkerBuilder::wrap`] runs around each of their attempts.
//! - Each attempt runs in a `tracing` span `attempt` with its context, number, handler and job. With the feature `tracing-layer`, events
//!   inside of it become lines of the context's log.
//!
//! # More than one handler call
//! - [`Context::map`] makes a subtask of each item, up to ten million, run by any worker; [`Context::reduce`] names what runs once behind
//!   them, and reads their results by [`Context::results`].
//! - Jobs with `model: broadcast`, `sharding` or `indexed` run their handler in parts; [`Context::shard`] says which one this is.
//! - [`WorkerBuilder::batch`] hands many small contexts to one call.
//!
//! [`testing`] runs handlers without a network, and whole workers against a tracker double.

/// A place at which a process under test may die; nothing without the feature `crash-points`.
macro_rules! crash_point {
    ($name:literal) => {
        #[cfg(feature = "crash-points")]
        tickwheel_crash_points::crash_point!($name);
    };
}

mod attempt;
mod batch;
mod bounds;
mod context;
mod error;
mod fan;
mod handler;
mod identity;
mod load;
mod middleware;
mod outcome;
mod permit;
mod protocol;
mod registry;
mod resources;
mod session;
mod shared;
mod shows;
mod stall;
mod state;
mod stats;
pub mod testing;
mod timer;
mod tracing_layer;
mod upstream;
mod worker;

pub use attempt::{CancelReason, LogLevel};
pub use bounds::CONCURRENCY_MAX;
pub use context::Context;
pub use error::{BoxError, Cause, Error, HandlerError, HandlerResult, fatal, retry_after};
pub use fan::{
    FanError, MapOptions, ReduceWhen, Results, Shard, Subtask, SubtaskKind, SubtaskResult,
};
pub use handler::Handler;
pub use middleware::{Middleware, Next};
pub use outcome::Outcome;
pub use stats::Stats;
#[cfg(feature = "tracing-layer")]
pub use tracing_layer::LogLayer;
pub use upstream::Upstream;
pub use worker::{RunningWorker, Stopped, Worker, WorkerBuilder};

/// The body of a handler with its name: what [`WorkerBuilder::task`] runs and `tickwheel-client` submits.
pub use tickwheel_core::Task;
/// Where the token of a worker is from.
pub use tickwheel_proto::credential::Credential;
/// Who vouches for trackers that speak TLS.
#[cfg(feature = "tls")]
pub use tickwheel_proto::trust::Trust;
/// What cancels a worker given to [`WorkerBuilder::shutdown`].
pub use tokio_util::sync::CancellationToken;
