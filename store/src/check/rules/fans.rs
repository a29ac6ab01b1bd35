//! W8: a split context and its subtasks agree.

use super::rule::Rule;
use crate::check::{Evidence, FanFacts, Finding, Kind, Subject};

/// How a context is split, and how far it is.
const MODELS: [&str; 4] = ["map", "broadcast", "sharding", "indexed"];
const STATES: [&str; 4] = ["open", "closed", "reducing", "dropping"];

/// The counts are those of the subtasks where they are, the root ends with the last of them, a reduce is there once, and nothing is left of
/// a context that is not split.
#[must_use]
pub fn w8_fan_agrees(facts: &FanFacts) -> Vec<Finding> {
    let root = &facts.root;
    let mut rule = Rule {
        partition: facts.partition,
        subject: Subject::Fan(root.clone()),
        found: Vec::new(),
    };
    if !facts.listed || facts.fields.is_empty() {
        let left = facts.listed || !facts.fields.is_empty() || !facts.keys.is_empty();
        let seen = || facts.keys.iter().map(|key| of_key(key)).collect();
        rule.check_at(!left, Kind::FanOrphan, seen, || {
            format!("{root} is not split, and has {}", facts.keys.join(" and "))
        });
        return rule.found;
    }
    let (model, state) = (facts.field("model"), facts.field("state"));
    let known = MODELS.contains(&model) && STATES.contains(&state);
    rule.check(known && !facts.lost, Kind::FanCounts, || {
        if known {
            format!("{root} is split, and nothing is left of what it ran itself")
        } else {
            format!("{root} is split as `{model}` and in state `{state}`")
        }
    });
    if !rule.found.is_empty() {
        return rule.found;
    }
    let (out, later) = (facts.number("out"), facts.number("later"));
    rule.check(out == facts.running, Kind::FanCounts, || {
        format!(
            "{root} counts {out} running subtasks, {} are",
            facts.running
        )
    });
    let attempt_over = !facts.field("root").is_empty();
    if state == "dropping" {
        let over = attempt_over && facts.running == 0;
        rule.check(!over, Kind::FanOver, || {
            format!("{root} drops its subtasks, and none runs")
        });
        return rule.found;
    }
    rule.check(later == facts.retrying, Kind::FanCounts, || {
        format!(
            "{root} counts {later} subtasks in the wheel, {} are",
            facts.retrying
        )
    });
    let ended = facts.number("succeeded") + facts.number("failed");
    let total = facts.number("total");
    if state == "reducing" {
        let reduces = facts.running + facts.retrying + facts.waiting;
        rule.check(reduces == 1 && ended == total, Kind::FanCounts, || {
            format!("{root} has {reduces} reduces behind {ended} of {total} subtasks")
        });
        return rule.found;
    }
    let seen = ended + facts.running + facts.retrying + facts.waiting;
    rule.check(total == seen, Kind::FanCounts, || {
        format!("{root} has {total} subtasks, {seen} are anywhere")
    });
    let over = state == "closed" && ended == total;
    rule.check(!over, Kind::FanOver, || {
        format!("all {total} subtasks of {root} have ended")
    });
    let places = state == "closed" && !attempt_over;
    rule.check(!places, Kind::FanCounts, || {
        format!("{root} waits for its subtasks, and nothing is kept of it")
    });
    rule.found
}

fn of_key(key: &str) -> Evidence {
    Evidence {
        key: key.to_owned(),
        ..Evidence::default()
    }
}
