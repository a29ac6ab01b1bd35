//! Kubernetes CronJobs, in YAML or JSON: one or more documents, and lists of them. The Pod becomes data of the body, for a handler that
//! somebody writes.

mod fields;
mod job;
mod pod;
mod schedule;
mod template;

use serde_json::{Map, Value};

use super::checked::nodes;
use super::draft::Draft;
use super::names::Names;
use super::settings::Settings;
use crate::manifest::NODES_MAX;

/// Reads at most `most` objects.
pub(super) fn read(text: &str, settings: &Settings, most: usize) -> Vec<Draft> {
    let (mut drafts, mut names) = (Vec::new(), Names::default());
    // Over all documents: a few lines of aliases may stand for as many values as one likes.
    let mut room = NODES_MAX;
    for (line, text) in documents(text) {
        let place = format!("line {line}");
        match parsed(text, &mut room) {
            Err(why) => drafts.push(Draft::refused(place, "", why)),
            Ok(Value::Null) => {}
            Ok(document) => {
                let objects = objects(&place, &document).into_iter();
                for (place, object) in objects.take(most - drafts.len()) {
                    drafts.push(draft_of(place, object, settings, &mut names));
                }
            }
        }
        if drafts.len() >= most {
            break;
        }
    }
    drafts
}

/// The documents of a text, each with the line that it begins in. They are read one by one, so that a broken one leaves the others alone.
fn documents(text: &str) -> Vec<(usize, &str)> {
    let (mut found, mut begin, mut first) = (Vec::new(), 0, 1);
    let mut end = 0;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let marks = line.strip_prefix("---");
        // Three hyphens at the begin of a line are nothing else in YAML, wherever they stand.
        if at > 0
            && marks.is_some_and(|rest| rest.trim_start().len() < rest.len() || rest.is_empty())
        {
            found.extend(text.get(begin..end).map(|text| (first, text)));
            (begin, first) = (end, at + 1);
        }
        end += line.len();
    }
    found.extend(text.get(begin..).map(|text| (first, text)));
    found
}

/// A document by the rules of those who read it there: YAML 1.1, where a number may begin with a zero, and `yes` is true. It takes its
/// values from the room for all of them.
fn parsed(text: &str, room: &mut usize) -> Result<Value, String> {
    let options = serde_saphyr::options! {
        strict_booleans: false,
        legacy_octal_numbers: true,
        budget: serde_saphyr::budget! {
            max_nodes: *room,
        },
    };
    let read: Result<Value, _> = serde_saphyr::from_str_with_options(text, options);
    match read {
        Ok(document) => {
            *room = room.saturating_sub(nodes(&document));
            Ok(document)
        }
        Err(error) => {
            if matches!(error.without_snippet(), serde_saphyr::Error::Budget { .. }) {
                *room = 0;
                return Err(format!(
                    "the source has more than {NODES_MAX} values, or lies too deep: divide it into several files"
                ));
            }
            let shown = error.render_with_formatter(&serde_saphyr::UserMessageFormatter);
            // What stands below repeats the text.
            let first = shown.lines().next().unwrap_or_default();
            let first = first.trim_start_matches("error: ");
            Err(format!("is not YAML (lines counted from there): {first}"))
        }
    }
}

/// The objects of a document: itself, or what a list has.
fn objects<'a>(place: &str, document: &'a Value) -> Vec<(String, &'a Value)> {
    let kind = document.get("kind").and_then(Value::as_str);
    let items = document.get("items").and_then(Value::as_array);
    match (kind, items) {
        (Some(kind), Some(items)) if kind.ends_with("List") => {
            let item = |(at, item)| (format!("{place}, item {at}"), item);
            items.iter().enumerate().map(item).collect()
        }
        _ => vec![(place.to_owned(), document)],
    }
}

fn draft_of(place: String, object: &Value, settings: &Settings, names: &mut Names) -> Draft {
    let empty = Map::new();
    let whole = object.as_object().unwrap_or(&empty);
    let word = |key: &str| whole.get(key).and_then(Value::as_str).unwrap_or_default();
    let metadata = whole
        .get("metadata")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    let name = metadata
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let (kind, version) = (word("kind"), word("apiVersion"));
    let source = format!("{kind} {name}");
    if kind != "CronJob" {
        let why = match kind {
            "" => "is no object of Kubernetes: it has no `kind`".to_owned(),
            "Job" => "is a Job, which runs once: `tickwheel submit` does that".to_owned(),
            kind => format!("is a {kind}, and no CronJob"),
        };
        return Draft::refused(place, &source, why);
    }
    if !version.starts_with("batch/") {
        let why = format!("is of the version `{version}`, and no CronJob of batch/v1");
        return Draft::refused(place, &source, why);
    }
    let mut draft = Draft::new(place, &source);
    job::convert(whole, metadata, settings, &mut draft);
    if name.is_empty() {
        draft.refuse("has no metadata.name");
    } else if draft.refusals.is_empty() {
        let namespace = metadata.get("namespace").and_then(Value::as_str);
        names.give(
            &mut draft,
            namespace.unwrap_or(settings.namespace.as_str()),
            name,
        );
    }
    draft
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_divided_where_yaml_divides_them() {
        let text = "a: 1\n---\nb: |\n  x\n  --- no\n--- # c\nc: 1\n---x: 1\n";
        let found: Vec<(usize, &str)> = documents(text);
        assert_eq!(
            found,
            [
                (1, "a: 1\n"),
                (2, "---\nb: |\n  x\n  --- no\n"),
                (6, "--- # c\nc: 1\n---x: 1\n")
            ]
        );
        assert_eq!(documents("---\na: 1"), [(1, "---\na: 1")]);
    }

    #[test]
    fn numbers_and_truth_values_are_those_of_yaml_1_1() {
        let value = parsed("mode: 0644\nsuspend: yes\n", &mut 10).unwrap();
        assert_eq!(value, serde_json::json!({"mode": 420, "suspend": true}));
    }
}
