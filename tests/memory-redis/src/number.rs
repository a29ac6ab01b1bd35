//! Numbers as Redis reads and prints them. Scores and Lua's numbers are doubles; all that is used here are whole.

use std::cmp::Ordering;

/// Above this, doubles leave out integers.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// A score: a double that is a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Score(pub(crate) f64);

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Score {
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let text = str::from_utf8(text).unwrap_or_default();
        let number = match text.to_ascii_lowercase().as_str() {
            "inf" | "+inf" => Some(f64::INFINITY),
            "-inf" => Some(f64::NEG_INFINITY),
            _ => text.parse().ok().filter(|number: &f64| number.is_finite()),
        };
        // Zero has one sign only, or equal scores would differ in their order.
        number
            .map(|number| Self(if number == 0.0 { 0.0 } else { number }))
            .ok_or_else(|| "ERR value is not a valid float".to_owned())
    }

    pub(crate) fn print(self) -> Vec<u8> {
        print(self.0)
    }
}

/// A double as `%.17g` prints it, for those that are whole.
pub(crate) fn print(number: f64) -> Vec<u8> {
    if number.is_infinite() {
        return if number > 0.0 {
            b"inf".to_vec()
        } else {
            b"-inf".to_vec()
        };
    }
    format!("{number}").into_bytes()
}

/// Whether a double is whole and exact; no other one is printed the same way by everyone.
pub(crate) fn is_whole(number: f64) -> bool {
    number.fract() == 0.0 && number.abs() < EXACT_MAX
}

/// The integer part, as Redis makes integers of Lua's numbers.
#[expect(
    clippy::cast_possible_truncation,
    reason = "this is how Redis converts; a cast of a greater one saturates"
)]
pub(crate) fn truncated(number: f64) -> i64 {
    number as i64
}

/// An integer as a double.
#[expect(
    clippy::cast_precision_loss,
    reason = "Lua has doubles only, so Redis does the same"
)]
pub(crate) fn double(number: i64) -> f64 {
    number as f64
}

/// An argument that must be an integer.
pub(crate) fn integer(text: &[u8]) -> Result<i64, String> {
    str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| "ERR value is not an integer or out of range".to_owned())
}

/// First and length of what `start..=stop` means in a sequence of `length`: negative numbers count from its end.
pub(crate) fn span(start: i64, stop: i64, length: usize) -> (usize, usize) {
    let size = i64::try_from(length).unwrap_or(i64::MAX);
    let from_end = |index: i64| if index < 0 { index + size } else { index };
    let (first, last) = (from_end(start).max(0), from_end(stop).min(size - 1));
    if first > last {
        return (0, 0);
    }
    let count = usize::try_from(last - first + 1).unwrap_or(0);
    (usize::try_from(first).unwrap_or(0), count)
}
