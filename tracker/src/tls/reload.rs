//! Takes up what is new in the files of the certificate.

use std::sync::Arc;
use std::time::Duration;

use tickwheel_core::error::Violations;

use super::certificate::Files;
use super::serving::Serving;
use crate::metrics::measure;
use crate::periodic::{Counts, Periodic};

/// Looks at the files, whatever their times are: what is mounted is often replaced behind links.
#[derive(Debug)]
pub(crate) struct Reload {
    serving: Arc<Serving>,
    /// What was wrong at the last look, and whether it was told.
    wrong: Option<(String, bool)>,
}

impl Reload {
    pub(crate) fn new(serving: Arc<Serving>) -> Self {
        Self {
            serving,
            wrong: None,
        }
    }

    /// What cannot be served twice in a row is told, once: files that are replaced one after the other do not fit each other for a moment.
    fn refuse(&mut self, violations: &Violations) {
        let said = violations.to_string();
        let (is_same, was_told) = match &self.wrong {
            Some((before, told)) => (*before == said, *told),
            None => (false, false),
        };
        if is_same && !was_told {
            measure::tls_unfit(true);
            tracing::error!(
                reason = said,
                "the new certificate cannot be served; the one before is served on"
            );
        }
        self.wrong = Some((said, is_same));
    }

    fn accept(&mut self) {
        self.wrong = None;
        measure::tls_unfit(false);
        measure::tls_expires(self.serving.expires());
    }
}

impl Periodic for Reload {
    const TASK: &'static str = "tls";

    fn every(&self) -> Duration {
        self.serving.tls.recheck
    }

    async fn run_once(&mut self) -> Counts {
        let serving = Arc::clone(&self.serving);
        // A file may lie on a disk that does not answer.
        let looked = tokio::task::spawn_blocking(move || {
            let files = Files::read(&serving.tls)?;
            if serving.is_of(&files) {
                return Ok(false);
            }
            serving.take_up(files).map(|()| true)
        });
        match looked.await {
            Ok(Ok(is_new)) => {
                self.accept();
                if is_new {
                    let expires = self.serving.expires();
                    tracing::info!(expires, "a new certificate is served from now on");
                }
            }
            Ok(Err(violations)) => {
                self.refuse(&violations);
                return Counts::one(false);
            }
            Err(error) => {
                tracing::warn!(%error, "the files of the certificate were not looked at");
                return Counts::one(false);
            }
        }
        Counts::one(true)
    }
}
