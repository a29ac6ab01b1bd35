//! Runs handlers without a network.

mod call;
mod fan_out;
mod ran;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::batch::Batch;
use crate::context::Context;
use crate::error::HandlerResult;
use crate::handler::{Handler, Raw, Typed};
use crate::middleware::Middleware;
use crate::registry::Registry;

pub use call::Call;
pub use fan_out::FannedOut;
pub use ran::{Mapped, Ran};

/// Handlers to be tested.
///
/// ```
/// use tickwheel_worker::{Context, testing::Harness};
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let harness = Harness::new().handle("sum", |ctx: Context, terms: Vec<i64>| async move {
///     ctx.log("adding");
///     Ok(terms.iter().sum::<i64>())
/// });
/// let ran = harness.run("sum", &[1, 2, 3]).await;
/// assert_eq!(ran.result::<i64>().unwrap(), 6);
/// assert_eq!(ran.logs, ["adding"]);
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use]
pub struct Harness {
    registry: Registry,
}

impl Harness {
    /// Without handlers.
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`WorkerBuilder::state`](crate::WorkerBuilder::state).
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.registry.state(value);
        self
    }

    /// As [`WorkerBuilder::wrap`](crate::WorkerBuilder::wrap).
    pub fn wrap(mut self, middleware: impl Middleware) -> Self {
        self.registry.wrap(Arc::new(middleware));
        self
    }

    /// As [`WorkerBuilder::handle`](crate::WorkerBuilder::handle).
    pub fn handle<F, Fut, B, T>(self, name: impl AsRef<str>, function: F) -> Self
    where
        F: Fn(Context, B) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = HandlerResult<T>> + Send + 'static,
        B: DeserializeOwned + 'static,
        T: Serialize + 'static,
    {
        self.handler(name, Typed::<F, B, T>::new(function))
    }

    /// As [`WorkerBuilder::handle_raw`](crate::WorkerBuilder::handle_raw).
    pub fn handle_raw<F, Fut>(self, name: impl AsRef<str>, function: F) -> Self
    where
        F: Fn(Context, Bytes) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = HandlerResult<Bytes>> + Send + 'static,
    {
        self.handler(name, Raw(function))
    }

    /// As [`WorkerBuilder::handler`](crate::WorkerBuilder::handler).
    pub fn handler(mut self, name: impl AsRef<str>, handler: impl Handler) -> Self {
        self.registry.add(name.as_ref(), Arc::new(handler));
        self
    }

    /// As [`WorkerBuilder::batch`](crate::WorkerBuilder::batch).
    pub fn batch<F, Fut, B, T>(
        self,
        name: impl AsRef<str>,
        max: usize,
        window: Duration,
        function: F,
    ) -> Self
    where
        F: Fn(Vec<(Context, B)>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Vec<HandlerResult<T>>> + Send + 'static,
        B: DeserializeOwned + Send + 'static,
        T: Serialize + Send + 'static,
    {
        self.handler(name, Batch::<F, B, T>::new(function, max, window))
    }
}
