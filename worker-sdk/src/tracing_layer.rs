//! The `tracing` span of an attempt, and the layer that makes lines of a context's log of the events in it.

use std::sync::Arc;

use tracing::Span;

use crate::attempt::Attempt;

#[cfg(feature = "tracing-layer")]
mod layer;

#[cfg(feature = "tracing-layer")]
pub use layer::LogLayer;

/// Of the span of an attempt.
const TARGET: &str = "tickwheel_worker::attempt";

/// The span in which an attempt runs. It is of the level error, so that a filter which shows warnings only still knows whose they are.
pub(crate) fn span_of(attempt: &Arc<Attempt>) -> Span {
    let make = || {
        tracing::error_span!(
            target: TARGET,
            "attempt",
            context = &*attempt.key.context,
            number = attempt.key.attempt,
            handler = &*attempt.handler,
            job = attempt.job.as_str(),
        )
    };
    #[cfg(feature = "tracing-layer")]
    return layer::made_for(attempt, make);
    #[cfg(not(feature = "tracing-layer"))]
    make()
}
