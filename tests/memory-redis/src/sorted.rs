//! A sorted set: members by score, then by their bytes.

use std::collections::{BTreeSet, HashMap};

use crate::number::Score;

#[derive(Debug, Default)]
pub(crate) struct Sorted {
    scores: HashMap<Vec<u8>, Score>,
    order: BTreeSet<(Score, Vec<u8>)>,
}

/// An end of a range of scores.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    pub(crate) score: Score,
    pub(crate) open: bool,
}

impl Bound {
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let (open, text) = text
            .strip_prefix(b"(")
            .map_or((false, text), |text| (true, text));
        let score = Score::parse(text).map_err(|_| "ERR min or max is not a float".to_owned())?;
        Ok(Self { score, open })
    }

    fn is_below(self, score: Score) -> bool {
        self.score < score || (!self.open && self.score == score)
    }

    fn is_above(self, score: Score) -> bool {
        self.score > score || (!self.open && self.score == score)
    }
}

impl Sorted {
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    pub(crate) fn score(&self, member: &[u8]) -> Option<Score> {
        self.scores.get(member).copied()
    }

    /// True when the member is new.
    pub(crate) fn insert(&mut self, score: Score, member: &[u8]) -> bool {
        let before = self.scores.insert(member.to_vec(), score);
        if let Some(before) = before {
            self.order.remove(&(before, member.to_vec()));
        }
        self.order.insert((score, member.to_vec()));
        before.is_none()
    }

    pub(crate) fn remove(&mut self, member: &[u8]) -> bool {
        let before = self.scores.remove(member);
        before.is_some_and(|score| self.order.remove(&(score, member.to_vec())))
    }

    pub(crate) fn pop_first(&mut self) -> Option<(Score, Vec<u8>)> {
        let (score, member) = self.order.pop_first()?;
        self.scores.remove(&member);
        Some((score, member))
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &(Score, Vec<u8>)> + Clone {
        self.order.iter()
    }

    /// Members from `low` to `high`.
    pub(crate) fn between(
        &self,
        low: Bound,
        high: Bound,
    ) -> impl DoubleEndedIterator<Item = &(Score, Vec<u8>)> {
        self.order
            .range((low.score, Vec::new())..)
            .skip_while(move |(score, _)| !low.is_below(*score))
            .take_while(move |(score, _)| high.is_above(*score))
            .collect::<Vec<_>>()
            .into_iter()
    }

    pub(crate) fn count(&self, low: Bound, high: Bound) -> usize {
        self.between(low, high).count()
    }
}
