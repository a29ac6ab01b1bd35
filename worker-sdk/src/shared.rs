//! What all tasks of a worker share.

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tickwheel_proto::v1::{AttemptRef, Roster, WorkerMessage};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{Instrument as _, debug};

use crate::attempt::{Attempt, Said, Sink, run};
use crate::fan::{Reply, Request};
use crate::identity::Identity;
use crate::protocol::{Protocol, Start};
use crate::registry::Registry;
use crate::shows::Shows;
use crate::tracing_layer::span_of;

#[derive(Debug)]
pub(crate) struct Shared {
    protocol: Mutex<Protocol>,
    pub(crate) registry: Registry,
    pub(crate) identity: Identity,
    /// Urls the user gave; kept whatever the rosters say.
    pub(crate) seeds: Vec<String>,
    /// What is shown to trackers.
    pub(crate) shows: Shows,
    /// Urls of the newest roster.
    pub(crate) roster: watch::Sender<Vec<String>>,
    /// Counts the links' comings and goings.
    pub(crate) links_changed: watch::Sender<u64>,
}

impl Shared {
    pub(crate) fn new(
        protocol: Protocol,
        registry: Registry,
        identity: Identity,
        (seeds, shows): (Vec<String>, Shows),
    ) -> Self {
        let (roster, links_changed) = (watch::Sender::default(), watch::Sender::default());
        Self {
            protocol: Mutex::new(protocol),
            registry,
            identity,
            seeds,
            shows,
            roster,
            links_changed,
        }
    }

    pub(crate) fn protocol(&self) -> MutexGuard<'_, Protocol> {
        self.protocol.lock()
    }

    /// The first frame of a stream, of a worker that goes by this id.
    pub(crate) fn hello(&self, worker_id: String, running: Vec<AttemptRef>) -> WorkerMessage {
        let handlers = self.registry.names();
        WorkerMessage {
            hello: Some(self.identity.hello(worker_id, handlers, running)),
            ..WorkerMessage::default()
        }
    }

    /// Runs each attempt in a task of its own.
    pub(crate) fn start(self: &Arc<Self>, starts: Vec<Start>) {
        for Start {
            attempt,
            handler,
            body,
        } in starts
        {
            let shared = Arc::clone(self);
            tokio::spawn(async move {
                let ctx = shared.registry.context(&attempt);
                let work = async { shared.registry.call(handler, ctx, body).await };
                let ended = run(&attempt, work).instrument(span_of(&attempt)).await;
                crash_point!("after_handler");
                debug!(attempt = %attempt.key, ?ended, "attempt ended");
                shared.protocol().finish(&attempt, ended);
            });
        }
    }

    pub(crate) fn take_roster(&self, roster: &Roster) {
        let urls: Vec<String> = roster.tracker_urls.iter().map(|url| normal(url)).collect();
        self.roster.send_if_modified(|known| {
            let differs = *known != urls;
            if differs {
                *known = urls;
            }
            differs
        });
    }

    /// Whether a stream to this tracker is to be kept up.
    pub(crate) fn wants(&self, url: &str) -> bool {
        self.seeds.iter().any(|seed| seed == url)
            || self.roster.borrow().iter().any(|known| known == url)
    }
}

impl Sink for Shared {
    fn log(&self, attempt: &Attempt, said: Said) -> bool {
        self.protocol().log(attempt, said)
    }

    fn progress(&self, attempt: &Attempt, percent: u32, message: String) {
        self.protocol()
            .progress(attempt, percent, message, Instant::now());
    }

    fn ask(&self, attempt: &Attempt, request: Request) -> Reply {
        self.protocol().ask(attempt, request)
    }
}

/// A url as links compare it: with a scheme, without a slash at its end.
pub(crate) fn normal(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    if url.contains("://") {
        url.to_owned()
    } else {
        format!("http://{url}")
    }
}
