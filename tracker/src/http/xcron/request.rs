//! Reads what is asked, and finds every mistake of it at once.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use tickwheel_api::requests::{keyed, parameters, whole};
use tickwheel_core::CronSchedule;
use tickwheel_core::error::{Violation, Violations, with_suggestion};
use tickwheel_http_handler::Guard;

use super::callback;
use super::envelope::{Code, Refused, in_a_line};
use crate::rpc::scheduler::{TaskId, TaskTime};

/// Digits of a unix time: seconds from the years 2001 to 2286.
const UNIX_DIGITS: usize = 10;
/// Fields of a crontab.
const CRONTAB_FIELDS: usize = 5;

const TYPES: &str = "is 1 (periodic, by a crontab) or 2 (once, at a unix time)";

/// A task that shall be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) time: TaskTime,
    /// The body of the job.
    pub(super) call: Vec<u8>,
}

/// Mistakes, each with its code.
#[derive(Debug, Default)]
struct Mistakes {
    code: Option<Code>,
    found: Violations,
}

impl Mistakes {
    fn push(&mut self, code: Code, wrong: Violation) {
        self.code = Some(self.code.map_or(code, |known| known.min(code)));
        self.found.push(wrong);
    }

    fn add(&mut self, code: Code, field: &str, rule: &str, given: &str) {
        self.push(code, Violation::new(field, rule, given));
    }

    fn keep<T>(&mut self, code: Code, read: Result<T, Violation>) -> Option<T> {
        read.map_err(|wrong| self.push(code, wrong)).ok()
    }

    fn into_result(self) -> Result<(), Refused> {
        match self.code {
            Some(code) => Err(Refused::new(code, in_a_line(&self.found))),
            None => Ok(()),
        }
    }
}

/// The keys of an object, of which each is asked for by its name.
struct Fields<'a> {
    path: &'static str,
    map: BTreeMap<String, &'a str>,
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    fn of(text: &'a str, path: &'static str) -> Result<Self, Violations> {
        let map = keyed(text).map_err(|wrong| wrong.prefix(path))?;
        Ok(Self {
            path,
            map,
            known: Vec::new(),
        })
    }

    /// The value of a key as it was written; null is as good as left out.
    fn raw(&mut self, key: &'static str) -> Option<&'a str> {
        self.known.push(key);
        let raw = self.map.get(key).copied();
        raw.filter(|raw| *raw != "null")
    }

    /// The value of a key; of another kind than it has to be, it is a mistake and left out.
    fn value<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
        kind: &str,
        mistakes: &mut Mistakes,
    ) -> Option<Option<T>> {
        let Some(raw) = self.raw(key) else {
            return Some(None);
        };
        let read = serde_json::from_str(raw).map_err(|_| {
            let wrong = Violation::new(key, kind, raw);
            wrong.prefix(self.path)
        });
        mistakes.keep(Code::Request, read).map(Some)
    }

    /// Keys that nobody asked for.
    fn finish(self, mistakes: &mut Mistakes) {
        for key in self.map.keys() {
            if !self.known.contains(&key.as_str()) {
                let known = self.known.iter().copied();
                let rule = with_suggestion("is not a known key", key, known);
                let wrong = Violation::new(key.as_str(), rule, "");
                mistakes.push(Code::Request, wrong.prefix(self.path));
            }
        }
    }
}

/// The task that a request wants, in whose crontab times are those of `zone`.
pub(super) fn create(body: &[u8], zone: &str, guard: &Guard) -> Result<Wanted, Refused> {
    let text = whole(body).map_err(|wrong| Refused::request(&wrong.into()))?;
    let mut fields = Fields::of(text, "").map_err(|wrong| Refused::request(&wrong))?;
    let mut mistakes = Mistakes::default();
    let kind = fields.value::<i64>("type", "is a whole number", &mut mistakes);
    let format = fields.value::<String>("format", "is text", &mut mistakes);
    let called = fields.raw("callback").unwrap_or("{}");
    fields.finish(&mut mistakes);
    let time = kind
        .zip(format)
        .and_then(|(kind, format)| time(kind, &format.unwrap_or_default(), zone, &mut mistakes));
    let call = call(called, guard, &mut mistakes);
    mistakes.into_result()?;
    // Without a mistake there are both.
    let missing = || Refused::new(Code::Request, "the request says no task");
    Ok(Wanted {
        time: time.ok_or_else(missing)?,
        call: call.ok_or_else(missing)?,
    })
}

fn time(kind: Option<i64>, format: &str, zone: &str, mistakes: &mut Mistakes) -> Option<TaskTime> {
    let is_number = format.len() == UNIX_DIGITS && format.bytes().all(|it| it.is_ascii_digit());
    let is_crontab = format.split_ascii_whitespace().count() == CRONTAB_FIELDS
        || format.trim_start().starts_with('@');
    match kind {
        Some(1) if is_number => {
            let rule = "is a crontab, as type 1 is periodic; a unix time is type 2";
            mistakes.add(Code::Format, "format", rule, format);
        }
        Some(1) if !is_crontab => {
            let rule = "has the five fields of a crontab";
            mistakes.add(Code::Crontab, "format", rule, format);
        }
        Some(1) => {
            let read = CronSchedule::parse(format, zone).map_err(|wrong| wrong.at("format"));
            return mistakes
                .keep(Code::Crontab, read)
                .map(|_| TaskTime::Crontab {
                    expression: format.to_owned(),
                    zone: zone.to_owned(),
                });
        }
        Some(2) if is_crontab => {
            let rule = "is a unix time of 10 digits, as type 2 is once; a crontab is type 1";
            mistakes.add(Code::Format, "format", rule, format);
        }
        Some(2) if format.len() != UNIX_DIGITS => {
            let rule = "is a unix time of 10 digits, in seconds";
            mistakes.add(Code::Format, "format", rule, format);
        }
        Some(2) => {
            if let Some(at_s) = format.parse().ok().filter(|_| is_number) {
                return Some(TaskTime::Once { at_s });
            }
            let rule = "is a unix time of 10 digits, in seconds";
            mistakes.add(Code::Past, "format", rule, format);
        }
        Some(other) => mistakes.push(Code::Type, Violation::new("type", TYPES, other)),
        None => mistakes.add(Code::Type, "type", TYPES, ""),
    }
    None
}

fn call(text: &str, guard: &Guard, mistakes: &mut Mistakes) -> Option<Vec<u8>> {
    let mut fields = match Fields::of(text, "callback") {
        Ok(fields) => fields,
        Err(wrong) => {
            for one in wrong {
                mistakes.push(Code::Request, one);
            }
            return None;
        }
    };
    let url = fields.value::<String>("url", "is text", mistakes);
    let body = fields.raw("body");
    fields.finish(mistakes);
    if let Some(body) = body.filter(|body| !callback::is_map(body)) {
        mistakes.add(Code::Request, "callback.body", "is a map", body);
    }
    let url = url?.unwrap_or_default();
    if url.is_empty() {
        mistakes.add(Code::Callback, "callback.url", "is missing", "");
        return None;
    }
    mistakes.keep(Code::Callback, callback::check(&url, guard))?;
    Some(callback::call(&url, body))
}

/// The task that a body names, as it is given and as a name.
pub(super) fn named(body: &[u8]) -> Result<(String, TaskId), Refused> {
    let text = whole(body).map_err(|wrong| Refused::request(&wrong.into()))?;
    let mut fields = Fields::of(text, "").map_err(|wrong| Refused::request(&wrong))?;
    let mut mistakes = Mistakes::default();
    let given = fields.value::<String>("task_id", "is text", &mut mistakes);
    fields.finish(&mut mistakes);
    // What is no text is told already.
    let id = given.and_then(|given| mistakes.keep(Code::Request, id(given)));
    mistakes.into_result()?;
    id.ok_or_else(|| Refused::new(Code::Request, "the request names no task"))
}

/// The task that a query names.
pub(super) fn asked(query: &str) -> Result<(String, TaskId), Refused> {
    let mut given = parameters(query).map_err(|wrong| Refused::request(&wrong))?;
    let mut mistakes = Mistakes::default();
    let named = given.remove("task_id");
    for name in given.keys() {
        let rule = with_suggestion("is not a known parameter", name, ["task_id"]);
        mistakes.add(Code::Request, name, &rule, "");
    }
    let id = mistakes.keep(Code::Request, id(named));
    mistakes.into_result()?;
    id.ok_or_else(|| Refused::new(Code::Request, "the request names no task"))
}

fn id(given: Option<String>) -> Result<(String, TaskId), Violation> {
    let given = given.ok_or_else(|| Violation::new("task_id", "is missing", ""))?;
    let id = TaskId::new(&given)?;
    Ok((given, id))
}

#[cfg(test)]
mod tests;
