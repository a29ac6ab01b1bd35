//! How a job is split: exactly one kind of model, what joins its subtasks, and what holds for each of them.

use serde_json::{Map, Value, json};

use crate::bounds::{
    PARALLELISM_MAX, QUORUM_MAX, SHARD_ITEMS_MAX, SHARD_PARAMETER_CHARS_MAX, SUBTASKS_MAX,
    SUCCESS_INDEXES_MAX,
};
use crate::error::{Violation, Violations};
use crate::id::HandlerName;
use crate::job::{ContextOptions, JobSpec};
use crate::model::{Allocation, Broadcast, Indexed, Model, ReduceOn, ShardItem, Sharding, Success};
use crate::shape::{
    Defaults, Exactly, Fields, Form, List, Maybe, Name, Part, Reader, Record, Text, Unit, Visitor,
    Whole, Words, needed, optional, place, shown,
};

/// The key.
const KEY: &str = "model";

/// A map with one kind and what belongs to every kind, or a word.
const FORM: Exactly<Kinds> = Exactly::one_of(
    &["standalone", "broadcast", "sharding", "indexed"],
    &["standalone", "broadcast"],
    &[],
);

/// The key `model`, which is four fields of a job.
pub(super) struct Split;

impl Part<JobSpec> for Split {
    fn read(&self, reader: &mut Reader<'_, '_>, into: &mut JobSpec) {
        let Some(kinds) = reader.get(KEY, |value| FORM.read(value)) else {
            return;
        };
        let kind = [
            kinds.broadcast.map(Model::Broadcast),
            kinds.sharding.map(Model::Sharding),
            kinds.indexed.map(Model::Indexed),
        ];
        into.model = kind.into_iter().flatten().next().unwrap_or_default();
        into.reduce = kinds.reduce;
        into.reduce_on = kinds.reduce_on;
        into.subtask = kinds.subtask;
    }

    fn write(&self, from: &JobSpec, defaults: Defaults, entries: &mut Vec<(&'static str, Value)>) {
        let usual = from.usual();
        let own = (&from.model, &from.reduce, from.reduce_on, &from.subtask);
        let is_usual = own == (&usual.model, &usual.reduce, usual.reduce_on, &usual.subtask);
        if is_usual && defaults == Defaults::LeftOut {
            return;
        }
        entries.push((KEY, FORM.write(&kinds_of(from), defaults)));
    }

    fn describe(&self, properties: &mut Map<String, Value>) -> Vec<&'static str> {
        let mut schema = FORM.describe();
        if let Some(map) = schema.as_object_mut() {
            let about = "Into which subtasks each context is split, and what makes it succeed.";
            map.insert("description".to_owned(), json!(about));
        }
        properties.insert(KEY.to_owned(), schema);
        Vec::new()
    }
}

fn kinds_of(spec: &JobSpec) -> Kinds {
    let mut kinds = Kinds {
        reduce: spec.reduce.clone(),
        reduce_on: spec.reduce_on,
        subtask: spec.subtask,
        ..Kinds::default()
    };
    match spec.model.clone() {
        Model::Standalone => kinds.standalone = Some(()),
        Model::Broadcast(broadcast) => kinds.broadcast = Some(broadcast),
        Model::Sharding(sharding) => kinds.sharding = Some(sharding),
        Model::Indexed(indexed) => kinds.indexed = Some(indexed),
    }
    kinds
}

/// A model with what belongs to it, key by key.
#[derive(Default)]
struct Kinds {
    standalone: Option<()>,
    broadcast: Option<Broadcast>,
    sharding: Option<Sharding>,
    indexed: Option<Indexed>,
    reduce: Option<HandlerName>,
    reduce_on: ReduceOn,
    subtask: ContextOptions,
}

impl Record for Kinds {
    fn blank() -> Self {
        Self::default()
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        visit.field(
            optional("standalone", "Not at all: one worker runs it."),
            Maybe(Unit),
            place!(Self: standalone),
        );
        visit.field(
            optional(
                "broadcast",
                "One subtask for each live worker of the group.",
            ),
            Maybe(Fields::<Broadcast>::map()),
            place!(Self: broadcast),
        );
        visit.field(
            optional(
                "sharding",
                "One subtask for each item, dealt out over the live workers.",
            ),
            Maybe(Fields::<Sharding>::map()),
            place!(Self: sharding),
        );
        visit.field(
            optional("indexed", "One subtask for each index, so many at once."),
            Maybe(Fields::<Indexed>::map()),
            place!(Self: indexed),
        );
        visit.field(
            optional(
                "reduce",
                "The handler that runs once when the subtasks have ended, and whose result is that of the whole.",
            ),
            Maybe(Name),
            place!(Self: reduce),
        );
        visit.field(
            optional(
                "reduce_on",
                "When it runs: when all ended, or when all succeeded.",
            ),
            Words {
                all: ReduceOn::ALL,
                word: ReduceOn::as_str,
            },
            place!(Self: reduce_on),
        );
        visit.field(
            optional("subtask", "What holds for each subtask."),
            Fields::<ContextOptions>::map(),
            place!(Self: subtask),
        );
    }
}

/// What is out of range in a model, with paths below its kind.
fn out_of_range(model: &Model) -> Violations {
    let above = format!("model.{}.", model.word());
    let below = |wrong: Violation| {
        let field = wrong.field.trim_start_matches(&above).to_owned();
        wrong.at(field)
    };
    let wrong = model.validate(None, ReduceOn::default()).err();
    wrong.unwrap_or_default().into_iter().map(below).collect()
}

impl Record for Broadcast {
    fn blank() -> Self {
        Self::default()
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        visit.field(
            optional("quorum", "Subtasks that have to succeed; without it all."),
            Maybe(Whole::of(1, QUORUM_MAX.into())),
            place!(Self: quorum),
        );
    }

    fn check(&self) -> Violations {
        out_of_range(&Model::Broadcast(self.clone()))
    }
}

impl Record for Sharding {
    fn blank() -> Self {
        Self {
            items: numbered(1),
            allocation: Allocation::default(),
        }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        visit.field(
            needed(
                "items",
                "Each with its index and a parameter, like 0=Beijing; or how many without parameters there are.",
            ),
            Items,
            place!(Self: items),
        );
        visit.field(
            optional("allocation", "Which worker gets which items."),
            Words {
                all: Allocation::ALL,
                word: Allocation::as_str,
            },
            place!(Self: allocation),
        );
    }

    fn check(&self) -> Violations {
        out_of_range(&Model::Sharding(self.clone()))
    }
}

/// Items without parameters.
fn numbered(count: u32) -> Vec<ShardItem> {
    let item = |index| ShardItem {
        index,
        parameter: String::new(),
    };
    (0..count).map(item).collect()
}

/// A list of items, or how many without parameters there are.
struct Items;

const ITEMS: List<Item> = List {
    form: Item,
    rule: "is a list of items, like { index: 0, parameter: Beijing }, or a number of items",
    least: 0,
    most: SHARD_ITEMS_MAX,
};

impl Form<Vec<ShardItem>> for Items {
    fn read(&self, value: &Value) -> Result<Vec<ShardItem>, Violations> {
        let Some(count) = value.as_u64() else {
            return ITEMS.read(value);
        };
        // One more than allowed is enough for the check to find that there are too many.
        let most = SHARD_ITEMS_MAX as u64 + 1;
        Ok(numbered(u32::try_from(count.min(most)).unwrap_or(u32::MAX)))
    }

    fn write(&self, value: &Vec<ShardItem>, defaults: Defaults) -> Value {
        ITEMS.write(value, defaults)
    }

    fn describe(&self) -> Value {
        let number = json!({ "type": "integer", "minimum": 1, "maximum": SHARD_ITEMS_MAX });
        json!({ "anyOf": [ITEMS.describe(), number] })
    }
}

/// A map of index and parameter, or text like `0=Beijing`.
struct Item;

impl Form<ShardItem> for Item {
    fn read(&self, value: &Value) -> Result<ShardItem, Violations> {
        match value {
            Value::Object(_) => Fields::<ShardItem>::map().read(value),
            Value::String(_) | Value::Number(_) => Ok(shown(value).parse()?),
            Value::Null | Value::Bool(_) | Value::Array(_) => {
                let rule = "is an item, like { index: 0, parameter: Beijing }";
                Err(Violation::new("", rule, shown(value)).into())
            }
        }
    }

    fn write(&self, value: &ShardItem, defaults: Defaults) -> Value {
        Fields::<ShardItem>::map().write(value, defaults)
    }

    fn describe(&self) -> Value {
        json!({
            "anyOf": [
                Fields::<ShardItem>::map().describe(),
                { "type": "string", "pattern": "^ *[0-9]+ *(=.*)?$" },
                { "type": "integer", "minimum": 0 },
            ],
        })
    }
}

impl Record for ShardItem {
    fn blank() -> Self {
        Self {
            index: 0,
            parameter: String::new(),
        }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        visit.field(
            needed("index", "Its number, as the handler sees it."),
            Whole::of(0, u32::MAX.into()),
            place!(Self: index),
        );
        visit.field(
            optional("parameter", "What the handler gets with it."),
            Text {
                most: SHARD_PARAMETER_CHARS_MAX,
            },
            place!(Self: parameter),
        );
    }
}

impl Record for Indexed {
    fn blank() -> Self {
        Self {
            completions: SUBTASKS_MAX,
            parallelism: 1,
            max_failed: None,
            success: None,
        }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        visit.field(
            needed(
                "completions",
                "Indexes from 0 on, each of which has to succeed once.",
            ),
            Whole::of(1, SUBTASKS_MAX),
            place!(Self: completions),
        );
        visit.field(
            optional("parallelism", "Subtasks that run at once."),
            Whole::of(1, PARALLELISM_MAX.into()),
            place!(Self: parallelism),
        );
        visit.field(
            optional(
                "max_failed",
                "Indexes that may fail for good before the whole fails.",
            ),
            Maybe(Whole::of(0, SUBTASKS_MAX)),
            place!(Self: max_failed),
        );
        visit.field(
            optional(
                "success",
                "What is enough for success before every index succeeded.",
            ),
            Maybe(Fields::<Success>::map()),
            place!(Self: success),
        );
    }

    fn check(&self) -> Violations {
        out_of_range(&Model::Indexed(self.clone()))
    }
}

impl Record for Success {
    fn blank() -> Self {
        Self::default()
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        visit.field(
            optional("indexes", "These have to succeed; without them any."),
            List {
                form: Whole::of(0, SUBTASKS_MAX - 1),
                rule: "is a list of indexes",
                least: 0,
                most: SUCCESS_INDEXES_MAX,
            },
            place!(Self: indexes),
        );
        visit.field(
            optional("count", "How many of them have to; without it each."),
            Maybe(Whole::of(1, SUBTASKS_MAX)),
            place!(Self: count),
        );
    }
}
