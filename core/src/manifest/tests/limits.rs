//! Limits as documents.

use serde_json::{Value, json};

use crate::limits::{GroupLimits, Limit, Rate};
use crate::manifest::{Defaults, read_limits, write_limits};

fn mistakes(value: &Value) -> Vec<String> {
    let wrong = read_limits(value).unwrap_err();
    wrong.iter().map(ToString::to_string).collect()
}

#[test]
fn limits_are_read_and_written() {
    let structured = json!({
        "kind": "Limits", "group": "mails", "concurrency": 20,
        "rate": { "starts": 100, "per": "1s", "burst": 10 },
        "per_key": { "concurrency": 2 },
        "keys": { "acme": { "concurrency": 20, "rate": { "starts": 50, "per": "1s" } }, "free": {} },
    });
    let mut short = structured.clone();
    short["keys"]["acme"]["rate"] = json!("50/s");
    let read = read_limits(&structured).unwrap();
    assert_eq!(read_limits(&short), Ok(read.clone()));
    let acme = Limit {
        concurrency: Some(20),
        rate: Some(Rate::parse("50/s").unwrap()),
    };
    let rate = Rate {
        burst: 10,
        ..Rate::parse("100/s").unwrap()
    };
    let expected = GroupLimits {
        all: Limit {
            concurrency: Some(20),
            rate: Some(rate),
        },
        per_key: Limit {
            concurrency: Some(2),
            rate: None,
        },
        keys: [
            ("acme".to_owned(), acme),
            ("free".to_owned(), Limit::default()),
        ]
        .into(),
    };
    assert_eq!((read.group.as_str(), &read.limits), ("mails", &expected));
    for defaults in [Defaults::LeftOut, Defaults::Written] {
        assert_eq!(write_limits(&read, defaults).into_value(), structured);
    }
}

#[test]
fn every_mistake_of_limits_is_named() {
    let expected =
        ["has a limit: concurrency, rate, per_key or keys; a group without limits has no document"];
    assert_eq!(mistakes(&json!({ "group": "x" })), expected);
    let wrong = json!({
        "kind": "Limits", "group": "x", "concurency": 1, "burst": 5,
        "rate": { "starts": 0, "per": "2d", "burst": 0 }, "per_key": { "rate": "fast" }, "keys": { "a b": { "concurrency": 2_000_000 } },
    });
    let expected = [
        "per_key.rate: is a number of starts and a time, like 100/s or 5/10m (given: fast)",
        "burst: belongs in `rate`, like rate: { starts: 100, per: 1s, burst: 10 }",
        "concurency: is not a known key; did you mean `concurrency`?",
        "rate: is 1..=1000000 starts (given: 0)",
        "rate.burst: is 1..=1000000 starts (given: 0)",
        "rate: counts in 1..=86400000 ms (given: 172800000)",
    ];
    let found = mistakes(&wrong);
    assert_eq!(found[..6], expected);
    assert!(found[6].starts_with("keys.a b: is 1 to 64 of"), "{found:?}");
    assert_eq!(
        found[7],
        "keys.a b.concurrency: is 0..=1000000 (given: 2000000)"
    );
}
