//! From a model to the parts of one context: who gets which shard, and how many of a broadcast have to succeed.

use std::fmt;
use std::str::FromStr;

use crate::error::Violation;
use crate::id::JobName;
use crate::model::{Broadcast, ShardItem, Sharding};

impl Broadcast {
    /// How many of the subtasks of `workers` workers have to succeed.
    ///
    /// # Errors
    /// A violation when the quorum is greater than that: such a context cannot succeed, and nothing of it is run.
    pub fn needed(&self, workers: usize) -> Result<usize, Violation> {
        let quorum = self.quorum.map_or(workers, |quorum| quorum as usize);
        if quorum <= workers {
            return Ok(quorum);
        }
        let rule = format!("is at most the number of workers that fit, which is {workers} now");
        Err(Violation::new("model.broadcast.quorum", rule, quorum))
    }
}

impl Sharding {
    /// Each item with its worker, in the order of the items' indexes. `workers` are sorted by their ids; there is nothing to deal out when
    /// there are none.
    ///
    /// ```
    /// use tickwheel_core::{JobName, model::Sharding};
    /// let items = ["0=Beijing".parse()?, "1=Shanghai".parse()?, "2=Guangzhou".parse()?];
    /// let sharding = Sharding { items: items.to_vec(), ..Sharding::default() };
    /// let dealt = sharding.deal(&JobName::new("billing/settle")?, &["w1", "w2"]);
    /// let dealt: Vec<_> = dealt.iter().map(|(item, worker)| (item.parameter.as_str(), **worker)).collect();
    /// assert_eq!(dealt, [("Beijing", "w1"), ("Shanghai", "w2"), ("Guangzhou", "w1")]);
    /// # Ok::<(), tickwheel_core::Violation>(())
    /// ```
    #[must_use]
    pub fn deal<'a, W>(&'a self, job: &JobName, workers: &'a [W]) -> Vec<(&'a ShardItem, &'a W)> {
        let mut items: Vec<&ShardItem> = self.items.iter().collect();
        items.sort_unstable_by_key(|item| item.index);
        let owners = self.allocation.owners(job, workers.len(), items.len());
        let mut dealt: Vec<(&ShardItem, &W)> = owners
            .iter()
            .zip(workers)
            .flat_map(|(places, worker)| places.iter().map(move |place| (place, worker)))
            .filter_map(|(place, worker)| items.get(*place).map(|item| (*item, worker)))
            .collect();
        dealt.sort_unstable_by_key(|(item, _)| item.index);
        dealt
    }
}

impl FromStr for ShardItem {
    type Err = Violation;

    /// Reads `0=Beijing`; without a parameter `0` alone.
    fn from_str(text: &str) -> Result<Self, Violation> {
        let (index, parameter) = text.split_once('=').unwrap_or((text, ""));
        let index = index.trim().parse().map_err(|_| {
            let rule = "is an index below 2^32 and its parameter, like 0=Beijing";
            Violation::new("", rule, text)
        })?;
        Ok(Self {
            index,
            parameter: parameter.trim().to_owned(),
        })
    }
}

impl fmt::Display for ShardItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.parameter.is_empty() {
            return write!(f, "{}", self.index);
        }
        write!(f, "{}={}", self.index, self.parameter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Allocation;

    #[test]
    fn items_are_dealt_out_by_their_index_and_not_by_their_place_in_the_list() {
        let items = ["20=c", "0=a", "10=b"].map(|item| item.parse().unwrap());
        let sharding = Sharding {
            items: items.to_vec(),
            allocation: Allocation::Average,
        };
        let job = JobName::new("j").unwrap();
        let dealt = sharding.deal(&job, &["w1", "w2"]);
        let dealt: Vec<(u32, &str)> = dealt.iter().map(|(item, w)| (item.index, **w)).collect();
        assert_eq!(dealt, [(0, "w1"), (10, "w2"), (20, "w1")]);
        assert!(sharding.deal::<&str>(&job, &[]).is_empty());
    }

    #[test]
    fn an_item_is_an_index_and_a_parameter() {
        for text in ["0=Beijing", "7", "4294967295=a=b"] {
            let item: ShardItem = text.parse().unwrap();
            assert_eq!(item.to_string(), text);
        }
        let item: ShardItem = " 3 = x ".parse().unwrap();
        assert_eq!((item.index, item.parameter.as_str()), (3, "x"));
        for text in ["", "=x", "-1=x", "a=x", "4294967296=x"] {
            let wrong = text.parse::<ShardItem>().unwrap_err();
            assert!(wrong.rule.contains("0=Beijing"), "{text}: {wrong}");
        }
    }

    #[test]
    fn a_quorum_above_the_workers_is_refused_with_both_numbers() {
        assert_eq!(Broadcast { quorum: None }.needed(4), Ok(4));
        assert_eq!(Broadcast { quorum: Some(3) }.needed(4), Ok(3));
        let wrong = Broadcast { quorum: Some(5) }.needed(4).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "model.broadcast.quorum: is at most the number of workers that fit, which is 4 now (given: 5)"
        );
    }
}
