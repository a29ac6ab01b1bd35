//! Entries of the wheel that are no contexts, and the names of a partition's keys.

use tickwheel_core::group_limits::LimitName;
use tickwheel_core::id::{ContextId, GroupName, HandlerName, JobName, WorkerId};
use tickwheel_core::routing::LaneId;
use tickwheel_core::run::StateWord;

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
                let ended = state.parse::<StateWord>().ok()?.is_settled();
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
    /// wheel, held, retry, backlog, jobs, lanes, events, dead, stats, epoch, quarantine.
    Fixed(&'static str),
    /// `ready:<queue>`, as the queue.
    Ready(String),
    /// `limit:<group>`, or `limit:<group>:k=<key>`.
    Limit(LimitName),
    /// `tags:<group>`.
    Tags(GroupName),
    /// `route:<lane>`.
    Route(LaneId),
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
/// Each kind of key with its type.
const FIXED: [(&str, &str); 22] = [
    ("wheel", "zset"),
    ("held", "hash"),
    ("retry", "hash"),
    ("fair", "hash"),
    ("shares", "hash"),
    ("stopped", "hash"),
    ("left", "list"),
    ("contended", "hash"),
    ("backlog", "zset"),
    ("jobs", "zset"),
    ("fans", "hash"),
    ("lanes", "hash"),
    ("used", "hash"),
    ("events", "stream"),
    ("dead", "zset"),
    ("attempted", "zset"),
    ("stats", "hash"),
    ("epoch", "hash"),
    ("zones", "string"),
    ("quarantine", "list"),
    ("traces", "hash"),
    ("untraced", "list"),
];
const OF_JOB: [(&str, &str); 6] = [
    ("job", "hash"),
    ("awaited", "string"),
    ("active", "hash"),
    ("queue", "zset"),
    ("ledger", "list"),
    ("runs", "list"),
];
const OF_ROOT: [(&str, &str); 3] = [("fan", "hash"), ("parts", "list"), ("results", "list")];
const OF_KIND: [(&str, &str); 2] = [("spaces", "zset"), ("traced", "zset")];
const MORTAL: [(&str, &str); 6] = [
    ("dedup", "string"),
    ("log", "list"),
    ("attempts", "list"),
    ("progress", "string"),
    ("result", "string"),
    ("split", "list"),
];

impl Name {
    /// Reads a name without the partition; `None` when no script makes such a key. With it, the type that the key must have.
    pub(crate) fn parse(name: &str) -> Option<(Self, &'static str)> {
        let (kind, rest) = name.split_once(':').unwrap_or((name, ""));
        let of = |list: &[(&'static str, &'static str)]| {
            list.iter().find(|(known, _)| *known == kind).copied()
        };
        if rest.is_empty() {
            let (known, kind) = of(&FIXED)?;
            return (name == known).then_some((Self::Fixed(known), kind));
        }
        if kind == "aside" {
            return Some((Self::Aside, ANY_TYPE));
        }
        if kind == "ready" {
            let queue = queue_of(&rest.replace(':', " "))?;
            return Some((Self::Ready(queue), "zset"));
        }
        if let Some((known, kind)) = of(&OF_KIND) {
            let (letter, namespace) = rest.split_once(':').unwrap_or((rest, ""));
            let has_namespace = !namespace.is_empty() && !namespace.contains([':', ' ']);
            let fits = matches!(letter, "l" | "r") && has_namespace == (known == "traced");
            return fits.then_some((Self::Traces(known), kind));
        }
        if kind == "subtraced" {
            return Some((Self::Subtraced(rest.parse().ok()?), "list"));
        }
        if kind == "limit" {
            let name = rest.replace(':', " ");
            return Some((Self::Limit(name.parse().ok()?), "hash"));
        }
        if kind == "tags" {
            return Some((Self::Tags(rest.parse().ok()?), "zset"));
        }
        if kind == "route" {
            return Some((Self::Route(rest.parse().ok()?), "hash"));
        }
        if let Some((known, kind)) = of(&OF_ROOT) {
            let root = if known == "parts" {
                let (handler, behind) = rest.split_once(':')?;
                HandlerName::new(handler).ok()?;
                let (root, worker) = behind.split_once(':').unwrap_or((behind, "w"));
                WorkerId::new(worker).ok()?;
                root
            } else {
                rest
            };
            return Some((Self::OfRoot(known, root.parse().ok()?), kind));
        }
        if let Some((known, kind)) = of(&OF_JOB) {
            return Some((Self::OfJob(known, job_named(rest)?), kind));
        }
        let (known, kind) = of(&MORTAL)?;
        Some((Self::Mortal(known), kind))
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
            ("lanes", "hash"),
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
