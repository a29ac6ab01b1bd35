//! How streams end, as far as somebody should know.

use std::time::Duration;

use tickwheel_proto::stranger::in_place_of_tracker;
use tickwheel_proto::trust::closed;
use tickwheel_proto::wire::refusal::is_upgrade_required;
use tokio::time::Instant;
use tonic::{Code, Status};
use tracing::{info, warn};

/// Between two lines about one tracker that is not reached.
const UNREACHED_EVERY: Duration = Duration::from_secs(30);

/// Says that a tracker is not reached, and why, once in a while.
#[derive(Debug, Default)]
pub(super) struct Unreached {
    said: Option<Instant>,
    kept_back: u64,
}

impl Unreached {
    /// A try failed.
    pub(super) fn say(&mut self, url: &str, cause: String) {
        let Some(kept_back) = self.next(Instant::now()) else {
            return;
        };
        let url = url.to_owned();
        // Whoever answers there may take its time to say who it is.
        tokio::spawn(async move {
            let cause = match in_place_of_tracker(&url).await {
                Some(stranger) if !cause.contains(stranger) => format!("{cause} ({stranger})"),
                Some(_) => cause,
                None => match closed(&url, &cause) {
                    Some(reason) => format!("{cause}: {reason}"),
                    None => cause,
                },
            };
            warn!(
                url,
                cause, kept_back, "this tracker is not reached; trying again"
            );
        });
    }

    /// With how many were kept back since the last one, where this one is said.
    fn next(&mut self, now: Instant) -> Option<u64> {
        if self
            .said
            .is_some_and(|said| now.duration_since(said) < UNREACHED_EVERY)
        {
            self.kept_back += 1;
            return None;
        }
        self.said = Some(now);
        Some(std::mem::take(&mut self.kept_back))
    }
}

/// A tracker that refuses this worker for good is a matter for a person; everything else passes.
pub(super) fn report_end(url: &str, status: Option<&Status>) {
    match status {
        None => info!(url, "the tracker ended the stream"),
        Some(status) if is_refusal(status.code()) => {
            warn!(url, code = ?status.code(), message = status.message(), "the tracker refuses this worker; trying again");
        }
        Some(status) => {
            info!(url, code = ?status.code(), message = status.message(), "the stream broke");
        }
    }
}

pub(super) fn is_refusal(code: Code) -> bool {
    [
        Code::InvalidArgument,
        Code::PermissionDenied,
        Code::Unauthenticated,
        Code::FailedPrecondition,
        Code::Unimplemented,
        Code::ResourceExhausted,
    ]
    .contains(&code)
}

/// Whether only a person can change it: a token, what it allows, or the version of one of the two.
pub(super) fn is_lasting(status: &Status) -> bool {
    let codes = [Code::PermissionDenied, Code::Unauthenticated];
    codes.contains(&status.code()) || is_upgrade_required(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tracker_that_is_not_reached_is_told_of_twice_a_minute_at_most() {
        let (mut unreached, began) = (Unreached::default(), Instant::now());
        let said = (0..60).filter_map(|second| unreached.next(began + Duration::from_secs(second)));
        assert_eq!(said.collect::<Vec<_>>(), [0, 29]);
    }
}
