//! Workers that were let in and may not stay: their token was revoked, or is over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tickwheel_core::access::TokenId;

use crate::access::Authority;
use crate::metrics::measure;
use crate::periodic::{Counts, Periodic};
use crate::sessions::{Session, Sessions};

/// See the module.
#[derive(Debug)]
pub(crate) struct Expulsions {
    pub(crate) every: Duration,
    pub(crate) authority: Arc<Authority>,
    pub(crate) sessions: Arc<Sessions>,
}

impl Periodic for Expulsions {
    const TASK: &'static str = "expulsions";

    fn every(&self) -> Duration {
        self.every
    }

    async fn run_once(&mut self) -> Counts {
        let mut by_token: BTreeMap<TokenId, Vec<Arc<Session>>> = BTreeMap::new();
        for session in self.sessions.all() {
            if let Some(token) = session.caller().token() {
                by_token.entry(token.clone()).or_default().push(session);
            }
        }
        for session in by_token.into_values().flatten() {
            // A token is read once, however many streams it has; each may show another of its secrets.
            if !self.authority.still_knows(session.caller()).await {
                measure::refused_access("expelled");
                tracing::info!(worker = %session.worker, token = ?session.caller().token(), "a worker may not stay: its token is not good any more");
                session.expel();
            }
        }
        Counts::default()
    }
}
