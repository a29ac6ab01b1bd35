//! The fields of what holds for a context, in a job and in its subtasks.

use serde_json::{Value, json};

use crate::bounds::ATTEMPTS_MAX;
use crate::error::{Violation, Violations};
use crate::job::{Backoff, ContextOptions, Priority, RetryPolicy};
use crate::shape::{
    Defaults, Fields, Form, Found, Maybe, Place, Record, SPAN, Via, Visitor, Whole, Words,
    optional, place, shown,
};

/// Shows the options that lie at `of`.
pub(super) fn options<S: 'static>(visit: &mut impl Visitor<S>, of: impl Place<S, ContextOptions>) {
    visit.field(
        optional("retries", "How often it is tried, and when again."),
        RETRIES,
        of.at(place!(ContextOptions: retry)),
    );
    visit.field(
        optional("priority", "Which of the waiting contexts goes first."),
        Priorities,
        of.at(place!(ContextOptions: priority)),
    );
    visit.field(
        optional("timeout", "How long one attempt may take."),
        Maybe(SPAN),
        of.at(place!(ContextOptions: timeout_ms)),
    );
    visit.field(
        optional(
            "start_deadline",
            "Not started this long after its due time, it ends as expired.",
        ),
        Maybe(SPAN),
        of.at(place!(ContextOptions: start_deadline_ms)),
    );
    visit.field(
        optional(
            "cancel_grace",
            "How long a cancelled or timed-out attempt has to settle before its lease is taken.",
        ),
        SPAN,
        of.at(place!(ContextOptions: cancel_grace_ms)),
    );
    visit.field(
        optional(
            "lease",
            "How long a lease holds without being renewed, 1s to 1h.",
        ),
        SPAN,
        of.at(place!(ContextOptions: lease_ms)),
    );
    visit.field(
        optional(
            "on_lease_lost",
            "Whether an attempt whose lease was lost is retried, or ends its context as failed.",
        ),
        ON_LEASE_LOST,
        of.at(place!(ContextOptions: fail_on_lease_lost)),
    );
}

const ON_LEASE_LOST: Words<bool> = Words {
    all: &[false, true],
    word: |fail| if fail { "fail" } else { "retry" },
};

impl Record for ContextOptions {
    fn blank() -> Self {
        Self::default()
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        options(visit, Found::new(|own| own, |own| own));
        for key in ["max_attempts", "backoff", "delay", "cap", "jitter"] {
            visit.misnamed(key, "belongs in `retries`");
        }
    }

    fn check(&self) -> Violations {
        self.validate().err().map_or_else(Violations::new, in_words)
    }
}

/// The paths of [`ContextOptions::validate`] in the words of a file.
fn in_words(wrong: Violations) -> Violations {
    let renamed = |wrong: Violation| {
        let field = wrong.field.strip_suffix("_ms").unwrap_or(&wrong.field);
        let field = match field.strip_prefix("retry.") {
            Some(rest) => format!("retries.{rest}"),
            None => field.to_owned(),
        };
        wrong.at(field)
    };
    wrong.into_iter().map(renamed).collect()
}

/// A word, or its number.
struct Priorities;

impl Form<Priority> for Priorities {
    fn read(&self, value: &Value) -> Result<Priority, Violations> {
        let read = shown(value).parse();
        Ok(read.map_err(|wrong: Violation| wrong.at(""))?)
    }

    fn write(&self, value: &Priority, _defaults: Defaults) -> Value {
        json!(value.to_string())
    }

    fn describe(&self) -> Value {
        let words = Priority::WORDS.iter().map(|word| json!(word));
        let numbers = (0..=Priority::HIGHEST.as_u8()).map(|number| json!(number));
        json!({ "enum": words.chain(numbers).collect::<Vec<_>>() })
    }
}

/// The longest delay when only a shorter first one is named.
const CAP_MS_DEFAULT: u64 = 60_000;

/// A retry policy, key by key.
#[derive(Clone, Copy, PartialEq)]
struct Retries {
    max_attempts: u32,
    growth: Growth,
    delay_ms: u64,
    cap_ms: Option<u64>,
    full_jitter: bool,
}

/// How a delay grows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Growth {
    Exponential,
    Fixed,
}

type RetriesForm = Via<Fields<Retries>, Retries, RetryPolicy>;

const RETRIES: RetriesForm = Via {
    form: Fields::map(),
    read: policy_of,
    write: retries_of,
};

fn policy_of(retries: Retries) -> Result<RetryPolicy, Violations> {
    let delay_ms = retries.delay_ms;
    let backoff = match (retries.growth, retries.cap_ms) {
        (Growth::Fixed, Some(cap_ms)) => {
            let rule = "belongs to an exponential backoff";
            return Err(Violation::new("cap", rule, format_args!("{cap_ms} ms")).into());
        }
        (Growth::Fixed, None) => Backoff::Fixed { delay_ms },
        (Growth::Exponential, cap_ms) => Backoff::Exponential {
            delay_ms,
            cap_ms: cap_ms.unwrap_or(CAP_MS_DEFAULT.max(delay_ms)),
        },
    };
    Ok(RetryPolicy {
        max_attempts: retries.max_attempts,
        backoff,
        full_jitter: retries.full_jitter,
    })
}

fn retries_of(policy: &RetryPolicy) -> Retries {
    let (growth, delay_ms, cap_ms) = match policy.backoff {
        Backoff::Fixed { delay_ms } => (Growth::Fixed, delay_ms, None),
        Backoff::Exponential { delay_ms, cap_ms } => {
            let own = (cap_ms != CAP_MS_DEFAULT.max(delay_ms)).then_some(cap_ms);
            (Growth::Exponential, delay_ms, own)
        }
    };
    Retries {
        max_attempts: policy.max_attempts,
        growth,
        delay_ms,
        cap_ms,
        full_jitter: policy.full_jitter,
    }
}

impl Record for Retries {
    fn blank() -> Self {
        retries_of(&RetryPolicy::default())
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        visit.field(
            optional("max_attempts", "Attempts in all."),
            Whole::of(1, ATTEMPTS_MAX.into()),
            place!(Self: max_attempts),
        );
        visit.field(
            optional("backoff", "Whether the delay doubles with each failure."),
            Words {
                all: &[Growth::Fixed, Growth::Exponential],
                word: |growth| match growth {
                    Growth::Fixed => "fixed",
                    Growth::Exponential => "exponential",
                },
            },
            place!(Self: growth),
        );
        visit.field(
            optional("delay", "Before the second attempt."),
            SPAN,
            place!(Self: delay_ms),
        );
        visit.field(
            optional("cap", "exponential: no delay is longer."),
            Maybe(SPAN),
            place!(Self: cap_ms),
        );
        visit.field(
            optional(
                "jitter",
                "full: a delay is drawn from 0 up to the computed one.",
            ),
            Words {
                all: &[true, false],
                word: |full| if full { "full" } else { "none" },
            },
            place!(Self: full_jitter),
        );
    }
}
