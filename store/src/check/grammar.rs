//! Entries of the wheel that are no contexts, and the names of a partition's keys.

use tickwheel_core::id::{ContextId, GroupName, HandlerName, JobName, WorkerId};
use tickwheel_core::limits::LimitName;
use tickwheel_core::routing::PlacementId;
use tickwheel_core::run::ContextState;

use crate::keys::{KINDS, KeyKind, Of};
use crate::record::Queue;

/// What the wheel has besides contexts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// `@<job>`: the next firing.
    Job(JobName),
    /// `!reap`: the lease scan.
    Scan,
    /// `!limits[ <cursor>]`: the scan of what is granted of limits.
    Limits,
    /// `#<context> <queue> <priority>`: a start deadline.
    StartDeadline(ContextId),
    /// `&<follower> <context> <state>`: a delivery.
    Delivery(JobName),
    /// `%<root>`: parts for certain workers.
    Pinned(ContextId),
}

impl Entry {
    /// Reads an entry that does not start with a digit; `None` when it is none of ours.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text == "!reap" {
            return Some(Self::Scan);
        }
        if let Some(cursor) = text.strip_prefix("!limits") {
            let number = cursor.strip_prefix(' ').map(str::parse::<u64>);
            let known = cursor.is_empty() || number.is_some_and(|read| read.is_ok());
            return known.then_some(Self::Limits);
        }
        let mut letters = text.chars();
        let first = letters.next()?;
        let words: Vec<&str> = letters.as_str().split(' ').collect();
        match (first, words.as_slice()) {
            ('@', [job]) => Some(Self::Job(job_named(job)?)),
            ('#', [id, queue @ .., priority]) => {
                queue_of(&queue.join(" "))?;
                let known = matches!(*priority, "0" | "1" | "2" | "3" | "4");
                known.then_some(Self::StartDeadline(id.parse().ok()?))
            }
            ('&', [follower, id, state]) => {
                id.parse::<ContextId>().ok()?;
                let ended = state.parse::<ContextState>().ok()?.is_settled();
                ended.then_some(Self::Delivery(JobName::new(follower).ok()?))
            }
            ('%', [root]) => Some(Self::Pinned(root.parse().ok()?)),
            _ => None,
        }
    }
}

/// A job by its full name: in Redis no other stands for it.
pub(crate) fn job_named(text: &str) -> Option<JobName> {
    JobName::new(text).ok().filter(|job| job.as_str() == text)
}

/// A queue as it is named; contexts that a tracker has to split wait under a handler of their own.
fn queue_of(text: &str) -> Option<String> {
    match text.strip_suffix(" !fan") {
        Some(group) => GroupName::new(group).ok().map(|_| text.to_owned()),
        None => Some(text.parse::<Queue>().ok()?.to_string()),
    }
}

/// A key of a partition by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Name {
    /// wheel, held, retry, backlog, jobs, placements, events, dead, stats, epoch, quarantine.
    Fixed(&'static str),
    /// `ready:<queue>`, as the queue.
    Ready(String),
    /// `limit:<group>`, or `limit:<group>:k=<key>`.
    Limit(LimitName),
    /// `tags:<group>`.
    Tags(GroupName),
    /// `route:<placement>`.
    Route(PlacementId),
    /// job, awaited, active, queue, ledger or runs of a job.
    OfJob(&'static str, JobName),
    /// fan, parts or results of a split context.
    OfRoot(&'static str, ContextId),
    /// subtraced of a split context.
    Subtraced(ContextId),
    /// spaces of a kind of traces, and traced of a kind and a namespace.
    Traces(&'static str),
    /// dedup, log, attempts, progress, result or split, with an end of life.
    Mortal(&'static str),
    /// `aside:<key>:<ms>`: what had the place of one of ours, of any type.
    Aside,
}

/// The type of a key that may have any.
pub(crate) const ANY_TYPE: &str = "any";
impl Name {
    /// Reads a name without the partition; `None` when no script makes such a key. With it, the type that the key must have.
    pub(crate) fn parse(name: &str) -> Option<(Self, &'static str)> {
        let (word, rest) = name.split_once(':').unwrap_or((name, ""));
        if word == "aside" && !rest.is_empty() {
            return Some((Self::Aside, ANY_TYPE));
        }
        let known = KINDS
            .iter()
            .find(|known| known.name == word && known.is_in_partition())?;
        if known.of == Of::All {
            return (name == known.name).then_some((Self::Fixed(known.name), known.kind));
        }
        if rest.is_empty() {
            return None;
        }
        Some((Self::of(known, rest)?, known.kind))
    }

    /// What stands behind the colon of a kind of which there are many.
    fn of(known: &KeyKind, rest: &str) -> Option<Self> {
        Some(match known.of {
            Of::Queue => Self::Ready(queue_of(&rest.replace(':', " "))?),
            Of::Limit => Self::Limit(rest.replace(':', " ").parse().ok()?),
            Of::Group => Self::Tags(rest.parse().ok()?),
            Of::Placement => Self::Route(rest.parse().ok()?),
            Of::Job => Self::OfJob(known.name, job_named(rest)?),
            Of::Root => Self::OfRoot(known.name, rest.parse().ok()?),
            Of::Parts => {
                let (handler, behind) = rest.split_once(':')?;
                HandlerName::new(handler).ok()?;
                let (root, worker) = behind.split_once(':').unwrap_or((behind, "w"));
                WorkerId::new(worker).ok()?;
                Self::OfRoot(known.name, root.parse().ok()?)
            }
            Of::Subtasks => Self::Subtraced(rest.parse().ok()?),
            Of::Traces => matches!(rest, "l" | "r").then_some(Self::Traces(known.name))?,
            Of::Namespace => {
                let (letter, namespace) = rest.split_once(':')?;
                let fits = matches!(letter, "l" | "r") && !namespace.contains([':', ' ']);
                (fits && !namespace.is_empty()).then_some(Self::Traces(known.name))?
            }
            Of::Mortal => Self::Mortal(known.name),
            Of::All | Of::Worker => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_by_their_grammar() {
        let job = |name: &str| JobName::new(name).unwrap();
        let good = [
            ("@a/b", Entry::Job(job("a/b"))),
            ("!reap", Entry::Scan),
            ("!limits", Entry::Limits),
            ("!limits 1024", Entry::Limits),
            (
                "#1.5.a-1 g h 4",
                Entry::StartDeadline("1.5.a-1".parse().unwrap()),
            ),
            (
                "#1.5.a-1 g h c=0123456789 4",
                Entry::StartDeadline("1.5.a-1".parse().unwrap()),
            ),
            ("&a/b 1.5.f@c/d timed_out", Entry::Delivery(job("a/b"))),
            (
                "#1.5.f@a/b g !fan 2",
                Entry::StartDeadline("1.5.f@a/b".parse().unwrap()),
            ),
            ("%1.5.a-1", Entry::Pinned("1.5.a-1".parse().unwrap())),
        ];
        for (text, entry) in good {
            assert_eq!(Entry::parse(text), Some(entry), "{text}");
        }
        for text in [
            "",
            "@",
            "@a b",
            "!later",
            "#1.5.a-1 g h 5",
            "#1.5.a-1 g h c=1 4",
            "#1.5.a-1 g h",
            "&a/b 1.5.f@c/d",
            "&a/b 1.5.f@c/d running",
            "&a/b x failed",
            "?",
        ] {
            assert_eq!(Entry::parse(text), None, "{text}");
        }
    }

    #[test]
    fn keys_are_known_by_their_names() {
        for (name, kind) in [
            ("wheel", "zset"),
            ("held", "hash"),
            ("ready:g:h", "zset"),
            ("ready:g:h:c=0123456789", "zset"),
            ("placements", "hash"),
            ("route:0123456789", "hash"),
            ("job:a/b", "hash"),
            ("runs:a/b", "list"),
            ("log:1.5.a-1", "list"),
            ("attempts:1.5.a-1", "list"),
            ("attempted", "zset"),
            ("traces", "hash"),
            ("traced:l:billing", "zset"),
            ("spaces:r", "zset"),
            ("subtraced:1.5.a-1", "list"),
            ("dedup:a:b", "string"),
            ("quarantine", "list"),
        ] {
            assert_eq!(Name::parse(name).unwrap().1, kind, "{name}");
        }
        for name in [
            "",
            "wheels",
            "wheel:",
            "wheel:x",
            "ready:g",
            "ready:g:h:i",
            "route:x",
            "traced:l",
            "traced:x:a",
            "spaces:l:a",
            "subtraced:x",
            "job",
            "job:a b",
            "x:y",
        ] {
            assert_eq!(Name::parse(name), None, "{name}");
        }
    }
}
