//! Ctrl-C and SIGTERM: both ask for a graceful stop.

use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;

/// The signals that end a long-running command. Made before anything is started, so that none is missed.
#[derive(Debug)]
pub(crate) struct Shutdown {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Shutdown {
    pub(crate) fn listen() -> Result<Self, Failure> {
        let open = |kind| {
            signal(kind).map_err(|e| Failure::broken(format!("cannot listen for signals: {e}")))
        };
        Ok(Self {
            interrupt: open(SignalKind::interrupt())?,
            terminate: open(SignalKind::terminate())?,
        })
    }

    /// Returns at the first signal. Cancellation safe.
    pub(crate) async fn requested(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
