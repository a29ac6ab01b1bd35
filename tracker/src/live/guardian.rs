//! Whether somebody who watches may go on.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::access::{Authority, Caller};
use crate::metrics::measure;

/// Why a stream ends that nobody left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// The tracker stops.
    Draining,
    /// What its caller showed is not good any more.
    Expelled,
}

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Guardian {
    authority: Arc<Authority>,
    caller: Caller,
    /// Between two looks at what its caller showed, and when the next one is.
    every: Duration,
    next: Instant,
    stop: CancellationToken,
}

impl Guardian {
    pub(super) fn new(
        (authority, caller): (Arc<Authority>, Caller),
        every: Duration,
        stop: CancellationToken,
    ) -> Self {
        Self {
            authority,
            caller,
            every,
            next: Instant::now() + every,
            stop,
        }
    }

    /// Returns when the stream has to end, and at once when it had to before. Dropping the future puts nothing off.
    pub(crate) async fn over(&mut self) -> Over {
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Over::Draining,
                () = sleep_until(self.next) => {}
            }
            if !self.authority.still_knows(&self.caller).await {
                measure::refused_access("expelled");
                return Over::Expelled;
            }
            self.next = Instant::now() + self.every;
        }
    }
}
