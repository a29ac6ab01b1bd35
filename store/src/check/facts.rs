//! What a rule looks at: everything about one subject, read at one instant.

use std::collections::BTreeMap;

use tickwheel_core::id::{ContextId, JobName};
use tickwheel_core::ledger::LedgerRecord;
use tickwheel_core::partition::PartitionId;

use crate::record::{Held, Member};

/// Lua's numbers are exact up to here.
const NUMBER_MAX: u64 = (1 << 53) - 1;

/// A score of a sorted set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// Whole milliseconds.
    Ms(u64),
    /// What no script writes: a fraction, a negative number, an infinity.
    Odd(String),
}

impl At {
    /// Reads a score as Redis prints it.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        text.parse()
            .map_or_else(|_| Self::Odd(text.to_owned()), Self::Ms)
    }

    /// The milliseconds, if it is a time.
    #[must_use]
    pub fn ms(&self) -> Option<u64> {
        match self {
            Self::Ms(ms) => Some(*ms),
            Self::Odd(_) => None,
        }
    }
}

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ms(ms) => ms.fmt(f),
            Self::Odd(text) => f.pad(text),
        }
    }
}

/// A place in which a context can be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// It has a time that is to come.
    Wheel,
    /// It runs.
    Held,
    /// It waits for a permit; the set's queue.
    Ready(String),
    /// It waits for an earlier one of this job.
    Queue(String),
    /// It is split and waits for its subtasks; its id.
    Fan(String),
}

impl Place {
    /// The key without its partition.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Wheel => "wheel".to_owned(),
            Self::Held => "held".to_owned(),
            Self::Ready(queue) => format!("ready:{}", queue.replace(' ', ":")),
            Self::Queue(job) => format!("queue:{job}"),
            Self::Fan(root) => format!("fan:{root}"),
        }
    }
}

/// A context as one place has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// It waits.
    Waiting(Member),
    /// It runs.
    Running(Held),
    /// The text does not follow its grammar; it is named as such.
    Unreadable,
}

/// A context in a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// Which place.
    pub place: Place,
    /// At which score; running ones have none.
    pub at: Option<At>,
    /// What is there. The live check reads it without its body.
    pub record: Record,
    /// Bytes of the body.
    pub body_len: usize,
    /// The text up to the body, for a repair to find it again; empty where nobody repairs.
    pub head: String,
}

/// A context, wherever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextFacts {
    /// Its id.
    pub id: ContextId,
    /// Where it was looked for.
    pub partition: PartitionId,
    /// When.
    pub now: u64,
    /// Every place it is in.
    pub occurrences: Vec<Occurrence>,
    /// What the retry index says.
    pub retry: Option<At>,
    /// What the index of contexts with a fairness key says.
    pub fair: Option<At>,
    /// Its mark among the active contexts of its job: `s` or `m`.
    pub mark: Option<String>,
    /// Its start deadline has an entry in the wheel.
    pub watched: bool,
    /// When leases are looked at next.
    pub scan: Option<At>,
    /// The attempts with which it is known to have ended.
    pub ended: Vec<u32>,
}

/// A split context, or what is left of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FanFacts {
    /// The root.
    pub root: ContextId,
    /// Where it was looked for.
    pub partition: PartitionId,
    /// It is among the split contexts.
    pub listed: bool,
    /// The fields of its hash; empty when there is none.
    pub fields: BTreeMap<String, String>,
    /// Subtasks that run, the reduce among them.
    pub running: u64,
    /// Subtasks that wait for their next attempt.
    pub retrying: u64,
    /// Subtasks that wait in lists, or were not made yet.
    pub waiting: u64,
    /// No attempt of it is anywhere, or nobody knows any more where its subtasks may run.
    pub lost: bool,
    /// Keys of it that were seen.
    pub keys: Vec<String>,
}

impl FanFacts {
    /// A field; empty when it is absent.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// A field as a number; 0 when it is absent, or greater than scripts read.
    #[must_use]
    pub fn number(&self, name: &str) -> u64 {
        let number = self.field(name).parse().ok();
        number
            .filter(|number| *number <= NUMBER_MAX)
            .unwrap_or_default()
    }
}

/// A job, or what is left of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFacts {
    /// Its name.
    pub name: JobName,
    /// Where it was looked for.
    pub partition: PartitionId,
    /// Where it belongs.
    pub owner: PartitionId,
    /// When it was looked for.
    pub now: u64,
    /// The fields of its hash, without spec and template; empty when there is no such job.
    pub fields: BTreeMap<String, String>,
    /// It is in the list of jobs.
    pub listed: bool,
    /// Its place in the wheel.
    pub entry: Option<At>,
    /// Contexts that were created and have not ended.
    pub active: u64,
    /// Contexts that wait for an active one.
    pub queued: u64,
    /// A scheduled firing of it is active or queued.
    pub under_way: bool,
    /// Ledger records there are.
    pub ledger: u64,
    /// Records of ended contexts there are.
    pub runs: u64,
    /// Ledger records, the newest last; the live check reads the newest 1,000.
    pub records: Vec<LedgerRecord>,
    /// Followers that wait for a job of this name, as in the field `followers`.
    pub awaited: String,
    /// Followers that are known not to exist, or not to follow it.
    pub gone: Vec<JobName>,
    /// The job that this one follows is known not to tell it.
    pub untold: bool,
}

impl JobFacts {
    /// Whether there is such a job.
    #[must_use]
    pub fn exists(&self) -> bool {
        !self.fields.is_empty()
    }

    /// A field of its hash; empty where there is none.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// A field as a number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.field(name).parse().ok()
    }

    /// Who is to be told of its ends, now or once it is registered, and of which: `(follower, on)`.
    pub fn followers(&self) -> impl Iterator<Item = (&str, &str)> {
        let told = self.field("followers").split_whitespace();
        told.chain(self.awaited.split_whitespace())
            .filter_map(|one| one.split_once(':'))
    }

    /// The job that it follows, and which of its ends it waits for.
    #[must_use]
    pub fn follows(&self) -> Option<(&str, &str)> {
        self.field("after").split_once(' ')
    }
}

/// A ready set, and what the backlog says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueFacts {
    /// `<group> <handler>`.
    pub queue: String,
    /// Its partition.
    pub partition: PartitionId,
    /// It is in the backlog.
    pub listed: bool,
    /// How many wait in it.
    pub waiting: u64,
}

/// What a partition counts under a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitFacts {
    /// `<group>`, or `<group> k=<key>`.
    pub limit: String,
    /// The partition.
    pub partition: PartitionId,
    /// Contexts that are counted.
    pub using: u64,
    /// Those of them that left since the last turn.
    pub left: u64,
    /// Contexts that run under it.
    pub running: u64,
}

/// A key of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    /// Without the partition.
    pub name: String,
    /// Its partition.
    pub partition: PartitionId,
    /// As Redis calls it; `none` when it is gone.
    pub kind: String,
    /// Elements, or bytes of a string.
    pub size: u64,
    /// Milliseconds it lives on; negative: for ever.
    pub ttl_ms: i64,
}
