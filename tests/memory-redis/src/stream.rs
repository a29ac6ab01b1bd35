//! A stream: entries by id.

use std::collections::BTreeMap;

/// Entries of one node: approximate trimming takes whole nodes.
const NODE: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Id {
    ms: u64,
    number: u64,
}

impl Id {
    const MIN: Self = Self { ms: 0, number: 0 };
    const MAX: Self = Self {
        ms: u64::MAX,
        number: u64::MAX,
    };

    pub(crate) fn print(self) -> Vec<u8> {
        format!("{}-{}", self.ms, self.number).into_bytes()
    }

    fn next(self) -> Self {
        Self {
            ms: self.ms,
            number: self.number.saturating_add(1),
        }
    }

    fn previous(self) -> Self {
        match self.number.checked_sub(1) {
            Some(number) => Self { number, ..self },
            None => Self {
                ms: self.ms.saturating_sub(1),
                number: u64::MAX,
            },
        }
    }

    /// An end of a range; `missing` stands for the number of an id without one.
    fn parse(text: &[u8], missing: u64) -> Result<Self, String> {
        let invalid = || "ERR Invalid stream ID specified as stream command argument".to_owned();
        let text = str::from_utf8(text).map_err(|_| invalid())?;
        let (ms, number) = text
            .split_once('-')
            .map_or((text, None), |(ms, number)| (ms, Some(number)));
        let ms = ms.parse().map_err(|_| invalid())?;
        let number = number.map_or(Ok(missing), |number| number.parse().map_err(|_| invalid()))?;
        Ok(Self { ms, number })
    }

    pub(crate) fn low(text: &[u8]) -> Result<Self, String> {
        match text {
            b"-" => Ok(Self::MIN),
            b"+" => Ok(Self::MAX),
            [b'(', rest @ ..] => Ok(Self::parse(rest, 0)?.next()),
            _ => Self::parse(text, 0),
        }
    }

    pub(crate) fn high(text: &[u8]) -> Result<Self, String> {
        match text {
            b"-" => Ok(Self::MIN),
            b"+" => Ok(Self::MAX),
            [b'(', rest @ ..] => Ok(Self::parse(rest, u64::MAX)?.previous()),
            _ => Self::parse(text, u64::MAX),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Stream {
    entries: BTreeMap<Id, Vec<Vec<u8>>>,
    last: Id,
}

impl Stream {
    /// Adds an entry with the next id at this time.
    pub(crate) fn add(&mut self, now_ms: u64, fields: &[Vec<u8>]) -> Id {
        let id = if now_ms > self.last.ms {
            Id {
                ms: now_ms,
                number: 0,
            }
        } else {
            self.last.next()
        };
        self.last = id;
        self.entries.insert(id, fields.to_vec());
        id
    }

    /// Takes an entry out; true when it was there. Its id is not given again.
    pub(crate) fn remove(&mut self, id: Id) -> bool {
        self.entries.remove(&id).is_some()
    }

    /// Drops the oldest nodes beyond `most` entries.
    pub(crate) fn trim(&mut self, most: usize) {
        while self.entries.len() >= most + NODE {
            for _ in 0..NODE {
                self.entries.pop_first();
            }
        }
    }

    pub(crate) fn range(
        &self,
        low: Id,
        high: Id,
    ) -> impl DoubleEndedIterator<Item = (&Id, &Vec<Vec<u8>>)> {
        let ordered = low <= high;
        let (low, high) = if ordered {
            (low, high)
        } else {
            (Id::MAX, Id::MAX)
        };
        self.entries.range(low..=high).filter(move |_| ordered)
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Vec<Vec<u8>>> {
        self.entries.values()
    }
}
