//! Texts that people write.

use tickwheel_core::access::Token;
use tickwheel_core::id::{ContextId, JobName};
use tickwheel_core::shape::{Form as _, SPAN, WHEN};
use tickwheel_core::{CronSchedule, TimestampMs, Violations, parse_documents};
use tickwheel_http_handler::{Entries, Ports, Target};

use crate::given::{text_of, told};

/// What a random byte stands for: random texts seldom are of the letters of an expression.
const LETTERS: &[u8] = b"0123456789*/,-?#LW @MONFRIJA";
const ZONE: &str = "Europe/Berlin";

pub(crate) fn cron(bytes: &[u8]) {
    let letter = |byte: &u8| LETTERS.get(usize::from(*byte) % LETTERS.len()).copied();
    let letters: String = bytes.iter().filter_map(letter).map(char::from).collect();
    for text in [text_of(bytes), &letters] {
        match CronSchedule::parse(text, ZONE) {
            Ok(schedule) => {
                let after = TimestampMs::new(1_767_225_600_000);
                let due = schedule.upcoming(after, 3);
                assert!(due.is_sorted_by(|a, b| a < b));
                assert!(due.iter().all(|due| *due > after));
                // What it says of itself means the same.
                let again = CronSchedule::parse(schedule.expression(), ZONE).unwrap();
                assert_eq!(again.upcoming(after, 3), due);
                assert!(!schedule.explain().is_empty());
            }
            Err(wrong) => told(&wrong.into()),
        }
    }
}

pub(crate) fn documents(bytes: &[u8]) {
    if let Ok(value) = serde_json::from_slice(bytes)
        && let Err(wrong) = parse_documents(&value)
    {
        told(&wrong);
    }
}

pub(crate) fn names(bytes: &[u8]) {
    let text = text_of(bytes);
    if let Ok(name) = JobName::new(text) {
        assert_eq!(JobName::new(name.as_str()), Ok(name));
    }
    if let Ok(id) = text.parse::<ContextId>() {
        assert_eq!(id.as_str().parse::<ContextId>(), Ok(id));
    }
    if let Ok(token) = text.parse::<Token>() {
        assert_eq!(token.reveal(), text);
    }
}

pub(crate) fn spans(bytes: &[u8]) {
    let value = serde_json::Value::from(text_of(bytes));
    let span: Result<u64, Violations> = SPAN.read(&value);
    let when: Result<TimestampMs, Violations> = WHEN.read(&value);
    for wrong in span.err().into_iter().chain(when.err()) {
        told(&wrong);
    }
}

pub(crate) fn urls(bytes: &[u8]) {
    let text = text_of(bytes);
    for url in [text, &format!("http://{text}/")] {
        if let Err(refusal) = Target::parse(url) {
            assert!(!refusal.to_string().is_empty());
        }
    }
    // What is read is written as it is read again.
    if let Ok(entries) = text.parse::<Entries>() {
        assert_eq!(entries.to_string().parse::<Entries>().unwrap(), entries);
    }
    if let Ok(ports) = text.parse::<Ports>() {
        assert_eq!(ports.to_string().parse::<Ports>().unwrap(), ports);
    }
}
