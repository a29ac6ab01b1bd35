//! Contexts submitted alone.

use bytes::Bytes;
use tickwheel_core::bounds::{BODY_BYTES_MAX, INSTANT_MS_MAX, SPAN_MS_MAX};
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::fairness::Fairness;
use tickwheel_core::id::{DedupKey, GroupName, HandlerName, Namespace, Reuse};
use tickwheel_core::job::ContextOptions;
use tickwheel_core::routing::{Placement, Routing, Selection, Units};
use tickwheel_core::time::TimestampMs;

use super::routing::{fairness_of, placement};
use super::{field, group};
use crate::v1;
use v1::submission::When as WireWhen;

/// When a submitted context is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// This many milliseconds after Redis takes it; 0: at once.
    DelayMs(u64),
    /// At this instant; at once when it has passed.
    At(TimestampMs),
}

/// A caller's key for "submit this once".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dedup {
    /// The key.
    pub key: DedupKey,
    /// Milliseconds it is kept from now on; `None`: a day beyond the due time.
    pub keep_ms: Option<u64>,
    /// What becomes of a submission when it is taken.
    pub reuse: Reuse,
}

/// A checked submission: within every bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// What it belongs to.
    pub namespace: Namespace,
    /// Workers of this group run it.
    pub group: GroupName,
    /// What they run.
    pub handler: HandlerName,
    /// Handed to the handler; shares memory with the message.
    pub body: Bytes,
    /// When it is due.
    pub when: When,
    /// What holds for it.
    pub options: ContextOptions,
    /// Which of the workers that fit takes it.
    pub routing: Routing,
    /// Which workers fit.
    pub workers: Selection,
    /// What it takes of its worker's resources while it runs.
    pub resources: Units,
    /// With whom it shares the permits of its group; its key is a key, not a pointer.
    pub fairness: Fairness,
    /// Whether it is submitted once, and for how long that is remembered.
    pub dedup: Option<Dedup>,
}

impl TryFrom<v1::Submission> for Submission {
    type Error = Violations;

    fn try_from(wire: v1::Submission) -> Result<Self, Violations> {
        let mut found = Violations::new();
        let namespace = field(&mut found, "namespace", namespace_of(&wire.namespace));
        let group = group(&mut found, &wire.group);
        let handler = field(&mut found, "handler", HandlerName::new(&wire.handler));
        if wire.body.len() > BODY_BYTES_MAX {
            let rule = format!("has at most {BODY_BYTES_MAX} bytes");
            found.add("body", rule, format_args!("{} bytes", wire.body.len()));
        }
        let when = found.keep(when_of(wire.when));
        let placed = found.keep(
            checked_placement(wire.options.as_ref(), &wire.body)
                .map_err(|wrong| wrong.prefix("options")),
        );
        let fairness = found.keep(
            checked_fairness(wire.options.as_ref(), &wire.body)
                .map_err(|wrong| wrong.prefix("options.fairness")),
        );
        let options = wire
            .options
            .map_or(Ok(ContextOptions::default()), checked_options);
        let options = found.keep(options.map_err(|wrong| wrong.prefix("options")));
        let dedup = found.keep(dedup_of(
            &wire.dedup_key,
            wire.dedup_keep_ms,
            wire.dedup_reuse,
        ));
        match (
            (namespace, group),
            handler,
            when,
            options,
            (dedup, placed, fairness),
        ) {
            (
                (Some(namespace), Some(group)),
                Some(handler),
                Some(when),
                Some(options),
                (Some(dedup), Some((routing, workers, resources)), Some(fairness)),
            ) if found.is_empty() => Ok(Self {
                namespace,
                group,
                handler,
                body: wire.body,
                when,
                options,
                routing,
                workers,
                resources,
                fairness,
                dedup,
            }),
            _ => Err(found),
        }
    }
}

fn checked_options(wire: v1::ContextOptions) -> Result<ContextOptions, Violations> {
    let options = ContextOptions::try_from(wire)?;
    options.validate()?;
    Ok(options)
}

fn checked_placement(
    options: Option<&v1::ContextOptions>,
    body: &[u8],
) -> Result<(Routing, Selection, Units), Violations> {
    let (routing, workers, resources) = placement(options)?;
    Placement::validate(&routing, (&workers, &resources))?;
    routing
        .hash_of(body, None)
        .map_err(|wrong| wrong.prefix("routing"))?;
    Ok((routing, workers, resources))
}

fn checked_fairness(
    options: Option<&v1::ContextOptions>,
    body: &[u8],
) -> Result<Fairness, Violations> {
    let fairness = fairness_of(options);
    fairness.validate()?;
    let key = fairness.key_of(body)?;
    Ok(Fairness {
        key: key.map(|key| key.to_string()),
        ..fairness
    })
}

/// The namespace that a request names; nothing stands for `default`.
///
/// # Errors
/// A violation when it is no namespace's name.
pub fn namespace_of(given: &str) -> Result<Namespace, Violation> {
    if given.is_empty() {
        return Ok(Namespace::default());
    }
    Namespace::new(given)
}

fn when_of(wire: Option<WireWhen>) -> Result<When, Violation> {
    match wire {
        None => Ok(When::DelayMs(0)),
        Some(WireWhen::DelayMs(delay_ms)) if delay_ms > SPAN_MS_MAX => Err(Violation::new(
            "delay_ms",
            format!("is at most {SPAN_MS_MAX}"),
            delay_ms,
        )),
        Some(WireWhen::DelayMs(delay_ms)) => Ok(When::DelayMs(delay_ms)),
        Some(WireWhen::AtMs(at_ms)) if at_ms > INSTANT_MS_MAX => {
            Err(Violation::new("at_ms", "lies before the year 2527", at_ms))
        }
        Some(WireWhen::AtMs(at_ms)) => Ok(When::At(TimestampMs::new(at_ms))),
    }
}

/// A caller's key as a request names it: with how long it is kept, and what becomes of a request whose key is taken.
///
/// # Errors
/// A violation when one of the three breaks its rule, or one of the last two stands without a key.
pub fn dedup_of(key: &str, keep_ms: Option<u64>, reuse: i32) -> Result<Option<Dedup>, Violation> {
    let reuse = match v1::DedupReuse::try_from(reuse) {
        Ok(v1::DedupReuse::Unspecified | v1::DedupReuse::ReturnExisting) => Reuse::ReturnExisting,
        Ok(v1::DedupReuse::Reject) => Reuse::Reject,
        Ok(v1::DedupReuse::Replace) => Reuse::Replace,
        Err(_) => {
            let rule = "is return_existing, reject or replace";
            return Err(Violation::new("dedup_reuse", rule, reuse));
        }
    };
    match (key, keep_ms) {
        ("", None) if reuse != Reuse::ReturnExisting => Err(Violation::new(
            "dedup_reuse",
            "belongs to a dedup_key",
            reuse,
        )),
        ("", None) => Ok(None),
        ("", Some(keep_ms)) => Err(Violation::new(
            "dedup_keep_ms",
            "belongs to a dedup_key",
            keep_ms,
        )),
        (_, Some(keep_ms)) if !(1..=SPAN_MS_MAX).contains(&keep_ms) => Err(Violation::new(
            "dedup_keep_ms",
            format!("is 1..={SPAN_MS_MAX}"),
            keep_ms,
        )),
        (key, keep_ms) => Ok(Some(Dedup {
            key: DedupKey::new(key)?,
            keep_ms,
            reuse,
        })),
    }
}
