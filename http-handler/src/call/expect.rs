//! What an answer must be like for the run to succeed.

use std::ops::RangeInclusive;

use hyper::StatusCode;
use serde_json::Value;
use tickwheel_core::{Violation, Violations};

use super::fields::{Fields, list, text};

/// Bytes of the text that is looked for.
const TEXT_BYTES_MAX: usize = 1_024;

/// Ranges of statuses; there are 500 statuses in all.
const RANGES_MAX: usize = 50;

/// By default any status from 200 to 299 will do, with whatever text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expect {
    statuses: Vec<RangeInclusive<u16>>,
    /// Stands somewhere in the answer.
    pub(crate) text: Option<String>,
}

impl Default for Expect {
    fn default() -> Self {
        Self {
            statuses: vec![200..=299],
            text: None,
        }
    }
}

impl Expect {
    pub(super) fn read(json: &str) -> Result<Self, Violations> {
        let mut fields = Fields::of(json)?;
        let usual = Self::default();
        let statuses = fields.get("status", statuses).unwrap_or(usual.statuses);
        let text = fields.get("text", |json| {
            let text = text(json)?;
            if (1..=TEXT_BYTES_MAX).contains(&text.len()) {
                return Ok(text);
            }
            let rule = format!("has 1 to {TEXT_BYTES_MAX} bytes");
            Err(Violation::new("", rule, text.len()))
        });
        fields.finish().map(|()| Self { statuses, text })
    }

    pub(crate) fn has(&self, status: StatusCode) -> bool {
        self.statuses
            .iter()
            .any(|range| range.contains(&status.as_u16()))
    }
}

fn statuses(json: &str) -> Result<Vec<RangeInclusive<u16>>, Violations> {
    let all = list(json)?;
    if !(1..=RANGES_MAX).contains(&all.len()) {
        let rule = format!("has 1 to {RANGES_MAX} entries");
        return Err(Violation::new("", rule, all.len()).into());
    }
    let mut found = Violations::new();
    let read = all.iter().enumerate().filter_map(|(at, value)| {
        let read = range(value).ok_or_else(|| {
            let rule = "is a status from 200 to 599, or a range such as \"200-299\"";
            Violation::new(format!("[{at}]"), rule, value)
        });
        found.keep(read)
    });
    let read = read.collect();
    found.into_result().map(|()| read)
}

/// What is below 200 is no answer yet.
fn range(value: &Value) -> Option<RangeInclusive<u16>> {
    let status = |text: &str| {
        text.parse()
            .ok()
            .filter(|status| (200..=599).contains(status))
    };
    let (first, last) = match value {
        Value::Number(number) => {
            let status = status(&number.to_string())?;
            (status, status)
        }
        Value::String(text) => {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            (status(first)?, status(last)?)
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (first <= last).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_numbers_and_ranges() {
        let expect =
            Expect::read("{\"status\": [200, \"300-399\", 404], \"text\": \"ok\"}").unwrap();
        let has = |status| expect.has(StatusCode::from_u16(status).unwrap());
        assert!(has(200) && has(302) && has(404));
        assert!(!has(201) && !has(400));
        let usual = Expect::read("{}").unwrap();
        assert!(usual.has(StatusCode::NO_CONTENT) && !usual.has(StatusCode::FOUND));
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let wrong = Expect::read(
            "{\"status\": [100, 600, \"299-200\", \"2xx\", 200.5, true], \"text\": \"\", \"txt\": \"\"}",
        );
        let said = wrong.unwrap_err().to_string();
        assert_eq!(said.lines().count(), 8, "{said}");
        assert!(said.contains("status[3]: is a status"), "{said}");
        assert!(
            said.contains("txt: is not a known key; did you mean `text`?"),
            "{said}"
        );
        assert!(Expect::read("{\"status\": []}").is_err());
        assert!(Expect::read("{\"status\": \"200\"}").is_err());
        assert!(Expect::read("[]").is_err());
    }
}
