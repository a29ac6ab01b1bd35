//! What is submitted: one run, or a list of them.

use bytes::Bytes;
use serde_json::{Map, Value};
use tickwheel_core::bounds::SUBMIT_MAX;
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::{GroupName, HandlerName, Namespace};
use tickwheel_core::manifest::{Wishes, describe_body, read_body};
use tickwheel_core::shape::{
    Defaults, Maybe, Name, Parsed, Part, Reader, Record, SPAN, Visitor, WHEN, needed, optional,
    place,
};
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::convert;
use tickwheel_proto::v1;
use v1::submission::When;

use super::asked::Asked;
use super::dedup::DedupWish;
use super::{record, tree, words};

/// One submission.
#[derive(Debug, Clone, Default)]
pub(crate) struct Submission {
    namespace: Option<Namespace>,
    group: GroupName,
    handler: Option<HandlerName>,
    body: Bytes,
    delay_ms: Option<u64>,
    at: Option<TimestampMs>,
    wishes: Wishes,
    dedup: DedupWish,
}

/// The keys of a body.
struct Body;

impl Part<Submission> for Body {
    fn read(&self, reader: &mut Reader<'_, '_>, into: &mut Submission) {
        if let Some(body) = read_body(reader) {
            into.body = body;
        }
    }

    fn write(&self, _: &Submission, _: Defaults, _: &mut Vec<(&'static str, Value)>) {}

    fn describe(&self, properties: &mut Map<String, Value>) -> Vec<&'static str> {
        describe_body(properties);
        Vec::new()
    }
}

impl Record for Submission {
    fn blank() -> Self {
        Self::default()
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        visit.field(
            optional("namespace", "What it belongs to; without it `default`."),
            Maybe(Parsed {
                pattern: "^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$",
            }),
            place!(Self: namespace),
        );
        visit.field(
            optional("group", "Workers of this group run it."),
            Name,
            place!(Self: group),
        );
        visit.field(
            needed("handler", "What they run."),
            Maybe(Name),
            place!(Self: handler),
        );
        visit.part(&Body);
        visit.field(
            optional("delay", "Due this long from now."),
            Maybe(SPAN),
            place!(Self: delay_ms),
        );
        visit.field(
            optional("at", "Due at this instant."),
            Maybe(WHEN),
            place!(Self: at),
        );
        Wishes::fields(visit, place!(Self: wishes));
        DedupWish::fields(visit, place!(Self: dedup));
        for key in ["max_attempts", "backoff", "cap", "jitter"] {
            visit.misnamed(key, "belongs in `retries`");
        }
        visit.misnamed(
            "options",
            "is no key: what is in it stands beside `handler`",
        );
        visit.misnamed("delay_ms", "is called `delay`, like delay: 10s");
        visit.misnamed("at_ms", "is called `at`");
        visit.misnamed("payload", "is called `body`");
    }

    fn check(&self) -> Violations {
        let mut found = Violations::new();
        if let (Some(_), Some(at)) = (self.delay_ms, self.at) {
            found.add("at", "is given, or `delay`: one of them", at);
        }
        let wire = self.clone().into_wire();
        let checked = convert::Submission::try_from(wire);
        let below = |wrong: Violation| {
            let field = words::in_words(&wrong.field);
            wrong.at(field)
        };
        let wrong = checked.err().unwrap_or_default();
        found.merge(wrong.into_iter().map(below).collect());
        found
    }
}

impl Submission {
    fn into_wire(self) -> v1::Submission {
        let (dedup_key, dedup_keep_ms, dedup_reuse) = self.dedup.into_wire();
        let at = self.at.map(|at| When::AtMs(at.as_u64()));
        v1::Submission {
            group: self.group.into(),
            // Whoever has none is told so where it is read.
            handler: self
                .handler
                .map_or_else(|| "unnamed".to_owned(), String::from),
            body: self.body,
            when: at.or(self.delay_ms.map(When::DelayMs)),
            options: Some((&self.wishes).into()),
            dedup_key,
            dedup_keep_ms,
            dedup_reuse,
            namespace: self.namespace.map(String::from).unwrap_or_default(),
        }
    }
}

/// The submissions of a request.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn submit(asked: &Asked<'_>) -> Result<v1::SubmitRequest, Violations> {
    let nothing = record::of_query::<record::Nothing>(asked.query, &[]);
    let read = read_all(asked.body);
    let mut found = Violations::new();
    let (nothing, contexts) = (found.keep(nothing), found.keep(read));
    match (nothing, contexts) {
        (Some(_), Some(contexts)) => Ok(v1::SubmitRequest { contexts }),
        (None, _) | (_, None) => Err(found),
    }
}

fn read_all(body: &[u8]) -> Result<Vec<v1::Submission>, Violations> {
    let entries = tree::entries(body, SUBMIT_MAX)?;
    let mut found = Violations::new();
    let mut all = Vec::with_capacity(entries.len());
    for (at, entry) in entries.into_iter().enumerate() {
        let read = record::of_text::<Submission>(entry.get());
        let read = read.map_err(|wrong| {
            if tree::is_list(body) {
                wrong.prefix(&format!("[{at}]"))
            } else {
                wrong
            }
        });
        all.extend(found.keep(read).map(Submission::into_wire));
    }
    found.into_result().map(|()| all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Vec<v1::Submission>, String> {
        let asked = Asked {
            body: body.as_bytes(),
            ..Asked::default()
        };
        let request = submit(&asked).map_err(|wrong| wrong.to_string())?;
        Ok(request.contexts)
    }

    #[test]
    fn options_have_the_words_of_a_job() {
        let all = read(
            r#"{"handler": "mail/send", "group": "heavy", "namespace": "eu", "delay": "1m30s", "body": {"n": 1e400},
                "retries": {"max_attempts": 5, "delay": "2s"}, "priority": "high", "timeout": "10s",
                "routing": "least_running", "workers": {"select": "gpu"}, "resources": {"cpu": 2}, "fairness": "acme",
                "dedup_key": "k", "dedup_keep": "2h", "dedup_reuse": "reject"}"#,
        );
        let one = all.unwrap().remove(0);
        assert_eq!(
            (one.handler.as_str(), one.group.as_str()),
            ("mail/send", "heavy")
        );
        assert_eq!(one.when, Some(When::DelayMs(90_000)));
        assert_eq!(one.body.as_ref(), br#"{"n": 1e400}"#);
        let options = one.options.unwrap();
        assert_eq!(options.retry.unwrap().max_attempts, 5);
        assert_eq!(
            (options.priority, options.timeout_ms),
            (Some(3), Some(10_000))
        );
        assert_eq!(options.routing.unwrap().policy, "least_running");
        assert_eq!(options.workers.unwrap().select, "gpu");
        assert_eq!(options.fairness.unwrap().key, "acme");
        assert_eq!(
            (one.dedup_key.as_str(), one.dedup_keep_ms),
            ("k", Some(7_200_000))
        );
        assert_eq!(one.dedup_reuse, i32::from(v1::DedupReuse::Reject));
    }

    #[test]
    fn all_mistakes_of_all_come_at_once() {
        let wrong = read(
            r#"[{"handler": "h"}, {"handlr": "h", "retries": {"max_attempts": 0}, "delay": 5, "body": 1, "body_base64": "?"},
                {"handler": "h", "at": 1, "delay": "1s", "dedup_keep": "1h", "lease": "1ms"}]"#,
        );
        let wrong = wrong.unwrap_err();
        for line in [
            "[1].handler: is missing",
            "[1].handlr: is not a known key; did you mean `handler`?",
            "[1].retries.max_attempts: is 1..=1000 (given: 0)",
            "[1].delay: is a span with its unit",
            "[1].body_base64: is base64",
            "[2].at: is given, or `delay`: one of them",
            "[2].dedup_keep: belongs to a dedup_key",
            "[2].lease: ",
        ] {
            assert!(wrong.contains(line), "{line}: {wrong}");
        }
        assert!(!wrong.contains("[0]"), "{wrong}");
        let alone = read(r#"{"handler": "h", "options": {}}"#).unwrap_err();
        assert!(alone.starts_with("options: is no key"), "{alone}");
        assert_eq!(read("5").unwrap_err(), "is an object (given: 5)");
    }
}
