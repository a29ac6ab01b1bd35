//! What holds for the subtasks of a map.

use std::time::Duration;

use tickwheel_core::bounds::PARALLELISM_MAX;
use tickwheel_core::error::Violations;
use tickwheel_core::job::{Backoff, ContextOptions};
use tickwheel_core::model::ReduceOn;
use tickwheel_proto::v1;

use super::FanError;

/// What holds for the subtasks of a map. The first map of a root's handler decides for all of them; parallelism is decided by the root's
/// first map.
///
/// ```
/// use std::time::Duration;
/// use tickwheel_worker::MapOptions;
///
/// let options = MapOptions::new()
///     .max_attempts(5)
///     .exponential_delay(Duration::from_millis(200), Duration::from_secs(30))
///     .timeout(Duration::from_secs(60))
///     .parallelism(100);
/// # drop(options);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use]
pub struct MapOptions {
    options: ContextOptions,
    parallelism: u32,
}

impl MapOptions {
    /// 3 attempts, from a second apart, without a time-out, any number at once: as for every context.
    pub fn new() -> Self {
        Self::default()
    }

    /// How often each subtask is tried in all, 1 to 1,000. One whose attempts are used up fails alone; the others go on.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.options.retry.max_attempts = attempts;
        self
    }

    /// The same pause before each further attempt, not drawn at random.
    pub fn fixed_delay(mut self, delay: Duration) -> Self {
        self.options.retry.backoff = Backoff::Fixed {
            delay_ms: millis(delay),
        };
        self.options.retry.full_jitter = false;
        self
    }

    /// A pause before each further attempt that doubles up to `cap`, and is drawn from nothing up to that.
    pub fn exponential_delay(mut self, delay: Duration, cap: Duration) -> Self {
        self.options.retry.backoff = Backoff::Exponential {
            delay_ms: millis(delay),
            cap_ms: millis(cap),
        };
        self.options.retry.full_jitter = true;
        self
    }

    /// How long an attempt of a subtask may take. Default: without limit.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout_ms = Some(millis(timeout));
        self
    }

    /// How long a cancelled attempt of a subtask may clean up. Default: 5 s.
    pub fn cancel_grace(mut self, grace: Duration) -> Self {
        self.options.cancel_grace_ms = millis(grace);
        self
    }

    /// A subtask whose worker is lost has failed instead of being tried again.
    pub fn fail_on_lease_lost(mut self) -> Self {
        self.options.fail_on_lease_lost = true;
        self
    }

    /// How many subtasks of the root run at once, over all workers. Default: as many as there are permits.
    pub fn parallelism(mut self, subtasks: u32) -> Self {
        self.parallelism = subtasks;
        self
    }

    pub(super) fn check(&self) -> Result<(), FanError> {
        let mut found = Violations::new();
        found.keep(self.options.validate());
        if self.parallelism > PARALLELISM_MAX {
            let rule = format!("is at most {PARALLELISM_MAX}");
            found.add("parallelism", rule, self.parallelism);
        }
        found.into_result().map_err(|wrong| FanError::Invalid {
            setting: "map options".to_owned(),
            reason: wrong.to_string().replace('\n', "; "),
        })
    }

    pub(super) fn options_to_wire(&self) -> v1::ContextOptions {
        self.options.into()
    }

    pub(super) const fn parallelism_to_wire(&self) -> u32 {
        self.parallelism
    }
}

/// When a reduce runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ReduceWhen {
    /// When every subtask has ended; those that failed are among the results.
    #[default]
    Ended,
    /// When every subtask has succeeded; if one fails, the context fails without a reduce.
    Succeeded,
}

impl ReduceWhen {
    pub(super) fn to_wire(self) -> v1::ReduceOn {
        tickwheel_proto::convert::reduce_on_to_wire(match self {
            Self::Ended => ReduceOn::Ended,
            Self::Succeeded => ReduceOn::Succeeded,
        })
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_broken_rule_is_named_at_once() {
        let wrong = MapOptions::new()
            .max_attempts(0)
            .timeout(Duration::ZERO)
            .parallelism(1_000_001);
        let text = wrong.check().unwrap_err().to_string();
        assert_eq!(
            text,
            "invalid map options: retry.max_attempts: is 1..=1000 (given: 0); timeout_ms: is at least 1 ms (given: 0); \
             parallelism: is at most 1000000 (given: 1000001)"
        );
        assert!(MapOptions::new().check().is_ok());
    }

    #[test]
    fn options_travel_as_those_of_a_context() {
        let wire = MapOptions::new()
            .max_attempts(7)
            .fixed_delay(Duration::from_secs(2))
            .timeout(Duration::from_secs(3))
            .fail_on_lease_lost()
            .options_to_wire();
        let retry = wire.retry.unwrap();
        assert_eq!(
            (
                retry.max_attempts,
                retry.delay_ms,
                retry.exponential,
                retry.full_jitter
            ),
            (7, 2_000, false, false)
        );
        assert_eq!(
            (wire.timeout_ms, wire.fail_on_lease_lost),
            (Some(3_000), true)
        );
    }
}
