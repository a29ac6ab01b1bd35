//! Where the contexts of a job may run, who takes them, and with whom they share.

use serde_json::{Value, json};

use crate::bounds::{
    FAIRNESS_WEIGHT_MAX, POINTER_CHARS_MAX, UNITS_MAX, WORKER_LIST_MAX, WORKERS_CHOSEN_MAX,
};
use crate::error::Violations;
use crate::fairness::Fairness;
use crate::routing::{Routing, RoutingPolicy, Selection, Units, amount_text};
use crate::shape::{
    Defaults, Fields, Form, List, Maybe, Parsed, Record, TEXT, Text, Via, Visitor, Whole, Words,
    map, needed, optional, place, shown,
};

/// A map, or a policy alone.
pub(super) const ROUTING: Fields<Routing> = Fields::or("policy");
/// A map of a condition, lists and a greatest number.
pub(super) const WORKERS: Fields<Selection> = Fields::map();

/// Names of workers. An empty list is a mistake: who means nobody, or everybody, says so by leaving the key out.
const NAMES: List<Text> = List {
    form: TEXT,
    rule: "is a list of one or more names",
    least: 1,
    most: WORKER_LIST_MAX,
};

impl Record for Routing {
    fn blank() -> Self {
        Self::default()
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        visit.field(
            needed("policy", "Which of the workers that fit takes a context."),
            Words {
                all: RoutingPolicy::ALL,
                word: RoutingPolicy::as_str,
            },
            place!(Self: policy),
        );
        visit.field(
            optional(
                "key",
                "consistent_hash: a JSON pointer to the value of the body that is hashed; without it the job's name.",
            ),
            Maybe(Text {
                most: POINTER_CHARS_MAX,
            }),
            place!(Self: key),
        );
        visit.field(
            optional(
                "list",
                "specified, failover, busy_transfer: ids, names or hosts of workers, in order.",
            ),
            NAMES,
            place!(Self: list),
        );
    }
}

impl Record for Selection {
    fn blank() -> Self {
        Self::default()
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        visit.field(
            optional(
                "select",
                "A condition over the tags of workers, like region == \"eu\" && gpu.",
            ),
            Maybe(Parsed { pattern: "" }),
            place!(Self: select),
        );
        visit.field(
            optional("allow", "Only these ids, names or hosts."),
            Maybe(NAMES),
            place!(Self: allow),
        );
        visit.field(
            optional("deny", "None of these ids, names or hosts."),
            NAMES,
            place!(Self: deny),
        );
        visit.field(
            optional("max", "At most so many workers at a time."),
            Maybe(Whole::of(1, WORKERS_CHOSEN_MAX.into())),
            place!(Self: max),
        );
    }
}

/// A map of amounts: `{ cpu: 2, memory: 1GiB, gpu: 1 }`.
pub(super) struct Amounts;

impl Form<Units> for Amounts {
    fn read(&self, value: &Value) -> Result<Units, Violations> {
        let amounts = map(value)?.iter();
        Units::parse(amounts.map(|(name, amount)| (name.as_str(), shown(amount))))
    }

    fn write(&self, value: &Units, _defaults: Defaults) -> Value {
        let amounts = value.iter().map(|(name, amount)| {
            let text = amount_text(name, amount);
            // A fraction stays text: as a number of JSON it could be another one.
            let whole = text.parse::<u64>().map(Value::from);
            (name.to_owned(), whole.unwrap_or(Value::String(text)))
        });
        Value::Object(amounts.collect())
    }

    fn describe(&self) -> Value {
        json!({
            "type": "object",
            "propertyNames": { "pattern": "^[a-z0-9_.-]{1,32}$" },
            "additionalProperties": {
                "anyOf": [
                    { "type": "number", "exclusiveMinimum": 0 },
                    { "type": "string", "pattern": "^[0-9]+(\\.[0-9]{1,3})?( ?[KMGT]i?B)?$" },
                ],
            },
            "maxProperties": UNITS_MAX,
        })
    }
}

/// A map of key and weight, or a key alone.
pub(super) const FAIRNESS: Via<Maybe<Fields<Fairness>>, Option<Fairness>, Fairness> = Via {
    form: Maybe(Fields::or("key")),
    read: |read| Ok(read.unwrap_or_default()),
    write: |fairness| fairness.key.is_some().then(|| fairness.clone()),
};

impl Record for Fairness {
    fn blank() -> Self {
        Self::default()
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        visit.field(
            needed(
                "key",
                "Contexts of one key share; a key itself, or a JSON pointer like /tenant to the value of the body that is the key.",
            ),
            Maybe(Text {
                most: POINTER_CHARS_MAX,
            }),
            place!(Self: key),
        );
        visit.field(
            optional(
                "weight",
                "How often the key is served, beside keys of weight 1.",
            ),
            Whole::of(1, FAIRNESS_WEIGHT_MAX.into()),
            place!(Self: weight),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_a_word_or_a_map() {
        assert_eq!(
            ROUTING.read(&json!("round_robin")).unwrap(),
            Routing::new(RoutingPolicy::RoundRobin)
        );
        let listed = json!({"policy": "failover", "list": ["a", "b"]});
        assert_eq!(ROUTING.read(&listed).unwrap().list, ["a", "b"]);
        let keyed = json!({"policy": "consistent_hash", "key": "/tenant"});
        let keyed = ROUTING.read(&keyed).unwrap();
        assert_eq!(keyed.key.as_deref(), Some("/tenant"));
    }

    #[test]
    fn fairness_is_a_key_or_a_map() {
        let short = FAIRNESS.read(&json!("/tenant")).unwrap();
        assert_eq!(short.key.as_deref(), Some("/tenant"));
        let heavy = FAIRNESS.read(&json!({"key": "acme", "weight": 5})).unwrap();
        assert_eq!((heavy.key.as_deref(), heavy.weight), (Some("acme"), 5));
        let wrong = FAIRNESS
            .read(&json!({"wieght": 5}))
            .unwrap_err()
            .to_string();
        assert!(
            wrong.contains("key: ") && wrong.contains("`weight`"),
            "{wrong}"
        );
    }

    #[test]
    fn amounts_are_numbers_and_sizes() {
        let read = Amounts.read(&json!({"cpu": 2, "memory": "1GiB", "gpu": 0.5}));
        let read = read.unwrap();
        assert_eq!(read.to_string(), "cpu 2, gpu 0.5, memory 1GiB");
        let wrong = Amounts
            .read(&json!({"cpu": 0, "memory": "much"}))
            .unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "cpu: is a number above 0 with at most three decimals (given: 0)\nmemory: is a size above 0, like 512MiB or 4GiB (given: much)"
        );
    }

    #[test]
    fn mistakes_name_their_field() {
        let wrong = |value: Value| WORKERS.read(&value).unwrap_err().to_string();
        assert_eq!(
            wrong(json!({"select": "gpu &&"})),
            "select: needs the name of a tag at character 7 (given: gpu &&)"
        );
        assert_eq!(
            wrong(json!({"allow": []})),
            "allow: is a list of one or more names (given: [])"
        );
        assert_eq!(
            wrong(json!({"deny": [], "max": -1})),
            "deny: is a list of one or more names (given: [])\nmax: is a whole number (given: -1)"
        );
        assert!(wrong(json!({"selct": "gpu"})).contains("did you mean `select`?"));
        let wrong = ROUTING
            .read(&json!("least_runing"))
            .unwrap_err()
            .to_string();
        assert!(wrong.contains("did you mean `least_running`?"), "{wrong}");
    }
}
