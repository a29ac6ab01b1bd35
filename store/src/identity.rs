//! What one life of a store is told from another by: its meta record. A store that was emptied has none, one that was made anew has
//! another, and a person who takes it all the same leaves a mark in it (`tickwheel store adopt`).

mod adopt;

/// The fields, in the order in which `tracker/heartbeat` answers with them.
const FIELDS: [&str; 4] = ["schema", "partitions", "created_ms", "adopted_ms"];
/// Stands for a field that is not there.
const NONE: &str = "-";
/// So many heartbeats of each tracker may be missing, of which one in five seconds is counted: an append-only file that is written each second, and replicas
/// that lag, lose less with a crash. A store that lacks more is an older copy.
const BEATS_LOST_MAX: u64 = 4;

/// How new a store is, as it says itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Age {
    /// How many servers have answered for the keys of the cluster.
    pub(crate) epoch: u64,
    /// How many heartbeats of trackers it has; `None` where that cannot be read.
    pub(crate) heartbeats: Option<u64>,
}

impl Age {
    /// Reads the count of heartbeats; `None` where there is none.
    pub(crate) fn heartbeats(text: Option<&str>) -> Option<u64> {
        text.map_or(Some(0), |text| text.parse().ok())
    }

    /// How many heartbeats `found` lacks, when those are more than a crash can lose of so many trackers.
    pub(crate) fn lacks(self, found: Option<u64>, trackers: u64) -> Option<u64> {
        let missing = self.heartbeats?.saturating_sub(found?);
        (missing > BEATS_LOST_MAX * trackers.max(1)).then_some(missing)
    }
}

/// The meta record; absent fields are empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Identity {
    schema: String,
    partitions: String,
    created_ms: String,
    adopted_ms: u64,
}

/// What a store is to whoever knew one before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// The same.
    Same,
    /// Another, which a person has decided to go on with.
    Adopted,
    /// Another: why it is refused, in words.
    Other(String),
}

impl Identity {
    fn of(mut fields: impl Iterator<Item = String>) -> Self {
        let mut next = || fields.next().filter(|field| field != NONE);
        Self {
            schema: next().unwrap_or_default(),
            partitions: next().unwrap_or_default(),
            created_ms: next().unwrap_or_default(),
            adopted_ms: next().and_then(|ms| ms.parse().ok()).unwrap_or(0),
        }
    }

    /// Reads what `tracker/heartbeat` answers with: the meta record, and how new the store is.
    pub(crate) fn parse(text: &str) -> (Self, Age) {
        let mut words = text.split(' ').map(ToOwned::to_owned);
        let identity = Self::of(words.by_ref().take(FIELDS.len()));
        let epoch = words.next().and_then(|epoch| epoch.parse().ok());
        let heartbeats = words.next().filter(|word| word != NONE);
        let age = Age {
            epoch: epoch.unwrap_or(0),
            heartbeats: Age::heartbeats(heartbeats.as_deref()),
        };
        (identity, age)
    }

    /// What `found` is to whoever knows this one; `meta` is its key.
    pub(crate) fn compare(&self, found: &Self, meta: &str) -> Likeness {
        if self == found {
            return Likeness::Same;
        }
        if found.schema.is_empty() || found.partitions.is_empty() || found.created_ms.is_empty() {
            return Likeness::Other(format!(
                "this redis was emptied and is refused: `{meta}` is gone, and with it what was accepted; bring the data back, or go on \
                 without them: `tickwheel store adopt`"
            ));
        }
        if (&found.schema, &found.partitions) != (&self.schema, &self.partitions) {
            return Likeness::Other(format!(
                "this redis holds another cluster and is refused: `{meta}` has schema {} and {} partitions, schema {} and {} partitions \
                 were there before; bring the data back, or restart every tracker with these",
                found.schema, found.partitions, self.schema, self.partitions
            ));
        }
        if found.adopted_ms > self.adopted_ms {
            return Likeness::Adopted;
        }
        Likeness::Other(format!(
            "this redis holds another cluster and is refused: `{meta}` was made at {} ms, the one before at {} ms; bring the data back, or \
             go on with what is there: `tickwheel store adopt`",
            found.created_ms, self.created_ms
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(text: &str) -> Identity {
        Identity::parse(text).0
    }

    fn refused(known: &str, found: &str) -> String {
        match identity(known).compare(&identity(found), "{tw}:meta") {
            Likeness::Other(reason) => reason,
            taken @ (Likeness::Same | Likeness::Adopted) => panic!("{taken:?}"),
        }
    }

    #[test]
    fn a_store_lacks_heartbeats_when_they_are_more_than_a_crash_loses() {
        let age = |text: &str| Identity::parse(text).1;
        let known = age("1 16 1000 - 3 100");
        assert_eq!(known.lacks(age("1 16 1000 - 3 96").heartbeats, 1), None);
        assert_eq!(known.lacks(age("1 16 1000 - 3 95").heartbeats, 1), Some(5));
        assert_eq!(known.lacks(age("1 16 1000 - 3 88").heartbeats, 3), None);
        assert_eq!(known.lacks(age("1 16 1000 - 3 -").heartbeats, 3), Some(100));
        assert_eq!(known.lacks(age("1 16 1000 - 3 120").heartbeats, 0), None);
        // What is damaged tells nothing.
        assert_eq!(known.lacks(age("1 16 1000 - 3 x").heartbeats, 1), None);
        assert_eq!(Age::default().lacks(Some(0), 1), None);
    }

    #[test]
    fn another_life_of_the_store_is_refused_until_it_is_adopted() {
        let known = "1 16 1000 - 3 70";
        let age = Age {
            epoch: 3,
            heartbeats: Some(70),
        };
        assert_eq!(Identity::parse(known).1, age);
        assert!(refused(known, "- - - - 0").contains("emptied"));
        assert!(refused(known, "1 16 2000 - 1").contains("another cluster"));
        assert!(refused(known, "1 8 2000 9000 1").contains("8 partitions"));
        assert!(refused(known, "2 16 1000 9000 1").contains("schema 2"));
        let same = identity(known).compare(&identity("1 16 1000 - 7"), "m");
        assert_eq!(same, Likeness::Same, "how new it is, is another matter");
        let adopted = identity(known).compare(&identity("1 16 2000 9000 1"), "m");
        assert_eq!(adopted, Likeness::Adopted);
        let old = "an old copy that was adopted before this one was";
        assert!(
            refused("1 16 2000 9000 1", "1 16 1000 8000 9").contains("another"),
            "{old}"
        );
    }
}
