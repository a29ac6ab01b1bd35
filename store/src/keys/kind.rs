//! Every kind of key: its name, its type, where it lies, and what it is one of. `lua/lib/keys.lua` and docs/keyspace.md name the same, and
//! the live check takes any other key for a foreign one.

/// The hash tags under which a kind of key lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tag {
    /// `{tw}`: there is one in a cluster.
    Cluster,
    /// `{tw:p}`: each partition has its own.
    Partition,
    /// Both.
    Each,
}

/// What there is a key of its kind for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Of {
    /// One for the tag: `wheel`.
    All,
    /// `ready:<group>:<handler>[:c=<placement>][:k=]`.
    Queue,
    /// `limit:<group>[:k=<key>]`.
    Limit,
    /// `tags:<group>`.
    Group,
    /// `route:<placement>`.
    Placement,
    /// `job:<job>`.
    Job,
    /// `fan:<root>`.
    Root,
    /// `parts:<handler>:<root>[:<worker>]`.
    Parts,
    /// `subtraced:<root>`.
    Subtasks,
    /// `spaces:<l or r>`.
    Traces,
    /// `traced:<l or r>:<namespace>`.
    Namespace,
    /// `worker:<worker>`.
    Worker,
    /// `log:<context>`, `dedup:<key>`: it ends by itself, and must have an end of life.
    Mortal,
}

/// A kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyKind {
    /// What stands behind its tag, up to a colon.
    pub name: &'static str,
    /// As Redis calls its type.
    pub kind: &'static str,
    /// Where it lies.
    pub tag: Tag,
    /// What there is one for.
    pub of: Of,
}

impl KeyKind {
    /// Whether a partition has such keys.
    #[must_use]
    pub const fn is_in_partition(&self) -> bool {
        match self.tag {
            Tag::Cluster => false,
            Tag::Partition | Tag::Each => true,
        }
    }
}

const fn part(name: &'static str, kind: &'static str, of: Of) -> KeyKind {
    KeyKind {
        name,
        kind,
        tag: Tag::Partition,
        of,
    }
}

const fn cluster(name: &'static str, kind: &'static str, of: Of) -> KeyKind {
    KeyKind {
        name,
        kind,
        tag: Tag::Cluster,
        of,
    }
}

/// All of them, in the order of docs/keyspace.md.
pub const KINDS: &[KeyKind] = &[
    part("wheel", "zset", Of::All),
    part("held", "hash", Of::All),
    part("retry", "hash", Of::All),
    part("ready", "zset", Of::Queue),
    part("fair", "hash", Of::All),
    part("tags", "zset", Of::Group),
    part("limit", "hash", Of::Limit),
    part("limit_shares", "hash", Of::All),
    part("limit_released", "list", Of::All),
    part("limit_waiting", "hash", Of::All),
    part("limit_contended", "hash", Of::All),
    part("backlog", "zset", Of::All),
    part("placements", "hash", Of::All),
    part("used_placements", "hash", Of::All),
    part("route", "hash", Of::Placement),
    part("jobs", "zset", Of::All),
    part("job", "hash", Of::Job),
    part("awaited", "string", Of::Job),
    part("active", "hash", Of::Job),
    part("queue", "zset", Of::Job),
    part("ledger", "list", Of::Job),
    part("runs", "list", Of::Job),
    part("events", "stream", Of::All),
    part("dead", "zset", Of::All),
    part("dedup", "string", Of::Mortal),
    part("log", "list", Of::Mortal),
    part("attempts", "list", Of::Mortal),
    part("attempted", "zset", Of::All),
    part("progress", "string", Of::Mortal),
    part("result", "string", Of::Mortal),
    part("traces", "hash", Of::All),
    part("traced", "zset", Of::Namespace),
    part("spaces", "zset", Of::Traces),
    part("subtraced", "list", Of::Subtasks),
    part("untraced", "list", Of::All),
    part("fans", "hash", Of::All),
    part("fan", "hash", Of::Root),
    part("parts", "list", Of::Parts),
    part("results", "list", Of::Root),
    part("split", "list", Of::Mortal),
    part("quarantine", "list", Of::All),
    part("asides", "list", Of::All),
    part("stats", "hash", Of::All),
    part("zones", "string", Of::All),
    KeyKind {
        tag: Tag::Each,
        ..part("epoch", "hash", Of::All)
    },
    cluster("meta", "hash", Of::All),
    cluster("incarnations", "string", Of::All),
    cluster("trackers", "zset", Of::All),
    cluster("limits", "hash", Of::All),
    cluster("pauses", "hash", Of::All),
    cluster("tokens", "hash", Of::All),
    cluster("tokens_used", "hash", Of::All),
    cluster("sessions", "hash", Of::All),
    cluster("audit", "stream", Of::All),
    cluster("groups", "hash", Of::All),
    cluster("drained", "zset", Of::All),
    cluster("workers", "zset", Of::Group),
    cluster("worker", "hash", Of::Worker),
];
