//! The policies of a job in a manifest.

use serde_json::Value;

use super::reader::{Reader, map, parsed, shown, small_number, span_ms, text};
use crate::error::{Violation, Violations, with_suggestion};
use crate::job::{Backoff, Misfire, MisfirePolicy, Overlap, RetryPolicy};

/// A bare policy word, or a map.
pub(super) fn misfire(value: &Value) -> Result<Misfire, Violations> {
    let default = Misfire::default();
    if value.is_string() {
        return Ok(Misfire {
            policy: policy_word(value)?,
            ..default
        });
    }
    let mut found = Violations::new();
    let mut reader = Reader::new(map(value)?, &mut found);
    let misfire = Misfire {
        policy: reader.get("policy", policy_word).unwrap_or(default.policy),
        limit: reader.get("limit", small_number).unwrap_or(default.limit),
        tolerance_ms: reader
            .get("tolerance", span_ms)
            .unwrap_or(default.tolerance_ms),
        catch_up_window_ms: reader.get("catch_up_window", span_ms),
    };
    reader.finish();
    found.into_result().map(|()| misfire)
}

fn policy_word(value: &Value) -> Result<MisfirePolicy, Violation> {
    one_of(value, MisfirePolicy::ALL, MisfirePolicy::as_str)
}

/// Text like `queue(10)`, or a map of policy and limit.
pub(super) fn overlap(value: &Value) -> Result<Overlap, Violations> {
    if value.is_string() {
        return Ok(parsed(value)?);
    }
    let mut found = Violations::new();
    let mut reader = Reader::new(map(value)?, &mut found);
    let policy = reader.need("policy", text);
    let limit = reader.get("limit", small_number);
    reader.finish();
    let overlap = policy.and_then(|policy| {
        found.keep(Overlap::from_parts(policy, limit).map_err(|wrong| wrong.at("policy")))
    });
    match overlap {
        Some(overlap) if found.is_empty() => Ok(overlap),
        Some(_) | None => Err(found),
    }
}

/// How a backoff grows, as a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Growth {
    Fixed,
    Exponential,
}

/// A map of attempts and backoff.
pub(super) fn retry(value: &Value) -> Result<RetryPolicy, Violations> {
    let mut found = Violations::new();
    let mut reader = Reader::new(map(value)?, &mut found);
    let retry = retry_keys(&mut reader);
    reader.finish();
    found.into_result().map(|()| retry)
}

/// The keys of attempts and backoff.
pub(super) fn retry_keys(reader: &mut Reader<'_, '_>) -> RetryPolicy {
    /// The longest delay when only a shorter first one is named.
    const CAP_MS_DEFAULT: u64 = 60_000;
    let default = RetryPolicy::default();
    let max_attempts = reader
        .get("max_attempts", small_number)
        .unwrap_or(default.max_attempts);
    let growth = reader.get("backoff", growth).unwrap_or(Growth::Exponential);
    let delay_ms = reader.get("delay", span_ms).unwrap_or(1_000);
    let cap_ms = reader.get("cap", span_ms);
    if let (Growth::Fixed, Some(cap_ms)) = (growth, cap_ms) {
        reader.wrong(
            "cap",
            "belongs to an exponential backoff",
            format_args!("{cap_ms} ms"),
        );
    }
    let full_jitter = reader
        .get("jitter", full_jitter)
        .unwrap_or(default.full_jitter);
    let backoff = match growth {
        Growth::Fixed => Backoff::Fixed { delay_ms },
        Growth::Exponential => {
            let cap_ms = cap_ms.unwrap_or(CAP_MS_DEFAULT.max(delay_ms));
            Backoff::Exponential { delay_ms, cap_ms }
        }
    };
    RetryPolicy {
        max_attempts,
        backoff,
        full_jitter,
    }
}

fn growth(value: &Value) -> Result<Growth, Violation> {
    one_of(
        value,
        &[Growth::Fixed, Growth::Exponential],
        |growth| match growth {
            Growth::Fixed => "fixed",
            Growth::Exponential => "exponential",
        },
    )
}

fn full_jitter(value: &Value) -> Result<bool, Violation> {
    one_of(
        value,
        &[true, false],
        |full| if full { "full" } else { "none" },
    )
}

/// Whether a lost lease fails the context.
pub(super) fn on_lease_lost(value: &Value) -> Result<bool, Violation> {
    one_of(
        value,
        &[false, true],
        |fail| if fail { "fail" } else { "retry" },
    )
}

/// The one of `values` whose word is given.
fn one_of<T: Copy>(
    value: &Value,
    values: &[T],
    word: impl Fn(T) -> &'static str,
) -> Result<T, Violation> {
    let given = shown(value);
    let found = values.iter().copied().find(|one| word(*one) == given);
    found.ok_or_else(|| {
        let words: Vec<&str> = values.iter().map(|one| word(*one)).collect();
        let rule = with_suggestion(&format!("is {}", words.join(" or ")), &given, words);
        Violation::new("", rule, &given)
    })
}
