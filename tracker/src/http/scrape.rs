//! The metrics as text, written out once a second at most: writing takes a while where there are many, and anybody may ask.

use std::time::Duration;

use axum::body::Bytes;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A text is given to everybody who asks within this.
const FRESH: Duration = Duration::from_secs(1);

/// The last text and its age.
pub(super) struct Scrape {
    metrics: PrometheusHandle,
    last: Mutex<Option<(Instant, Bytes)>>,
}

impl Scrape {
    pub(super) fn new(metrics: PrometheusHandle) -> Self {
        Self {
            metrics,
            last: Mutex::new(None),
        }
    }

    /// The text. One asks for it at a time, the others wait for the same.
    pub(super) async fn text(&self) -> Bytes {
        let mut last = self.last.lock().await;
        if let Some((at, text)) = &*last
            && at.elapsed() < FRESH
        {
            return text.clone();
        }
        let metrics = self.metrics.clone();
        // Not on the thread that says that this process is alive.
        let text = tokio::task::spawn_blocking(move || Bytes::from(metrics.render())).await;
        // It does not panic, and nobody aborts it.
        let text = text.unwrap_or_default();
        *last = Some((Instant::now(), text.clone()));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics;

    #[tokio::test(start_paused = true)]
    async fn a_text_is_written_once_a_second() {
        let recorder = metrics::recorder().unwrap();
        let scrape = Scrape::new(recorder.handle());
        let count = || {
            ::metrics::with_local_recorder(&recorder, || {
                ::metrics::counter!(metrics::definitions::SUBMITTED.name).increment(1);
            });
        };
        count();
        let first = scrape.text().await;
        assert!(
            first.ends_with(b"tickwheel_submitted_total 1\n\n"),
            "{first:?}"
        );
        count();
        assert_eq!(scrape.text().await, first);
        tokio::time::advance(FRESH).await;
        assert_ne!(scrape.text().await, first);
    }
}
