//! Where the contexts of a job may run, and who takes them.

use serde_json::Value;

use super::reader::{Reader, map, parsed, shown, small_number, text};
use crate::error::{Violation, Violations};
use crate::fairness::Fairness;
use crate::routing::{Condition, Routing, RoutingPolicy, Selection, Units};

/// A bare policy word, or a map.
pub(super) fn routing(value: &Value) -> Result<Routing, Violations> {
    if value.is_string() {
        return Ok(Routing::new(policy(value)?));
    }
    let mut found = Violations::new();
    let mut reader = Reader::new(map(value)?, &mut found);
    let routing = Routing {
        policy: reader.need("policy", policy).unwrap_or_default(),
        key: reader.get("key", text).map(str::to_owned),
        list: reader.get("list", names).unwrap_or_default(),
    };
    reader.finish();
    found.into_result().map(|()| routing)
}

fn policy(value: &Value) -> Result<RoutingPolicy, Violation> {
    RoutingPolicy::of_word(&shown(value))
}

/// A map of a condition, lists and a greatest number.
pub(super) fn workers(value: &Value) -> Result<Selection, Violations> {
    let mut found = Violations::new();
    let mut reader = Reader::new(map(value)?, &mut found);
    let workers = Selection {
        select: reader.get("select", parsed::<Condition>),
        allow: reader.get("allow", names),
        deny: reader.get("deny", names).unwrap_or_default(),
        max: reader.get("max", small_number),
    };
    reader.finish();
    found.into_result().map(|()| workers)
}

/// A map of amounts: `{ cpu: 2, memory: 1GiB, gpu: 1 }`.
pub(super) fn requires(value: &Value) -> Result<Units, Violations> {
    let amounts = map(value)?
        .iter()
        .map(|(name, amount)| (name.as_str(), shown(amount)));
    Units::parse(amounts)
}

/// A bare key, or a map of key and weight.
pub(super) fn fairness(value: &Value) -> Result<Fairness, Violations> {
    if value.is_string() {
        return Ok(Fairness {
            key: Some(text(value)?.to_owned()),
            ..Fairness::default()
        });
    }
    let mut found = Violations::new();
    let mut reader = Reader::new(map(value)?, &mut found);
    let fairness = Fairness {
        key: reader.need("key", text).map(str::to_owned),
        weight: reader.get("weight", small_number).unwrap_or(1),
    };
    reader.finish();
    found.into_result().map(|()| fairness)
}

/// A list of names. An empty one is a mistake: who means nobody, or everybody, says so by leaving the key out.
fn names(value: &Value) -> Result<Vec<String>, Violations> {
    let list = value
        .as_array()
        .filter(|list| !list.is_empty())
        .ok_or_else(|| Violation::new("", "is a list of one or more names", shown(value)))?;
    let mut found = Violations::new();
    let mut names = Vec::with_capacity(list.len());
    for (index, entry) in list.iter().enumerate() {
        match text(entry) {
            Ok(name) => names.push(name.to_owned()),
            Err(wrong) => found.push(wrong.prefix(&format!("[{index}]"))),
        }
    }
    found.into_result().map(|()| names)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_is_a_word_or_a_map() {
        assert_eq!(
            routing(&json!("round_robin")).unwrap(),
            Routing::new(RoutingPolicy::RoundRobin)
        );
        let listed = routing(&json!({"policy": "failover", "list": ["a", "b"]})).unwrap();
        assert_eq!(listed.list, ["a", "b"]);
        let keyed = routing(&json!({"policy": "consistent_hash", "key": "/tenant"})).unwrap();
        assert_eq!(keyed.key.as_deref(), Some("/tenant"));
    }

    #[test]
    fn fairness_is_a_key_or_a_map() {
        assert_eq!(
            fairness(&json!("/tenant")).unwrap().key.as_deref(),
            Some("/tenant")
        );
        let heavy = fairness(&json!({"key": "acme", "weight": 5})).unwrap();
        assert_eq!((heavy.key.as_deref(), heavy.weight), (Some("acme"), 5));
        let wrong = fairness(&json!({"wieght": 5})).unwrap_err().to_string();
        assert!(
            wrong.contains("key: ") && wrong.contains("`weight`"),
            "{wrong}"
        );
    }

    #[test]
    fn amounts_are_numbers_and_sizes() {
        let read = requires(&json!({"cpu": 2, "memory": "1GiB", "gpu": 0.5})).unwrap();
        assert_eq!(read.to_string(), "cpu 2, gpu 0.5, memory 1GiB");
        let wrong = requires(&json!({"cpu": 0, "memory": "much"})).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "cpu: is a number above 0 with at most three decimals (given: 0)\nmemory: is a size above 0, like 512MiB or 4GiB (given: much)"
        );
    }

    #[test]
    fn mistakes_name_their_field() {
        let wrong = |value: Value| workers(&value).unwrap_err().to_string();
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
        let wrong = routing(&json!("least_runing")).unwrap_err().to_string();
        assert!(wrong.contains("did you mean `least_running`?"), "{wrong}");
    }
}
