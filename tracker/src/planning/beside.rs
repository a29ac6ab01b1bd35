//! Computing that may take long, beside the runtime.

use crate::error::Error;

/// A span whose due times are walked over in a few milliseconds at most: there is one each second, or fewer.
const SHORT_MS: u64 = 300_000;

/// Computes over a span of due times. Catching up may walk a million of them, seconds of computing, which is done beside the runtime; a
/// short span costs less than handing it over.
pub(crate) async fn beside<T: Send + 'static>(
    span_ms: u64,
    compute: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    if span_ms <= SHORT_MS {
        return Ok(compute());
    }
    let computed = tokio::task::spawn_blocking(compute).await;
    computed.map_err(|_| Error::conflict("planning was interrupted"))
}
