//! The processing model of a job in a manifest: a word, or a map with exactly one kind.

use serde_json::Value;

use super::options::read_options;
use super::policy::retry_keys;
use super::reader::{Reader, map, number, parsed, shown, small_number, text};
use crate::error::{Violation, Violations, with_suggestion};
use crate::job::ContextOptions;
use crate::limits::{SHARD_ITEMS_MAX, SUBTASKS_MAX};
use crate::model::{Broadcast, Indexed, Model, ReduceOn, ShardItem, Sharding, Success};

const KINDS: [&str; 4] = ["standalone", "broadcast", "sharding", "indexed"];

/// Reads a model.
pub(super) fn read(value: &Value) -> Result<Model, Violations> {
    if let Some(word) = value.as_str() {
        return Ok(of_word(word)?);
    }
    let map = map(value)?;
    let given: Vec<&str> = KINDS
        .into_iter()
        .filter(|kind| map.contains_key(*kind))
        .collect();
    let mut found = Violations::new();
    let mut reader = Reader::new(map, &mut found);
    // `broadcast:` without a value is the whole model; the other kinds need their fields.
    let bare = |kind: &str| map.get(kind).is_some_and(Value::is_null);
    let kinds = [
        reader.get("standalone", empty).map(|()| Model::Standalone),
        reader.get("broadcast", broadcast),
        reader.get("sharding", sharding),
        reader.get("indexed", indexed),
    ];
    let model = kinds.into_iter().flatten().next();
    if given.len() != 1 {
        let rule = format!("has exactly one of {}", KINDS.join(", "));
        reader.wrong("", rule, given.join(", "));
    }
    reader.finish();
    found.into_result()?;
    match (model, given.as_slice()) {
        (Some(model), _) => Ok(model),
        (None, [kind]) if bare(kind) => Ok(of_word(kind)?),
        (None, _) => Err(Violation::new("", "is a processing model", shown(value)).into()),
    }
}

fn of_word(word: &str) -> Result<Model, Violation> {
    match word {
        "standalone" => Ok(Model::Standalone),
        "broadcast" => Ok(Model::Broadcast(Broadcast::default())),
        "sharding" => Err(Violation::new("sharding.items", "is missing", "")),
        "indexed" => Err(Violation::new("indexed.completions", "is missing", "")),
        _ => {
            let rule = format!("is one of {}", KINDS.join(", "));
            Err(Violation::new(
                "",
                with_suggestion(&rule, word, KINDS),
                word,
            ))
        }
    }
}

fn empty(value: &Value) -> Result<(), Violation> {
    if value.as_object().is_some_and(serde_json::Map::is_empty) {
        return Ok(());
    }
    Err(Violation::new("", "is an empty map: {}", shown(value)))
}

/// The model, or the mistakes of its keys together with those of its ranges. Parts that could not be read have a fitting value here.
fn checked(model: Model, mut found: Violations) -> Result<Model, Violations> {
    if found.is_empty() {
        return Ok(model);
    }
    if let Err(more) = model.validate(None, ReduceOn::default()) {
        let above = format!("model.{}.", model.word());
        found.merge(
            more.into_iter()
                .map(|wrong| {
                    let field = wrong.field.trim_start_matches(&above).to_owned();
                    wrong.at(field)
                })
                .collect(),
        );
    }
    Err(found)
}

fn broadcast(value: &Value) -> Result<Model, Violations> {
    let mut found = Violations::new();
    let mut reader = Reader::new(map(value)?, &mut found);
    let quorum = reader.get("quorum", small_number);
    reader.finish();
    checked(Model::Broadcast(Broadcast { quorum }), found)
}

fn sharding(value: &Value) -> Result<Model, Violations> {
    let mut found = Violations::new();
    let mut reader = Reader::new(map(value)?, &mut found);
    let items = reader.need("items", items);
    let allocation = reader.get("allocation", |value| {
        let words = crate::model::Allocation::ALL.iter().map(|one| one.as_str());
        parsed(value).map_err(|mut wrong| {
            wrong.rule = with_suggestion(&wrong.rule, &wrong.given, words);
            wrong
        })
    });
    reader.finish();
    let unread = || numbered(1);
    let sharding = Sharding {
        items: items.unwrap_or_else(unread),
        allocation: allocation.unwrap_or_default(),
    };
    checked(Model::Sharding(sharding), found)
}

/// A list of `0=Beijing`, or how many items without parameters there are.
fn items(value: &Value) -> Result<Vec<ShardItem>, Violations> {
    if let Some(count) = value.as_u64() {
        // One more than allowed is enough for the check to find that there are too many.
        let most = SHARD_ITEMS_MAX as u64 + 1;
        return Ok(numbered(u32::try_from(count.min(most)).unwrap_or(u32::MAX)));
    }
    let rule = "is a list like [\"0=Beijing\", \"1=Shanghai\"], or a number of items";
    let list = value
        .as_array()
        .ok_or_else(|| Violation::new("", rule, shown(value)))?;
    let mut found = Violations::new();
    let read = list.iter().enumerate().filter_map(|(place, value)| {
        let item = item(value).map_err(|wrong| wrong.prefix(&format!("[{place}]")));
        found.keep(item)
    });
    let items = read.collect();
    found.into_result().map(|()| items)
}

/// Items without parameters.
fn numbered(count: u32) -> Vec<ShardItem> {
    let item = |index| ShardItem {
        index,
        parameter: String::new(),
    };
    (0..count).map(item).collect()
}

fn item(value: &Value) -> Result<ShardItem, Violation> {
    if value.is_number() {
        return shown(value).parse();
    }
    text(value)?.parse()
}

fn indexed(value: &Value) -> Result<Model, Violations> {
    let mut found = Violations::new();
    let mut reader = Reader::new(map(value)?, &mut found);
    let completions = reader.need("completions", number);
    let parallelism = reader.get("parallelism", small_number);
    let max_failed = reader.get("max_failed", number);
    let success = reader.get("success", success);
    reader.finish();
    let indexed = Indexed {
        completions: completions.unwrap_or(SUBTASKS_MAX),
        parallelism: parallelism.unwrap_or(1),
        max_failed,
        success,
    };
    checked(Model::Indexed(indexed), found)
}

fn success(value: &Value) -> Result<Success, Violations> {
    let mut found = Violations::new();
    let mut reader = Reader::new(map(value)?, &mut found);
    let indexes = reader.get("indexes", |value| {
        let list = value
            .as_array()
            .ok_or_else(|| Violation::new("", "is a list of indexes", shown(value)))?;
        list.iter().map(number).collect::<Result<Vec<u64>, _>>()
    });
    let count = reader.get("count", number);
    reader.finish();
    found.into_result().map(|()| Success {
        indexes: indexes.unwrap_or_default(),
        count,
    })
}

/// What holds for each subtask: the keys of `retries` and those of a job's options, in one map.
pub(super) fn subtask(value: &Value) -> Result<ContextOptions, Violations> {
    let mut found = Violations::new();
    let mut reader = Reader::new(map(value)?, &mut found);
    let mut options = ContextOptions {
        retry: retry_keys(&mut reader),
        ..ContextOptions::default()
    };
    read_options(&mut reader, &mut options);
    reader.finish();
    found.into_result().map(|()| options)
}

#[cfg(test)]
mod tests;
