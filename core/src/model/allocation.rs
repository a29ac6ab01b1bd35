//! Which worker gets which items of a static sharding.
//!
//! The three ways are those of ElasticJob, to the letter, so that a job that moves here keeps its owners. Workers are counted in the
//! order of their names, which the caller sorts; items in the order of their indexes.

use crate::id::JobName;
use crate::model::Allocation;

impl Allocation {
    /// The positions of the items of each worker, by the worker's position. Every item has exactly one owner, and no worker has two more
    /// than another; nobody gets anything when there are no workers.
    ///
    /// ```
    /// use tickwheel_core::{JobName, model::Allocation};
    /// let job = JobName::new("billing/settle")?;
    /// let owned = Allocation::Average.owners(&job, 3, 10);
    /// assert_eq!(owned, [vec![0, 1, 2, 9], vec![3, 4, 5], vec![6, 7, 8]]);
    /// # Ok::<(), tickwheel_core::Violation>(())
    /// ```
    #[must_use]
    pub fn owners(self, job: &JobName, workers: usize, items: usize) -> Vec<Vec<usize>> {
        if workers == 0 {
            return Vec::new();
        }
        let hash = name_hash(job.as_str());
        let spread = average(workers, items);
        let turned = |first: usize| {
            let mut owners = vec![Vec::new(); workers];
            for (place, items) in spread.iter().enumerate() {
                if let Some(owner) = owners.get_mut((place + first) % workers) {
                    owner.clone_from(items);
                }
            }
            owners
        };
        match self {
            Self::Average => spread,
            Self::Odevity if hash % 2 == 0 => spread.into_iter().rev().collect(),
            Self::Odevity => spread,
            Self::RoundRobin => turned(hash.unsigned_abs() as usize % workers),
        }
    }
}

/// Runs of equal length in order; the remainder goes one by one to the first workers.
fn average(workers: usize, items: usize) -> Vec<Vec<usize>> {
    let each = items / workers;
    let rest = each * workers;
    (0..workers)
        .map(|worker| {
            let run = worker * each..(worker + 1) * each;
            run.chain((rest + worker < items).then_some(rest + worker))
                .collect()
        })
        .collect()
}

/// The hash of a name in ElasticJob: that of Java's strings.
fn name_hash(name: &str) -> i32 {
    name.encode_utf16().fold(0_i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Allocation; 3] = [
        Allocation::Average,
        Allocation::Odevity,
        Allocation::RoundRobin,
    ];

    fn job(name: &str) -> JobName {
        JobName::new(name).unwrap()
    }

    #[test]
    fn average_gives_runs_and_the_rest_to_the_first() {
        let table: [(usize, usize, &[&[usize]]); 7] = [
            (3, 9, &[&[0, 1, 2], &[3, 4, 5], &[6, 7, 8]]),
            (3, 8, &[&[0, 1, 6], &[2, 3, 7], &[4, 5]]),
            (3, 10, &[&[0, 1, 2, 9], &[3, 4, 5], &[6, 7, 8]]),
            (3, 2, &[&[0], &[1], &[]]),
            (1, 3, &[&[0, 1, 2]]),
            (4, 1, &[&[0], &[], &[], &[]]),
            (2, 0, &[&[], &[]]),
        ];
        for (workers, items, expected) in table {
            let owned = Allocation::Average.owners(&job("a/b"), workers, items);
            assert_eq!(owned, expected, "{items} items over {workers}");
        }
    }

    #[test]
    fn the_hash_is_that_of_a_java_string() {
        let table = [
            ("", 0),
            ("a", 97),
            ("job", 105_405),
            ("test_job", -1_146_456_432),
        ];
        for (name, hash) in table {
            assert_eq!(name_hash(name), hash, "{name}");
        }
    }

    /// `default/b` has an even hash, `default/c` an odd one.
    #[test]
    fn odevity_turns_the_workers_round_for_names_with_an_even_hash() {
        assert_eq!(name_hash("default/b") % 2, 0);
        assert_eq!(name_hash("default/c") % 2, -1);
        let forward = [vec![0, 1, 6], vec![2, 3, 7], vec![4, 5]];
        let backward = [vec![4, 5], vec![2, 3, 7], vec![0, 1, 6]];
        assert_eq!(Allocation::Odevity.owners(&job("c"), 3, 8), forward);
        assert_eq!(Allocation::Odevity.owners(&job("b"), 3, 8), backward);
    }

    #[test]
    fn round_robin_begins_with_another_worker_for_each_hash() {
        let mut firsts = [false; 3];
        for name in ["a", "b", "c"] {
            let hash = name_hash(&format!("default/{name}"));
            let first = hash.unsigned_abs() as usize % 3;
            let owned = Allocation::RoundRobin.owners(&job(name), 3, 10);
            // The worker at the offset comes first, and with it the remainder.
            assert_eq!(owned[first], [0, 1, 2, 9], "{name}");
            assert_eq!(owned[(first + 1) % 3], [3, 4, 5], "{name}");
            assert_eq!(owned[(first + 2) % 3], [6, 7, 8], "{name}");
            firsts[first] = true;
        }
        assert_eq!(firsts, [true; 3]);
    }

    #[test]
    fn nobody_gets_anything_without_workers() {
        for allocation in ALL {
            assert!(allocation.owners(&job("a"), 0, 10).is_empty());
        }
    }

    proptest! {
        #[test]
        fn every_item_has_one_owner_and_shares_differ_by_one(
            name in "[a-z]{1,12}", workers in 1_usize..40, items in 0_usize..300,
        ) {
            for allocation in ALL {
                let owned = allocation.owners(&job(&name), workers, items);
                prop_assert_eq!(owned.len(), workers);
                let mut all: Vec<usize> = owned.concat();
                all.sort_unstable();
                prop_assert_eq!(all, (0..items).collect::<Vec<_>>());
                let sizes = owned.iter().map(Vec::len);
                prop_assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1);
            }
        }
    }
}
