//! What the workers recorded, and the figures that follow from it.

use std::collections::HashSet;
use std::path::Path;
use std::time::UNIX_EPOCH;

use anyhow::Result;
use serde_json::{Map, Value};

/// Bytes of a record: four numbers, little end first. The workers of peers write the same.
const RECORD_BYTES: usize = 32;

/// One start of a handler.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    /// Which context: the number in its body, or where that is missing a hash of its id.
    pub(crate) key: u64,
    /// The machine's clock.
    pub(crate) at_us: u64,
    /// When it was due; 0 where that is not known.
    pub(crate) due_ms: u64,
    /// A hash of its id.
    pub(crate) id: u64,
}

impl Start {
    pub(crate) fn to_bytes(self) -> [u8; RECORD_BYTES] {
        let mut bytes = [0; RECORD_BYTES];
        let numbers = [self.key, self.at_us, self.due_ms, self.id];
        for (place, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        Some(Self {
            key: number(0)?,
            at_us: number(8)?,
            due_ms: number(16)?,
            id: number(24)?,
        })
    }

    /// Microseconds after the due time; a start before it (which would be a fault) counts as 0 and is caught by [`early`].
    pub(crate) fn late_us(&self) -> u64 {
        self.at_us.saturating_sub(self.due_ms * 1000)
    }
}

/// FNV-1a: names a context by its id.
pub(crate) fn hash(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Reads what one worker left.
pub(crate) fn read(path: &Path) -> Result<Vec<Start>> {
    let bytes = std::fs::read(path)?;
    let records = bytes.chunks_exact(RECORD_BYTES);
    Ok(records.filter_map(Start::from_bytes).collect())
}

/// How many starts were of a context that had started before.
pub(crate) fn duplicates(starts: &[Start]) -> usize {
    starts.len() - distinct(starts)
}

/// How many contexts started.
pub(crate) fn distinct(starts: &[Start]) -> usize {
    let keys: HashSet<u64> = starts.iter().map(|start| start.key).collect();
    keys.len()
}

/// How many starts were before their due time.
pub(crate) fn early(starts: &[Start]) -> usize {
    let early = |start: &&Start| start.at_us < start.due_ms * 1000;
    starts.iter().filter(early).count()
}

/// The machine's clock in microseconds: workers and Redis share a machine, so a start can be compared with a due time.
pub(crate) fn now_us() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a measurement, not a decision")]
    let now = std::time::SystemTime::now();
    let span = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

/// Seconds from the first start to `end_us`.
pub(crate) fn until_s(starts: &[Start], end_us: u64) -> f64 {
    let first = starts.iter().map(|start| start.at_us).min();
    millis(end_us.saturating_sub(first.unwrap_or(end_us))) / 1000.0
}

/// Seconds from the first start to the last.
pub(crate) fn span_s(starts: &[Start]) -> f64 {
    let first = starts.iter().map(|start| start.at_us).min().unwrap_or(0);
    let last = starts.iter().map(|start| start.at_us).max().unwrap_or(0);
    millis(last.saturating_sub(first)) / 1000.0
}

/// A distribution of microseconds.
pub(crate) struct Spread(hdrhistogram::Histogram<u64>);

impl Spread {
    pub(crate) fn of(values: impl Iterator<Item = u64>) -> Result<Self> {
        let mut histogram = hdrhistogram::Histogram::new(3)?;
        for value in values {
            histogram.record(value)?;
        }
        Ok(Self(histogram))
    }

    /// How long after the first start the others were.
    pub(crate) fn from_first(starts: &[Start]) -> Result<Self> {
        let first = starts.iter().map(|start| start.at_us).min().unwrap_or(0);
        Self::of(starts.iter().map(|start| start.at_us - first))
    }

    /// How late the starts were.
    pub(crate) fn lateness(starts: &[Start]) -> Result<Self> {
        Self::of(starts.iter().map(Start::late_us))
    }

    /// Milliseconds at `quantile`.
    pub(crate) fn ms(&self, quantile: f64) -> f64 {
        millis(self.0.value_at_quantile(quantile))
    }

    pub(crate) fn max_ms(&self) -> f64 {
        millis(self.0.max())
    }
}

/// The line a scenario ends with.
#[derive(Debug)]
pub(crate) struct Line(Map<String, Value>);

impl Line {
    pub(crate) fn new(scenario: &str) -> Self {
        let mut line = Self(Map::new());
        line.put("scenario", scenario);
        line
    }

    pub(crate) fn put(&mut self, field: &str, value: impl Into<Value>) {
        self.0.insert(field.to_owned(), value.into());
    }

    pub(crate) fn put_all(&mut self, fields: Map<String, Value>) {
        self.0.extend(fields);
    }

    /// The fields `p50_ms`, `p95_ms`, `p99_ms` and `max_ms`.
    pub(crate) fn put_spread(&mut self, spread: &Spread) {
        for (field, quantile) in [("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99)] {
            self.put(field, spread.ms(quantile));
        }
        self.put("max_ms", spread.max_ms());
    }

    /// The fields `lost` and `duplicates` of `jobs` contexts that should each have started once.
    pub(crate) fn put_checks(&mut self, jobs: usize, starts: &[Start]) {
        self.put("lost", jobs.saturating_sub(distinct(starts)));
        self.put("duplicates", duplicates(starts));
    }

    pub(crate) fn number(&self, field: &str) -> f64 {
        number(&Value::Object(self.0.clone()), field)
    }

    pub(crate) fn done(self) -> Value {
        Value::Object(self.0)
    }
}

/// A number of a line; one that is missing is not a number.
pub(crate) fn number(line: &Value, field: &str) -> f64 {
    line.get(field).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

/// Microseconds as milliseconds with three digits.
#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds of a run fit a double exactly"
)]
pub(crate) fn millis(us: u64) -> f64 {
    us as f64 / 1000.0
}

/// Rounds to two digits: more is noise.
pub(crate) fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Rounds to four digits, for what is far below one.
pub(crate) fn round4(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

/// The middle of `values`, the lower one of two.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len().saturating_sub(1) / 2;
    sorted.get(middle).copied().unwrap_or(f64::NAN)
}

/// A count as a double.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a run are far below 2^53"
)]
pub(crate) fn count(value: usize) -> f64 {
    value as f64
}
