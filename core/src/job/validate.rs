//! The ranges of options, all checked at once.

#[cfg(feature = "schedule")]
mod spec;

use std::fmt::Display;
use std::ops::RangeInclusive;

use crate::bounds::{ATTEMPTS_MAX, LEASE_MS_MAX, LEASE_MS_MIN, SPAN_MS_MAX};
use crate::error::Violations;
use crate::job::{Backoff, ContextOptions};
use crate::time::format_duration;

impl ContextOptions {
    /// Checks every range.
    ///
    /// # Errors
    /// All violations, each with the path of its field.
    pub fn validate(&self) -> Result<(), Violations> {
        let mut found = Violations::new();
        check_range(
            "retry.max_attempts",
            self.retry.max_attempts,
            1..=ATTEMPTS_MAX,
            &mut found,
        );
        match self.retry.backoff {
            Backoff::Fixed { delay_ms } => check_span("retry.delay_ms", delay_ms, 0, &mut found),
            Backoff::Exponential { delay_ms, cap_ms } => {
                check_span("retry.delay_ms", delay_ms, 0, &mut found);
                check_span("retry.cap_ms", cap_ms, 0, &mut found);
                if cap_ms < delay_ms {
                    found.add("retry.cap_ms", "is not below the delay", cap_ms);
                }
            }
        }
        if let Some(timeout_ms) = self.timeout_ms {
            check_span("timeout_ms", timeout_ms, 1, &mut found);
        }
        check_span("cancel_grace_ms", self.cancel_grace_ms, 0, &mut found);
        if let Some(start_deadline_ms) = self.start_deadline_ms {
            check_span("start_deadline_ms", start_deadline_ms, 1, &mut found);
        }
        check_range(
            "lease_ms",
            self.lease_ms,
            LEASE_MS_MIN..=LEASE_MS_MAX,
            &mut found,
        );
        found.into_result()
    }
}

pub(crate) fn check_range<T: PartialOrd + Display>(
    field: &str,
    given: T,
    range: RangeInclusive<T>,
    found: &mut Violations,
) {
    if !range.contains(&given) {
        found.add(
            field,
            format!("is {}..={}", range.start(), range.end()),
            given,
        );
    }
}

fn check_span(field: &str, given_ms: u64, least_ms: u64, found: &mut Violations) {
    if given_ms < least_ms {
        found.add(field, format!("is at least {least_ms} ms"), given_ms);
    } else if given_ms > SPAN_MS_MAX {
        let most = format_duration(std::time::Duration::from_millis(SPAN_MS_MAX));
        found.add(field, format!("is at most {most}"), given_ms);
    }
}
