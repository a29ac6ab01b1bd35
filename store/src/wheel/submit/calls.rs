//! How the contexts of a request are cut into script calls: none takes Redis long, and others are heard between them.

use tickwheel_core::partition::PartitionId;

use super::new_context::{CALL_WEIGHT, NewContext};

/// What is sent at once; Redis does all of it before it hears anybody else.
const SENT_WEIGHT: usize = 4 * CALL_WEIGHT;

/// One script call.
pub(super) struct Call {
    pub(super) partition: PartitionId,
    /// Where its contexts stand in the request.
    pub(super) indexes: Vec<usize>,
    weight: usize,
}

impl Call {
    /// Most of its weight is bodies and conditions.
    fn is_heavy(&self) -> bool {
        self.weight > 2 * self.indexes.len()
    }
}

/// Calls that are sent together: of heavy ones as much as one call carries.
pub(super) struct Round {
    pub(super) calls: Vec<Call>,
    /// It waits for its turn.
    pub(super) is_heavy: bool,
    weight: usize,
}

/// The calls for contexts by their partitions, in the order in which they are sent.
pub(super) fn of(
    by_partition: &[(PartitionId, Vec<usize>)],
    contexts: &[NewContext],
) -> Vec<Round> {
    in_rounds(calls_of(by_partition, contexts))
}

fn calls_of(by_partition: &[(PartitionId, Vec<usize>)], contexts: &[NewContext]) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    for (partition, indexes) in by_partition {
        let mut open = false;
        for index in indexes {
            let weight = contexts.get(*index).map_or(0, NewContext::weight);
            let fits = |call: &&mut Call| open && call.weight + weight <= CALL_WEIGHT;
            if let Some(call) = calls.last_mut().filter(fits) {
                call.indexes.push(*index);
                call.weight += weight;
            } else {
                let (partition, indexes) = (*partition, vec![*index]);
                calls.push(Call {
                    partition,
                    indexes,
                    weight,
                });
                open = true;
            }
        }
    }
    calls
}

fn in_rounds(calls: Vec<Call>) -> Vec<Round> {
    let mut rounds: Vec<Round> = Vec::new();
    // What one call carries waits for nobody, but for a body that is more than a call.
    let is_more = calls.iter().map(|call| call.weight).sum::<usize>() > CALL_WEIGHT;
    for call in calls {
        let is_heavy = is_more && call.is_heavy();
        let most = if is_heavy { CALL_WEIGHT } else { SENT_WEIGHT };
        let fits =
            |round: &&mut Round| round.is_heavy == is_heavy && round.weight + call.weight <= most;
        if let Some(round) = rounds.last_mut().filter(fits) {
            round.weight += call.weight;
            round.calls.push(call);
        } else {
            rounds.push(Round {
                is_heavy,
                weight: call.weight,
                calls: vec![call],
            });
        }
    }
    rounds
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use tickwheel_core::id::Namespace;

    use super::*;
    use crate::wheel::When;

    fn context(bytes: usize) -> NewContext {
        NewContext {
            when: When::Delay(Duration::ZERO),
            rest: Bytes::from(vec![b'x'; bytes]),
            namespace: Namespace::default(),
            uniq: String::new(),
            dedup: None,
            partition: PartitionId::new(0).unwrap(),
            placement: None,
        }
    }

    /// How many contexts each call of each round has.
    fn cut(contexts: &[NewContext], partitions: u16) -> Vec<Vec<usize>> {
        let of = |number| {
            let indexes = (0..contexts.len())
                .filter(|at| at % usize::from(partitions) == usize::from(number));
            (PartitionId::new(number).unwrap(), indexes.collect())
        };
        let by_partition: Vec<(PartitionId, Vec<usize>)> = (0..partitions).map(of).collect();
        let rounds = super::of(&by_partition, contexts);
        let mut all: Vec<usize> = rounds
            .iter()
            .flat_map(|round| &round.calls)
            .flat_map(|call| call.indexes.clone())
            .collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..contexts.len()), "each once");
        let sizes = rounds
            .iter()
            .map(|round| round.calls.iter().map(|call| call.indexes.len()).collect());
        sizes.collect()
    }

    #[test]
    fn a_round_is_heavy_when_most_of_it_is_bodies() {
        let heavy = |contexts: &[NewContext]| -> Vec<bool> {
            let indexes = (0..contexts.len()).collect();
            let rounds = of(&[(PartitionId::new(0).unwrap(), indexes)], contexts);
            rounds.iter().map(|round| round.is_heavy).collect()
        };
        assert_eq!(heavy(&vec![context(400); 1_000]), [false]);
        assert_eq!(heavy(&vec![context(16_384); 40]), [true; 6]);
        assert_eq!(heavy(&vec![context(16_384); 7]), [false]);
        let one_among_many = [vec![context(100); 900], vec![context(16_384)]].concat();
        assert_eq!(heavy(&one_among_many), [false]);
        // A single context, however large, waits for nobody.
        assert_eq!(heavy(&[context(65_536)]), [false]);
    }

    #[test]
    fn small_contexts_go_at_once_and_large_ones_in_turns() {
        assert_eq!(cut(&[], 1), Vec::<Vec<usize>>::new());
        let small = vec![context(100); 1_000];
        assert_eq!(cut(&small, 1), [[250; 4]]);
        assert_eq!(cut(&small, 8), [[125; 8]]);
        let more = vec![context(100); 1_100];
        assert_eq!(cut(&more, 1), [vec![250; 4], vec![100]]);
        // 16 KiB weigh as much as 33 small ones.
        let large = vec![context(16_384); 40];
        assert_eq!(cut(&large, 1), [[7], [7], [7], [7], [7], [5]]);
        // What is little for each of many partitions goes together.
        let few = vec![context(16_384); 16];
        assert_eq!(cut(&few, 16), [vec![1; 7], vec![1; 7], vec![1; 2]]);
        let greatest = vec![context(262_144); 3];
        assert_eq!(cut(&greatest, 1), [[1], [1], [1]]);
    }
}
