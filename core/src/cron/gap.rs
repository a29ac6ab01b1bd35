//! From local times to instants: what becomes of a time that a zone skips or repeats.
//!
//! Engines know only local times. A *fixed* expression names times of day: one in a gap fires at the first valid
//! instant after the gap, one that exists twice fires the first time. An *interval* follows real time: it fires at
//! every instant whose local time matches, so in both repeated hours, and in a gap not at all. [`is_interval`] is the
//! one place that tells them apart.

use chrono::{NaiveDateTime, TimeDelta};

use crate::cron::fields::{Field, Item};
use crate::time::TimestampMs;
use crate::zone::{Place, Zone};

/// A step of this many hours or more names times of day, not an interval.
const DAILY_STEP_HOURS: u16 = 12;

/// Whether an expression is an interval, by its hour field alone: every element of the field's list is `*`, a range of
/// two hours or more, or a step below 12 hours. So `*/5 * * * *`, `0 * * * *` and `0 9-17 * * *` are intervals;
/// `*/5 2 * * *`, `30 2,14 * * *` and `0 */12 * * *` are fixed.
pub(super) fn is_interval(hour: &Field) -> bool {
    hour.elements.iter().all(|element| {
        let repeats = match (element.item, element.step) {
            (Item::All | Item::Range(..), _) | (Item::Point(_), Some(_)) => true,
            (Item::Point(_), None) => false,
            // No hour field has these.
            (
                Item::Last(_)
                | Item::LastWeekday(_)
                | Item::Nearest(_)
                | Item::Nth(..)
                | Item::LastOf(_),
                _,
            ) => false,
        };
        repeats
            && element.step.unwrap_or(1) < DAILY_STEP_HOURS
            && hour.rule.values(*element).len() > 1
    })
}

/// The repeated local times around an instant.
#[derive(Debug, Clone, Copy)]
struct Fold {
    /// Whether the instant is in the second pass.
    repeated: bool,
    /// The first repeated local time.
    first: NaiveDateTime,
    /// The first local time that is not repeated any more.
    end: NaiveDateTime,
}

/// The first instant strictly after `after` at which an expression fires. `next` gives the first matching local time
/// strictly after a local time.
pub(super) fn next_instant(
    zone: &Zone,
    after: TimestampMs,
    interval: bool,
    next: impl Fn(NaiveDateTime) -> Option<NaiveDateTime>,
) -> Option<TimestampMs> {
    // Matches are whole seconds, so the instant's part of a second makes no difference.
    let after = after.to_utc()?.naive_utc();
    let here = zone.local(after);
    let whole = here.checked_sub_signed(TimeDelta::nanoseconds(i64::from(
        chrono::Timelike::nanosecond(&here),
    )))?;
    let found = if interval {
        next_of_interval(zone, after, whole, next)?
    } else {
        next_of_fixed(zone, after, whole, next)?
    };
    TimestampMs::from_utc(found.and_utc())
}

/// Fixed: a local time fires when the clocks first reach or pass it, so what counts is how far they have been.
fn next_of_fixed(
    zone: &Zone,
    after: NaiveDateTime,
    here: NaiveDateTime,
    next: impl Fn(NaiveDateTime) -> Option<NaiveDateTime>,
) -> Option<NaiveDateTime> {
    // Skipping what the first pass has served bounds the walk; the comparison below would sort it out as well.
    let mut seen = match fold_at(zone, after, here) {
        Some(fold) if fold.repeated => fold.end - TimeDelta::seconds(1),
        Some(_) | None => here,
    };
    loop {
        seen = next(seen)?;
        let fires = match zone.place(seen) {
            Place::Once(at) | Place::Twice { first: at, .. } | Place::Gap { at, .. } => at,
        };
        if fires > after {
            return Some(fires);
        }
    }
}

/// Interval: every instant whose local time matches.
fn next_of_interval(
    zone: &Zone,
    after: NaiveDateTime,
    here: NaiveDateTime,
    next: impl Fn(NaiveDateTime) -> Option<NaiveDateTime>,
) -> Option<NaiveDateTime> {
    let mut seen = here;
    if let Some(fold) = fold_at(zone, after, here)
        && !fold.repeated
        && next(here).is_none_or(|local| local >= fold.end)
    {
        // Nothing is left of the first pass; the second begins behind it.
        seen = fold.first - TimeDelta::seconds(1);
    }
    loop {
        let local = next(seen)?;
        seen = local;
        match zone.place(local) {
            Place::Once(at) if at > after => return Some(at),
            // In the first pass, or before it: the first instant is still ahead. Otherwise the second is.
            Place::Twice { first, .. } if first > after => return Some(first),
            Place::Twice { second, .. } if second > after => return Some(second),
            Place::Once(_) | Place::Twice { .. } => {}
            Place::Gap { local, .. } => seen = local - TimeDelta::seconds(1),
        }
    }
}

/// The fold that the instant `utc`, locally `here`, lies in.
fn fold_at(zone: &Zone, utc: NaiveDateTime, here: NaiveDateTime) -> Option<Fold> {
    let Place::Twice { first, second } = zone.place(here) else {
        return None;
    };
    // The clocks went back somewhere in first..=second.
    let changed = zone.change_between(first, second);
    Some(Fold {
        repeated: utc >= changed,
        first: changed + zone.offset_at(second),
        end: changed + zone.offset_at(first),
    })
}
