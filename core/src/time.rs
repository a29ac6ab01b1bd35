//! Instants and spans: milliseconds since the Unix epoch, spans written like `1m30s`.
//!
//! Reading a clock is not here: an instant always comes from Redis' clock through a caller.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

#[cfg(feature = "schedule")]
use chrono::{DateTime, SecondsFormat, Utc};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Violation;
#[cfg(feature = "schedule")]
use crate::zone::Zone;

/// An instant in milliseconds since the Unix epoch, UTC.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct TimestampMs(u64);

impl TimestampMs {
    /// The epoch itself.
    pub const ZERO: Self = Self(0);

    /// The instant `ms` milliseconds after the epoch.
    #[must_use]
    pub const fn new(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The instant `ms` later, or the last representable one.
    #[must_use]
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The instant `ms` earlier, or the epoch.
    #[must_use]
    pub const fn minus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_sub(ms))
    }

    /// The instant `span` later, or the last representable one; parts of a millisecond are dropped.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        self.plus_ms(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
    }

    /// Milliseconds from `earlier` to here; 0 when `earlier` is later.
    #[must_use]
    pub const fn ms_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The instant as a calendar date; `None` beyond the calendar's last year.
    #[cfg(feature = "schedule")]
    pub(crate) fn to_utc(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(i64::try_from(self.0).ok()?)
    }

    /// The instant of a calendar date; `None` before the epoch.
    #[cfg(feature = "schedule")]
    pub(crate) fn from_utc(date: DateTime<Utc>) -> Option<Self> {
        u64::try_from(date.timestamp_millis()).ok().map(Self)
    }
}

impl From<u64> for TimestampMs {
    fn from(ms: u64) -> Self {
        Self(ms)
    }
}

impl From<TimestampMs> for u64 {
    fn from(at: TimestampMs) -> Self {
        at.0
    }
}

impl fmt::Display for TimestampMs {
    /// RFC 3339 in UTC with milliseconds; the bare number of milliseconds beyond the year 9999.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = i64::try_from(self.0)
            .ok()
            .and_then(|ms| Timestamp::from_millisecond(ms).ok());
        match at {
            Some(at) => f.pad(&format!("{at:.3}")),
            None => self.0.fmt(f),
        }
    }
}

impl FromStr for TimestampMs {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        parse_instant(text)
    }
}

/// Reads an instant: RFC 3339 with an offset, or whole milliseconds since the epoch.
///
/// # Errors
/// A violation when it is neither, or lies before 1970.
pub fn parse_instant(text: &str) -> Result<TimestampMs, Violation> {
    let wrong = || {
        let rule = "is an instant like 2026-03-29T02:30:00Z or milliseconds since 1970";
        Violation::new("", rule, text)
    };
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map(TimestampMs).map_err(|_| wrong());
    }
    let at: Timestamp = text.parse().map_err(|_| wrong())?;
    let ms = u64::try_from(at.as_millisecond()).map_err(|_| wrong())?;
    Ok(TimestampMs(ms))
}

/// Milliseconds of each unit, longest first.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Reads a span: whole numbers with the units `ms`, `s`, `m`, `h`, `d`, longest first, like `1m30s`; or `0`.
///
/// # Errors
/// A violation when the text has another form, a unit twice or out of order, or is longer than 2^64 ms.
pub fn parse_duration(text: &str) -> Result<Duration, Violation> {
    let wrong = || {
        let rule = "is a span like 250ms, 10s, 1m30s, 2h or 1d";
        Violation::new("", rule, text)
    };
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    let mut total: u64 = 0;
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let digits_end = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (digits, tail) = rest.split_at_checked(digits_end).ok_or_else(wrong)?;
        let unit_end = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(unit_end).ok_or_else(wrong)?;
        let (_, unit_ms) = units.find(|(word, _)| *word == unit).ok_or_else(wrong)?;
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        total = number
            .checked_mul(*unit_ms)
            .and_then(|ms| total.checked_add(ms))
            .ok_or_else(wrong)?;
        rest = tail;
    }
    if text.trim().is_empty() {
        Err(wrong())
    } else {
        Ok(Duration::from_millis(total))
    }
}

/// A span for people, in ms, in the unit that fits: `250 ms`, `3.2 s`, `4 min 0 s`, `2 h 5 min`. What is too fine to matter is left out.
#[must_use]
pub fn rough_span(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        60_000..3_600_000 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// Writes a span so that [`parse_duration`] reads it back; parts of a millisecond are dropped.
#[must_use]
pub fn format_duration(span: Duration) -> String {
    let mut rest = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, unit_ms) in UNITS {
        if rest >= unit_ms {
            text.push_str(&format!("{}{unit}", rest / unit_ms));
            rest %= unit_ms;
        }
    }
    text
}

/// The instant as a person in `zone` reads it: RFC 3339 with the zone's offset, to the millisecond if it has any.
///
/// # Errors
/// A violation when there is no such zone.
#[cfg(feature = "schedule")]
pub fn render_in_zone(at: TimestampMs, zone: &str) -> Result<String, Violation> {
    let zone = Zone::parse(zone)?;
    Ok(at.to_utc().map_or_else(
        || at.to_string(),
        |date| {
            zone.date(date.naive_utc())
                .to_rfc3339_opts(SecondsFormat::AutoSi, false)
        },
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_rough_span_has_the_unit_that_fits() {
        assert_eq!(rough_span(250), "250 ms");
        assert_eq!(rough_span(3_250), "3.2 s");
        assert_eq!(rough_span(61_000), "1 min 1 s");
        assert_eq!(rough_span(7_260_000), "2 h 1 min");
    }

    #[test]
    fn spans_are_read_and_written_with_their_units() {
        let table = [
            ("10ms", 10),
            ("5s", 5_000),
            ("1m30s", 90_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
        ];
        for (text, ms) in table {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)));
            assert_eq!(format_duration(Duration::from_millis(ms)), text);
        }
        assert_eq!(parse_duration("0"), Ok(Duration::ZERO));
    }

    #[test]
    fn another_span_is_refused() {
        for wrong in [
            "",
            " ",
            "5",
            "s",
            "5 s",
            "5x",
            "1s1m",
            "1s2s",
            "-1s",
            "1.5s",
            "99999999999999999999s",
            "213503982335d",
        ] {
            assert!(parse_duration(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn instants_are_rfc_3339_or_milliseconds() {
        let at = TimestampMs::new(1_774_751_400_000);
        assert_eq!(parse_instant("2026-03-29T02:30:00Z"), Ok(at));
        assert_eq!(parse_instant("2026-03-29T04:30:00+02:00"), Ok(at));
        assert_eq!(parse_instant("1774751400000"), Ok(at));
        assert_eq!(at.to_string(), "2026-03-29T02:30:00.000Z");
        for wrong in [
            "",
            "2026-03-29",
            "2026-03-29T02:30:00",
            "1969-12-31T23:59:59Z",
            "-5",
        ] {
            assert!(parse_instant(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_instant_is_shown_in_its_zone() {
        let at = TimestampMs::new(1_774_751_400_000);
        assert_eq!(
            render_in_zone(at, "Europe/Berlin").unwrap(),
            "2026-03-29T04:30:00+02:00"
        );
        assert_eq!(
            render_in_zone(at.plus_ms(7), "").unwrap(),
            "2026-03-29T02:30:00.007+00:00"
        );
        assert!(render_in_zone(at, "Mars/Olympus").is_err());
    }

    proptest! {
        #[test]
        fn instants_round_trip(ms: u64) {
            let at = TimestampMs::new(ms);
            prop_assert_eq!(at.to_string().parse(), Ok(at));
        }

        #[test]
        fn calendar_instants_round_trip(ms in 0_u64..253_402_300_800_000) {
            let at = TimestampMs::new(ms);
            prop_assert!(at.to_string().ends_with('Z'));
            prop_assert_eq!(at.to_string().parse(), Ok(at));
        }

        #[test]
        fn spans_round_trip(ms: u64) {
            let span = Duration::from_millis(ms);
            prop_assert_eq!(parse_duration(&format_duration(span)), Ok(span));
        }
    }
}
