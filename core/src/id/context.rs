//! The id of a context: it shows its partition and due time, and the job when there is one.
//!
//! `<partition>.<due ms>.<unique part>[~<subtask>][@<job>]`, where the job is `<namespace>/<name>`; a context submitted alone has only
//! `@<namespace>/`, and nothing in the namespace `default`. Because the due time and the unique part of a firing
//! follow from (job, due), creating it twice gives the same id (W3); because the partition is readable, a person with
//! an id knows which key to look at.
//!
//! A subtask has the id of its root with `~` and its number behind the unique part, `~r` being the reduce; `~` occurs in no other id.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use super::digits::{base36, hex};
use super::text::DEFAULT_NAMESPACE;
use crate::bounds::{CONTEXT_ID_CHARS_MAX, PARTITIONS_MAX, UNIQ_CHARS_MAX};
use crate::error::Violation;
use crate::id::{JobName, Namespace};
use crate::partition::{PartitionCount, PartitionId, partition_of};
use crate::time::TimestampMs;

/// The greatest due time an id shows; Lua and JSON keep whole numbers up to it. Later ones are written as this one.
const DUE_MAX: u64 = 1 << 53;
/// Least digits of a per-process counter.
const COUNTER_DIGITS: usize = 6;

/// Which subtask of its root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subtask {
    /// The attempt of the root that began to split it: a root that is split anew gives its subtasks other ids (W2).
    pub round: u32,
    /// Which one.
    pub part: Part,
}

/// A subtask within one round of its root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The so many-th, from 0; of a shard its item's index, of an index itself.
    Number(u64),
    /// The one that runs when all others have ended.
    Reduce,
}

impl fmt::Display for Subtask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.round > 1 {
            write!(f, "{}.", self.round)?;
        }
        match self.part {
            Part::Number(number) => write!(f, "{number}"),
            Part::Reduce => f.write_str("r"),
        }
    }
}

impl Subtask {
    /// Reads `<number>` or `<round>.<number>`; the first round is not written.
    fn parse(text: &str) -> Option<Self> {
        let (round, part) = match text.split_once('.') {
            Some((round, part)) => (round.parse().ok().filter(|round| *round > 1)?, part),
            None => (1, text),
        };
        let part = match part {
            "r" => Part::Reduce,
            number => Part::Number(number.parse().ok()?),
        };
        let subtask = Self { round, part };
        // Only one text stands for a subtask.
        (subtask.to_string() == text).then_some(subtask)
    }
}

/// Identity of a context. Ordered as text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContextId(String);

impl ContextId {
    /// The firing of a job's trigger at `due`: a function of both, so no race or crash creates it twice.
    #[must_use]
    pub fn firing(job: &JobName, due: TimestampMs, count: PartitionCount) -> Self {
        Self::of_job(job, due, "f", count)
    }

    /// A run of a job that somebody asked for; `uniq` tells runs of one millisecond apart (see [`ContextId::uniq`]).
    ///
    /// # Errors
    /// A violation when `uniq` is empty, too long, or has other characters than lower-case letters, digits and `-`.
    pub fn job_run(
        job: &JobName,
        due: TimestampMs,
        uniq: &str,
        count: PartitionCount,
    ) -> Result<Self, Violation> {
        check_uniq(uniq)?;
        Ok(Self::of_job(job, due, uniq, count))
    }

    /// The run of a follower because `upstream` ended; the same upstream context gives the same unique part.
    #[must_use]
    pub fn after(
        follower: &JobName,
        due: TimestampMs,
        upstream: &Self,
        count: PartitionCount,
    ) -> Self {
        let mut digest = hex(&Sha1::digest(upstream.0.as_bytes()));
        digest.truncate(10);
        Self::of_job(follower, due, &format!("a{digest}"), count)
    }

    /// A context submitted alone into `namespace`, by the `counter`-th submit of the tracker with this incarnation.
    #[must_use]
    pub fn standalone(
        partition: PartitionId,
        due: TimestampMs,
        (incarnation, counter): (u64, u64),
        namespace: &Namespace,
    ) -> Self {
        Self(format!(
            "{partition}.{}.{}{}",
            shown(due),
            Self::uniq(incarnation, counter),
            namespace.suffix()
        ))
    }

    /// The unique part made of an incarnation number and a per-process counter.
    #[must_use]
    pub fn uniq(incarnation: u64, counter: u64) -> String {
        format!(
            "{}-{}",
            base36(incarnation, 1),
            base36(counter, COUNTER_DIGITS)
        )
    }

    /// The partition this context lives in.
    #[must_use]
    pub fn partition(&self) -> PartitionId {
        let digits = self.0.split('.').next().unwrap_or_default();
        digits.parse().unwrap_or_default()
    }

    /// When the context is due by its trigger or submitter; retries do not change it.
    #[must_use]
    pub fn due(&self) -> TimestampMs {
        let digits = self.0.split('.').nth(1).unwrap_or_default();
        TimestampMs::new(digits.parse().unwrap_or_default())
    }

    /// The job it belongs to; `None` for a context submitted alone.
    #[must_use]
    pub fn job(&self) -> Option<JobName> {
        self.0
            .split_once('@')
            .and_then(|(_, job)| JobName::new(job).ok())
    }

    /// The namespace of its job, or the one it was submitted into.
    #[must_use]
    pub fn namespace(&self) -> &str {
        let owner = self.0.split_once('@').map(|(_, owner)| owner);
        owner
            .and_then(|owner| owner.split('/').next())
            .unwrap_or(DEFAULT_NAMESPACE)
    }

    /// True for a firing of a job's own trigger. Its unique part is `f`; with the time in ms at which the job was registered behind it
    /// where that was after its due time, so that a job that was deleted and registered again does not use an id twice.
    #[must_use]
    pub fn is_firing(&self) -> bool {
        let place = self.0.split_once('@').map(|(place, _)| place);
        let unique = place.and_then(|place| place.splitn(3, '.').nth(2));
        let since = unique.and_then(|unique| unique.strip_prefix('f'));
        since.is_some_and(|since| since.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// Which subtask it is; `None` for every context that is none.
    #[must_use]
    pub fn subtask(&self) -> Option<Subtask> {
        let (_, behind) = self.0.split_once('~')?;
        Subtask::parse(behind.split('@').next().unwrap_or_default())
    }

    /// The context whose subtask it is; `None` for every context that is none.
    #[must_use]
    pub fn root(&self) -> Option<Self> {
        let (head, behind) = self.0.split_once('~')?;
        let owner = behind.find('@').and_then(|at| behind.get(at..));
        Some(Self(format!("{head}{}", owner.unwrap_or_default())))
    }

    /// The id of a subtask of this root.
    #[must_use]
    pub fn with_subtask(&self, subtask: Subtask) -> Self {
        match self.0.split_once('@') {
            Some((head, owner)) => Self(format!("{head}~{subtask}@{owner}")),
            None => Self(format!("{}~{subtask}", self.0)),
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of_job(job: &JobName, due: TimestampMs, uniq: &str, count: PartitionCount) -> Self {
        let partition = partition_of(job.as_str(), count);
        Self(format!("{partition}.{}.{uniq}@{job}", shown(due)))
    }
}

impl AsRef<str> for ContextId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContextId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for ContextId {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        check_id(text).map_err(|rule| Violation::new("context_id", rule, text))?;
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for ContextId {
    type Error = Violation;

    fn try_from(text: String) -> Result<Self, Violation> {
        text.parse()
    }
}

impl From<ContextId> for String {
    fn from(id: ContextId) -> Self {
        id.0
    }
}

fn check_id(text: &str) -> Result<(), &'static str> {
    const FORM: &str =
        "has the form <partition>.<due>.<unique>[~<subtask>][@<job> or @<namespace>/]";
    if text.len() > CONTEXT_ID_CHARS_MAX {
        return Err("has at most 220 characters");
    }
    let (place, owner) = match text.split_once('@') {
        Some((place, owner)) => (place, Some(owner)),
        None => (text, None),
    };
    let mut parts = place.splitn(3, '.');
    let (Some(partition), Some(due), Some(uniq)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(FORM);
    };
    let number: u16 = partition.parse().map_err(|_| FORM)?;
    let plain = |digits: &str| {
        (1..=16).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && (digits.len() == 1 || !digits.starts_with('0'))
    };
    if number >= PARTITIONS_MAX || !plain(partition) {
        return Err("starts with a partition, 0..=1023");
    }
    if !plain(due) || due.parse().is_ok_and(|ms: u64| ms > DUE_MAX) {
        return Err("has a due time in ms, 2^53 at most, without leading zeros");
    }
    let (uniq, subtask) = match uniq.split_once('~') {
        Some((uniq, subtask)) => (uniq, Some(subtask)),
        None => (uniq, None),
    };
    check_uniq(uniq).map_err(|_| FORM)?;
    if subtask.is_some_and(|subtask| Subtask::parse(subtask).is_none()) {
        return Err("has a number behind ~, or r for the reduce");
    }
    let Some(owner) = owner else {
        return Ok(());
    };
    let is_owner = match owner.strip_suffix('/') {
        // Only one text stands for a context.
        Some(namespace) => namespace != DEFAULT_NAMESPACE && Namespace::new(namespace).is_ok(),
        None => JobName::new(owner).is_ok_and(|full| full.as_str() == owner),
    };
    if is_owner {
        Ok(())
    } else {
        Err("ends with the full name of a job, or with a namespace and a slash")
    }
}

fn shown(due: TimestampMs) -> u64 {
    due.as_u64().min(DUE_MAX)
}

fn check_uniq(uniq: &str) -> Result<(), Violation> {
    let allowed = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase() || byte == b'-';
    if uniq.is_empty() || uniq.len() > UNIQ_CHARS_MAX || !uniq.bytes().all(allowed) {
        let rule = "is 1..=32 lower-case letters, digits and -";
        return Err(Violation::new("uniq", rule, uniq));
    }
    Ok(())
}
