//! What a check found: which rule is broken, by what, and what repairs it.

use std::fmt;

use tickwheel_core::id::{ContextId, JobName};
use tickwheel_core::invariant::Invariant;
use tickwheel_core::partition::PartitionId;

/// One list gives the kinds, their words, their invariants, what they mean, and what repairs them.
macro_rules! kinds {
    ($($variant:ident = $word:literal, $invariant:ident, $repair:expr, $sentence:literal;)+) => {
        /// What is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kind {
            $(#[doc = $sentence] $variant,)+
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word, as outputs carry it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The invariant that is broken.
            #[must_use]
            pub const fn invariant(self) -> Invariant {
                match self { $(Self::$variant => Invariant::$invariant,)+ }
            }

            /// What it means, in one sentence.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)+ }
            }

            /// The script that repairs it; `None` where a person has to decide.
            #[must_use]
            pub const fn repair(self) -> Option<&'static str> {
                match self { $(Self::$variant => $repair,)+ }
            }
        }
    };
}

const CONTEXT: Option<&str> = Some("repair/context");
const JOB: Option<&str> = Some("repair/job");
const INDEX: Option<&str> = Some("repair/index");
const QUARANTINE: Option<&str> = Some("repair/quarantine");
const DELETE: Option<&str> = Some("job/delete");
const KEY: Option<&str> = Some("repair/key");
const FAN: Option<&str> = Some("repair/fan");
const LIMITS: Option<&str> = Some("repair/limits");

kinds! {
    TwoPlaces = "two_places", W1, CONTEXT, "A context is in more than one place.";
    Misplaced = "misplaced", W1, CONTEXT, "A context is where nobody looks for it: another score, ready set or queue than its own.";
    RetryIndex = "retry_index", W1, CONTEXT, "A context waits for its next attempt, and the retry index does not say when.";
    RetryNowhere = "retry_nowhere", W1, CONTEXT, "The retry index has a context that is not in the wheel.";
    FairIndex = "fair_index", W1, CONTEXT, "A context with a fairness key and the index that says where it waits disagree.";
    ActiveNowhere = "active_nowhere", W1, CONTEXT, "A context is active by its job, and is in no place.";
    ActiveMark = "active_mark", W1, CONTEXT, "A context of a job and the job's active contexts disagree.";
    EndedAndHere = "ended_and_here", W1, CONTEXT, "A context has ended, and is still in a place.";
    WrongPartition = "wrong_partition", W1, QUARANTINE, "A record lies in another partition than its id or name says.";
    Malformed = "malformed", W1, QUARANTINE, "A record does not follow its grammar; no script can use it.";
    Backlog = "backlog", W1, INDEX, "A ready set and the backlog disagree on whether something waits.";
    FiredTwice = "fired_twice", W3, None, "A due time is in the ledger twice as fired.";
    NotArmed = "not_armed", W4, JOB, "A recurring job has no place in the wheel, and nothing under way that would give it one.";
    ArmedLate = "armed_late", W4, JOB, "A job is in the wheel later than its next due time.";
    ArmedForNothing = "armed_for_nothing", W4, JOB, "A job is in the wheel that does not fire by itself, or does not exist.";
    NotListed = "not_listed", W4, JOB, "A job is not in the list of jobs.";
    ListedForNothing = "listed_for_nothing", W4, JOB, "A name is in the list of jobs, and there is no such job.";
    Leftover = "leftover", W9, JOB, "Something is left of a job that does not exist.";
    BadJob = "bad_job", W4, None, "The fields of a job cannot be read; apply its definition again.";
    TooManyActive = "too_many_active", W6, None, "A job has more active contexts than its overlap policy allows; they end by themselves.";
    LimitCount = "limit_count", W6, LIMITS, "What is counted under a limit is not what runs under it.";
    NoLeaseScan = "no_lease_scan", W7, INDEX, "Contexts run, and no lease scan is planned that would see their leases end.";
    NoDeadline = "no_deadline", W7, CONTEXT, "A running context and its timeout disagree on whether it has a deadline.";
    NoStartDeadline = "no_start_deadline", W7, CONTEXT, "A context has a start deadline, and nothing in the wheel for it.";
    QueueStuck = "queue_stuck", W7, JOB, "Contexts of a job wait for earlier ones, and fewer are active than may be.";
    DeletionStuck = "deletion_stuck", W7, DELETE, "The deletion of a job began and was not finished.";
    DeliveryLate = "delivery_late", W7, INDEX, "A delivery to a follower lies further ahead than a tracker would put it.";
    FollowerGone = "follower_gone", W9, JOB, "A job is to tell a follower that does not exist, or does not follow it.";
    FollowerUntold = "follower_untold", W4, JOB, "A job follows another one, and that one is not to tell it.";
    FanCounts = "fan_counts", W8, FAN, "The counts of a split context and where its subtasks are disagree.";
    FanOver = "fan_over", W8, FAN, "A context is split, and all of its subtasks have ended.";
    FanOrphan = "fan_orphan", W8, FAN, "Something is left of the subtasks of a context that is not split.";
    TooMany = "too_many", W9, KEY, "Something has more elements than its bound.";
    Immortal = "immortal", W9, KEY, "A key of a single context or of a dedup key has no end of life.";
    UnknownKey = "unknown_key", W9, None, "A key under the prefix is not one of ours.";
    WrongType = "wrong_type", W9, KEY, "A key has another type than ours; scripts that use it fail.";
    TooEarly = "too_early", W10, None, "Something was claimed or decided before it was due.";
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A context.
    Context(ContextId),
    /// A job, or what is left of one.
    Job(JobName),
    /// A split context with its subtasks.
    Fan(ContextId),
    /// A ready set, as `<group> <handler>`.
    Queue(String),
    /// A limit of a group or of a key in it.
    Limit(String),
    /// A key, without its partition.
    Key(String),
    /// A record that cannot be read, or the entry of a delivery.
    Entry(String),
    /// The lease scan of a partition.
    Scan,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Context(id) | Self::Fan(id) => id.fmt(f),
            Self::Job(name) => name.fmt(f),
            Self::Queue(text) | Self::Limit(text) | Self::Key(text) | Self::Entry(text) => {
                f.pad(text)
            }
            Self::Scan => f.pad("!reap"),
        }
    }
}

/// Where something was seen: what a repair is given, besides the subject, to find it again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Evidence {
    /// The key without its partition.
    pub key: String,
    /// The score, or the field of a hash.
    pub at: String,
    /// The member up to its body; of an unreadable record the SHA-1; of an end the attempt.
    pub text: String,
}

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Finding {
    /// What is wrong.
    pub kind: Kind,
    /// In which partition.
    pub partition: PartitionId,
    /// With what.
    pub subject: Subject,
    /// In words, with what was seen.
    pub detail: String,
    /// Where.
    pub evidence: Vec<Evidence>,
}

impl Finding {
    /// The broken invariant.
    #[must_use]
    pub fn invariant(&self) -> Invariant {
        self.kind.invariant()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (invariant, kind) = (self.invariant(), self.kind);
        write!(
            f,
            "{invariant} {kind} in partition {}: {}",
            self.partition, self.detail
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_has_a_word_of_its_own_a_sentence_and_a_script_that_exists() {
        let words: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(words.len(), Kind::ALL.len());
        let scripts: BTreeSet<&str> = crate::script::all()
            .iter()
            .map(|script| script.name())
            .collect();
        for kind in Kind::ALL {
            assert!(kind.sentence().ends_with('.'), "{kind}");
            assert!(
                kind.repair().is_none_or(|script| scripts.contains(script)),
                "{kind}"
            );
        }
    }
}
