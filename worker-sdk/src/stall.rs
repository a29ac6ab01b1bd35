//! Says when the worker's loop stood still: a handler that blocks it costs leases, and nothing else in the worker can tell.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(250);
/// A look that comes so much too late is told: half a dispatch lease.
const STALL_MIN: Duration = Duration::from_secs(1);
/// Between two lines.
const TELL: Duration = Duration::from_secs(10);

/// Watches for ever.
pub(crate) async fn watch() {
    let mut told: Option<Instant> = None;
    loop {
        let began = Instant::now();
        sleep(LOOK).await;
        let Some(stood) = stood_still(began.elapsed()) else {
            continue;
        };
        if told.is_none_or(|told| told.elapsed() >= TELL) {
            told = Some(Instant::now());
            tracing::warn!(
                seconds = format_args!("{:.1}", stood.as_secs_f64()),
                "the worker's loop stood still: a handler blocks it, or the process had no CPU (docs/guides/blocking.md)"
            );
        }
    }
}

/// For how long, when a look took so long in all.
fn stood_still(look: Duration) -> Option<Duration> {
    let stood = look.saturating_sub(LOOK);
    (stood >= STALL_MIN).then_some(stood)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_look_is_told_from_a_second_on() {
        assert_eq!(stood_still(LOOK), None);
        assert_eq!(stood_still(Duration::from_millis(1_249)), None);
        assert_eq!(
            stood_still(Duration::from_millis(5_250)),
            Some(Duration::from_secs(5))
        );
    }
}
