//! The options of a context, in the form a manifest has.

use std::time::Duration;

use serde_json::{Value, json};
use tickwheel_core::job::{Backoff, ContextOptions, RetryPolicy};
use tickwheel_core::time::format_duration;

/// The options of a context, but for its retries.
pub(super) fn put_options(own: &ContextOptions, mut put: impl FnMut(&str, Value, bool)) {
    let usual = &ContextOptions::default();
    put(
        "priority",
        json!(own.priority.to_string()),
        own.priority == usual.priority,
    );
    put(
        "timeout",
        span_opt(own.timeout_ms),
        own.timeout_ms.is_none(),
    );
    put(
        "start_deadline",
        span_opt(own.start_deadline_ms),
        own.start_deadline_ms.is_none(),
    );
    put(
        "cancel_grace",
        json!(span(own.cancel_grace_ms)),
        own.cancel_grace_ms == usual.cancel_grace_ms,
    );
    put(
        "lease",
        json!(span(own.lease_ms)),
        own.lease_ms == usual.lease_ms,
    );
    let lost = if own.fail_on_lease_lost {
        "fail"
    } else {
        "retry"
    };
    put("on_lease_lost", json!(lost), !own.fail_on_lease_lost);
}

pub(super) fn retries(retry: &RetryPolicy) -> Value {
    let jitter = if retry.full_jitter { "full" } else { "none" };
    let attempts = retry.max_attempts;
    match retry.backoff {
        Backoff::Fixed { delay_ms } => {
            json!({ "max_attempts": attempts, "backoff": "fixed", "delay": span(delay_ms), "jitter": jitter })
        }
        Backoff::Exponential { delay_ms, cap_ms } => json!({
            "max_attempts": attempts, "backoff": "exponential", "delay": span(delay_ms), "cap": span(cap_ms),
            "jitter": jitter,
        }),
    }
}

pub(super) fn span(ms: u64) -> String {
    format_duration(Duration::from_millis(ms))
}

fn span_opt(ms: Option<u64>) -> Value {
    json!(ms.map(span))
}
