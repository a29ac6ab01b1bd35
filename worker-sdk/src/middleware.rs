//! What runs around each attempt of a worker.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::context::Context;
use crate::error::HandlerResult;
use crate::handler::Handler;

/// Runs around each attempt: measures it, refuses it, changes its body or its result. A function of a context, a body and a [`Next`] is one.
pub trait Middleware: Send + Sync + 'static {
    /// Body in, result out. The handler runs when [`Next::run`] is called, and not otherwise. Time-out and cancellation hold for all of it.
    fn call(
        &self,
        ctx: Context,
        body: Bytes,
        next: Next,
    ) -> BoxFuture<'static, HandlerResult<Bytes>>;
}

impl<F, Fut> Middleware for F
where
    F: Fn(Context, Bytes, Next) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = HandlerResult<Bytes>> + Send + 'static,
{
    fn call(
        &self,
        ctx: Context,
        body: Bytes,
        next: Next,
    ) -> BoxFuture<'static, HandlerResult<Bytes>> {
        self(ctx, body, next).boxed()
    }
}

/// What is around the handlers of a worker, from the outermost.
pub(crate) type Chain = Arc<[Arc<dyn Middleware>]>;

/// The rest of the way to the handler.
pub struct Next {
    chain: Chain,
    /// How many of them have been called.
    passed: usize,
    handler: Arc<dyn Handler>,
}

impl Next {
    pub(crate) fn new(chain: Chain, handler: Arc<dyn Handler>) -> Self {
        Self {
            chain,
            passed: 0,
            handler,
        }
    }

    /// Goes on: through the middlewares that are left, to the handler.
    pub fn run(self, ctx: Context, body: Bytes) -> BoxFuture<'static, HandlerResult<Bytes>> {
        let Some(middleware) = self.chain.get(self.passed) else {
            return self.handler.call(ctx, body);
        };
        let middleware = Arc::clone(middleware);
        let next = Self {
            passed: self.passed + 1,
            ..self
        };
        middleware.call(ctx, body, next)
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = self.chain.len() - self.passed;
        write!(f, "Next({left} middlewares, then the handler)")
    }
}
