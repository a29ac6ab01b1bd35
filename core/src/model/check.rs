//! The ranges of a model, all checked at once.

use std::collections::HashMap;
use std::fmt::Display;
use std::hash::Hash;

use crate::bounds::{
    PARALLELISM_MAX, QUORUM_MAX, SHARD_ITEMS_MAX, SHARD_PARAMETER_CHARS_MAX, SUBTASKS_MAX,
    SUCCESS_INDEXES_MAX,
};
use crate::error::Violations;
use crate::id::HandlerName;
use crate::job::check_range;
use crate::model::{Broadcast, Indexed, Model, ReduceOn, Sharding, Success};

impl Model {
    /// Checks every range, and that a reduce has something to reduce.
    ///
    /// # Errors
    /// All violations, each with the path of its field in a job.
    pub fn validate(
        &self,
        reduce: Option<&HandlerName>,
        reduce_on: ReduceOn,
    ) -> Result<(), Violations> {
        let mut found = Violations::new();
        match self {
            Self::Standalone => {}
            Self::Broadcast(broadcast) => broadcast.check(&mut found),
            Self::Sharding(sharding) => sharding.check(&mut found),
            Self::Indexed(indexed) => indexed.check(&mut found),
        }
        if let (Some(reduce), true) = (reduce, self.is_standalone()) {
            let rule = "a reduce without a map: belongs to a model other than standalone; a handler that maps names its reduce itself";
            found.add("reduce", rule, reduce);
        }
        if reduce.is_none() && reduce_on != ReduceOn::default() {
            found.add("reduce_on", "belongs to a reduce", reduce_on);
        }
        found.into_result()
    }
}

impl Broadcast {
    fn check(&self, found: &mut Violations) {
        if let Some(quorum) = self.quorum {
            check_range("model.broadcast.quorum", quorum, 1..=QUORUM_MAX, found);
        }
    }
}

impl Sharding {
    fn check(&self, found: &mut Violations) {
        let field = "model.sharding.items";
        if !(1..=SHARD_ITEMS_MAX).contains(&self.items.len()) {
            let rule = format!("has 1..={SHARD_ITEMS_MAX} items");
            found.add(field, rule, self.items.len());
            return;
        }
        let path = |place: usize| format!("{field}[{place}]");
        once(self.items.iter().map(|item| item.index), path, found);
        for (place, item) in self.items.iter().enumerate() {
            if item
                .parameter
                .chars()
                .nth(SHARD_PARAMETER_CHARS_MAX)
                .is_some()
            {
                let rule =
                    format!("has a parameter of at most {SHARD_PARAMETER_CHARS_MAX} characters");
                found.add(path(place), rule, &item.parameter);
            }
        }
    }
}

impl Indexed {
    fn check(&self, found: &mut Violations) {
        let (most, at_once) = (1..=SUBTASKS_MAX, 1..=PARALLELISM_MAX);
        check_range("model.indexed.completions", self.completions, most, found);
        check_range(
            "model.indexed.parallelism",
            self.parallelism,
            at_once,
            found,
        );
        if let Some(max_failed) = self.max_failed
            && max_failed > self.completions
        {
            let rule = format!("is at most the completions, {}", self.completions);
            found.add("model.indexed.max_failed", rule, max_failed);
        }
        if let Some(success) = &self.success {
            success.check(self.completions, found);
        }
    }
}

impl Success {
    fn check(&self, completions: u64, found: &mut Violations) {
        let field = "model.indexed.success";
        let (indexes, count) = (format!("{field}.indexes"), format!("{field}.count"));
        if self.indexes.is_empty() && self.count.is_none() {
            found.add(field, "has indexes, a count, or both", "");
        }
        if self.indexes.len() > SUCCESS_INDEXES_MAX {
            let rule = format!("has at most {SUCCESS_INDEXES_MAX} indexes");
            found.add(indexes, rule, self.indexes.len());
            return;
        }
        let path = |place: usize| format!("{indexes}[{place}]");
        once(self.indexes.iter().copied(), path, found);
        for (place, index) in self.indexes.iter().enumerate() {
            if *index >= completions {
                let rule = format!("is below the completions, {completions}");
                found.add(path(place), rule, index);
            }
        }
        let among = match self.indexes.len() {
            0 => completions,
            named => named as u64,
        };
        if let Some(wrong) = self.count.filter(|count| !(1..=among).contains(count)) {
            found.add(count, format!("is 1..={among}"), wrong);
        }
    }
}

/// Reports every value that came before.
fn once<T: Copy + Eq + Hash + Display>(
    values: impl Iterator<Item = T>,
    path: impl Fn(usize) -> String,
    found: &mut Violations,
) {
    let mut places = HashMap::new();
    for (place, value) in values.enumerate() {
        match places.get(&value) {
            Some(earlier) => {
                let rule = format!("is used once; {} has it already", path(*earlier));
                found.add(path(place), rule, value);
            }
            None => {
                places.insert(value, place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Allocation, ShardItem};

    fn mistakes(model: &Model) -> Vec<String> {
        let wrong = model.validate(None, ReduceOn::Ended);
        let wrong = wrong.err().unwrap_or_default();
        wrong.iter().map(ToString::to_string).collect()
    }

    fn sharding(items: impl IntoIterator<Item = (u32, String)>) -> Model {
        let items = items
            .into_iter()
            .map(|(index, parameter)| ShardItem { index, parameter })
            .collect();
        Model::Sharding(Sharding {
            items,
            allocation: Allocation::Average,
        })
    }

    fn indexed(completions: u64, parallelism: u32) -> Indexed {
        Indexed {
            completions,
            parallelism,
            max_failed: None,
            success: None,
        }
    }

    #[test]
    fn the_ends_of_every_range_are_allowed() {
        let named = |count: u32| sharding((0..count).map(|index| (index, "x".repeat(1_024))));
        let rule = Success {
            indexes: vec![0, 9],
            count: Some(2),
        };
        let full = Indexed {
            max_failed: Some(10),
            success: Some(rule),
            ..indexed(10, 1_000_000)
        };
        let models = [
            Model::Standalone,
            Model::Broadcast(Broadcast { quorum: None }),
            Model::Broadcast(Broadcast { quorum: Some(1) }),
            Model::Broadcast(Broadcast {
                quorum: Some(1_000),
            }),
            named(1),
            named(1_000),
            Model::Indexed(indexed(1, 1)),
            Model::Indexed(indexed(10_000_000, 1)),
            Model::Indexed(full),
        ];
        for model in models {
            assert_eq!(mistakes(&model), [""; 0], "{model:?}");
        }
    }

    #[test]
    fn what_is_beyond_a_range_is_named_with_its_field() {
        let zero = Model::Broadcast(Broadcast { quorum: Some(0) });
        assert_eq!(
            mistakes(&zero),
            ["model.broadcast.quorum: is 1..=1000 (given: 0)"]
        );
        let many = Model::Broadcast(Broadcast {
            quorum: Some(1_001),
        });
        assert_eq!(mistakes(&many).len(), 1);
        assert_eq!(
            mistakes(&sharding([])),
            ["model.sharding.items: has 1..=1000 items (given: 0)"]
        );
        let many = sharding((0..1_001).map(|index| (index, String::new())));
        assert_eq!(
            mistakes(&many),
            ["model.sharding.items: has 1..=1000 items (given: 1001)"]
        );
    }

    #[test]
    fn every_mistake_of_the_items_is_named_at_once() {
        let items = [(4, "a"), (5, "b"), (4, "c"), (5, "d"), (4, "e")];
        let long = (6, "x".repeat(1_025));
        let items = items.map(|(index, text)| (index, text.to_owned()));
        let found = mistakes(&sharding(items.into_iter().chain([long])));
        let expected = [
            "model.sharding.items[2]: is used once; model.sharding.items[0] has it already (given: 4)",
            "model.sharding.items[3]: is used once; model.sharding.items[1] has it already (given: 5)",
            "model.sharding.items[4]: is used once; model.sharding.items[0] has it already (given: 4)",
        ];
        assert_eq!(found[..3], expected);
        let rule = "model.sharding.items[5]: has a parameter of at most 1024 characters";
        assert!(found[3].starts_with(rule), "{}", found[3]);
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn every_mistake_of_the_indexes_is_named_at_once() {
        let rule = Success {
            indexes: vec![1, 3, 1],
            count: Some(4),
        };
        let wrong = Indexed {
            max_failed: Some(4),
            success: Some(rule),
            ..indexed(3, 0)
        };
        let expected = [
            "model.indexed.parallelism: is 1..=1000000 (given: 0)",
            "model.indexed.max_failed: is at most the completions, 3 (given: 4)",
            "model.indexed.success.indexes[2]: is used once; model.indexed.success.indexes[0] has it already (given: 1)",
            "model.indexed.success.indexes[1]: is below the completions, 3 (given: 3)",
            "model.indexed.success.count: is 1..=3 (given: 4)",
        ];
        assert_eq!(mistakes(&Model::Indexed(wrong)), expected);
        let empty = Indexed {
            success: Some(Success::default()),
            ..indexed(10_000_001, 1)
        };
        let expected = [
            "model.indexed.completions: is 1..=10000000 (given: 10000001)",
            "model.indexed.success: has indexes, a count, or both",
        ];
        assert_eq!(mistakes(&Model::Indexed(empty)), expected);
        let all = Indexed {
            success: Some(Success {
                indexes: Vec::new(),
                count: Some(11),
            }),
            ..indexed(10, 1)
        };
        assert_eq!(
            mistakes(&Model::Indexed(all)),
            ["model.indexed.success.count: is 1..=10 (given: 11)"]
        );
    }

    #[test]
    fn a_reduce_needs_something_to_reduce() {
        let reduce = HandlerName::new("sum").unwrap();
        let wrong = Model::Standalone.validate(Some(&reduce), ReduceOn::Succeeded);
        let wrong = wrong.unwrap_err().to_string();
        assert!(
            wrong.starts_with("reduce: a reduce without a map"),
            "{wrong}"
        );
        assert!(wrong.ends_with("(given: sum)"), "{wrong}");
        let broadcast = Model::Broadcast(Broadcast::default());
        assert_eq!(
            broadcast.validate(Some(&reduce), ReduceOn::Succeeded),
            Ok(())
        );
        let wrong = broadcast.validate(None, ReduceOn::Succeeded).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "reduce_on: belongs to a reduce (given: succeeded)"
        );
    }
}
