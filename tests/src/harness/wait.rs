//! Waiting for facts.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::Instant;

use super::clock::wall_ms;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(15);

/// Looks until `look` succeeds, and answers with what it found. After `limit` the last failure is the error, under `what`.
///
/// # Errors
/// What `look` said last, when the fact did not come true in time.
pub async fn until<T>(
    what: &str,
    limit: Duration,
    mut look: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    let end = Instant::now() + limit;
    loop {
        match look().await {
            Ok(found) => return Ok(found),
            Err(missing) if Instant::now() >= end => {
                return Err(missing).with_context(|| format!("waited {limit:?} for: {what}"));
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Waits until the machine's clock shows `ms`; for tests in which nothing shall happen for a while.
pub async fn until_clock(ms: u64) {
    while let Some(left) = ms.checked_sub(wall_ms()).filter(|left| *left > 0) {
        tokio::time::sleep(Duration::from_millis(left)).await;
    }
}
