//! What the servers say about themselves, and what follows from it: whether they can be used, what can be lost, and what a person should
//! change.

mod losses;

use tickwheel_core::Durability;

use crate::client::{Fsync, Memory, Redis, Topology, field, primary_of};
use crate::error::Error;

/// The oldest server whose scripts know flags.
const REDIS_MIN: (u32, u32) = (7, 0);
/// The first redis with `WAITAOF`. Valkey began later, and says that it is compatible with 7.2.
const WAITAOF_MIN: (u32, u32) = (7, 2);
/// The policy under which nothing is evicted.
const KEEP_ALL: &str = "noeviction";

/// Whether a store may be opened on a server that evicts keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Eviction {
    /// It loses jobs: refused.
    #[default]
    Refused,
    /// A person wants it so.
    Tolerated,
}

/// One primary's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Settings {
    /// `host:port` on a cluster, otherwise empty.
    node: String,
    /// `redis` or `valkey`.
    product: &'static str,
    /// As it prints it.
    version: String,
    /// The redis it is compatible with.
    compatible: (u32, u32),
    policy: String,
    append_only: bool,
    /// `None`: `CONFIG` is not allowed here.
    append_fsync: Option<String>,
    /// Whether it makes snapshots by itself; `None`: as above.
    snapshots: Option<bool>,
    replicas: u64,
    /// Where the primary of a replica is.
    primary: Option<String>,
}

/// What the servers said, all together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Product and version, say `redis 7.0.15`.
    pub version: String,
    /// Settings that a person should change, in words.
    pub warnings: Vec<String>,
    /// Why these servers cannot be used at all.
    pub refusals: Vec<String>,
    /// The servers that evict keys, in words.
    pub evictions: Vec<String>,
    topology: Topology,
    settings: Vec<Settings>,
}

impl Redis {
    /// Asks every primary for its settings, and remembers what `fsynced` takes here and whether there is room for new work.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when one does not answer.
    pub async fn inspect(&self) -> Result<Server, Error> {
        let (mut settings, mut memories) = (Vec::new(), Vec::new());
        for node in self.primaries() {
            let server = self.info(&node, "server").await?;
            let memory = self.info(&node, "memory").await?;
            memories.extend(Memory::of(&memory));
            let persistence = self.info(&node, "persistence").await?;
            let replication = self.info(&node, "replication").await?;
            // Often forbidden by the ACL, and a managed service has no such command at all.
            let config = self
                .ask(&node, &["CONFIG", "GET", "appendfsync", "save"])
                .await;
            let words: Vec<String> = config
                .ok()
                .and_then(|value| value.convert().ok())
                .unwrap_or_default();
            let set = |name: &str| {
                let mut pairs = words.chunks_exact(2);
                pairs.find_map(|pair| (pair.first()? == name).then(|| pair.get(1).cloned())?)
            };
            let valkey = field(&server, "valkey_version");
            let redis = field(&server, "redis_version");
            settings.push(Settings {
                node: node.to_string(),
                product: if valkey.is_empty() { "redis" } else { "valkey" },
                version: if valkey.is_empty() { redis } else { valkey }.to_owned(),
                compatible: numbers(redis),
                policy: field(&memory, "maxmemory_policy").to_owned(),
                append_only: field(&persistence, "aof_enabled") == "1",
                append_fsync: set("appendfsync"),
                snapshots: set("save").map(|points| !points.is_empty()),
                replicas: field(&replication, "connected_slaves").parse().unwrap_or(0),
                primary: primary_of(&replication),
            });
        }
        let server = Server::of(self.topology(), settings);
        self.set_fsync(server.fsync());
        self.set_room(memories);
        Ok(server)
    }
}

impl Server {
    /// Of a stand-in ([`crate::transport`]): there is no server that could say anything.
    #[must_use]
    pub fn none() -> Self {
        Self {
            version: "none".to_owned(),
            ..Self::of(Topology::Single, Vec::new())
        }
    }

    fn of(topology: Topology, settings: Vec<Settings>) -> Self {
        let mut server = Self {
            version: String::new(),
            warnings: Vec::new(),
            refusals: Vec::new(),
            evictions: Vec::new(),
            topology,
            settings,
        };
        let mut versions: Vec<String> = server
            .settings
            .iter()
            .map(|node| format!("{} {}", node.product, node.version))
            .collect();
        versions.sort_unstable();
        versions.dedup();
        server.version = versions.join(", ");
        server.refusals = server.settings.iter().filter_map(refusal).collect();
        server.evictions = server.settings.iter().filter_map(evicts).collect();
        server.warnings = server.settings.iter().flat_map(warnings).collect();
        server
    }

    /// Why no store may be there; empty: it may.
    #[must_use]
    pub fn misconfigured(&self, eviction: Eviction) -> Vec<String> {
        let mut misconfigured = self.refusals.clone();
        if eviction == Eviction::Refused {
            misconfigured.extend(self.evictions.iter().cloned());
        }
        misconfigured
    }

    /// Where the primary of this server is, when it is a replica and takes no writes.
    #[must_use]
    pub fn replica_of(&self) -> Option<&str> {
        self.settings
            .iter()
            .find_map(|node| node.primary.as_deref())
    }

    /// Why these servers cannot keep the promise `durability`, in words.
    #[must_use]
    pub fn cannot_keep(&self, durability: Durability) -> Option<String> {
        match durability {
            Durability::Async => None,
            Durability::Fsynced => (self.fsync() == Fsync::Never).then(|| {
                "durability fsynced needs `appendfsync always`, or WAITAOF (redis 7.2, valkey) with `appendonly yes`, on every primary"
                    .to_owned()
            }),
            Durability::Replicated(wanted) => {
                let fewest = self.settings.iter().map(|node| node.replicas).min();
                let fewest = fewest.unwrap_or(0);
                (fewest < u64::from(wanted.get())).then(|| {
                    format!("durability {durability} cannot be confirmed now: a primary has {fewest} replicas")
                })
            }
        }
    }

    /// What all of them can do.
    fn fsync(&self) -> Fsync {
        let each = self.settings.iter().map(|node| {
            match (node.append_only, node.append_fsync.as_deref()) {
                (true, Some("always")) => Fsync::Always,
                (true, _) if node.compatible >= WAITAOF_MIN => Fsync::OnRequest,
                (true | false, _) => Fsync::Never,
            }
        });
        each.min_by_key(|fsync| *fsync as u8)
            .unwrap_or(Fsync::Never)
    }
}

fn refusal(node: &Settings) -> Option<String> {
    let (major, minor) = REDIS_MIN;
    (node.compatible < REDIS_MIN).then(|| {
        format!(
            "redis {}{} is too old: {major}.{minor} or later is needed for script flags",
            node.version,
            at(node)
        )
    })
}

fn evicts(node: &Settings) -> Option<String> {
    (node.policy != KEEP_ALL).then(|| {
        format!(
            "redis{} evicts keys (maxmemory-policy {}) and would lose jobs: run `redis-cli config set maxmemory-policy noeviction`",
            at(node),
            node.policy
        )
    })
}

fn warnings(node: &Settings) -> Vec<String> {
    let at = at(node);
    let mut warnings = Vec::new();
    if !node.append_only && node.snapshots == Some(false) {
        warnings.push(format!(
            "appendonly is off and no snapshots are made{at}: a restart of redis loses everything; run `redis-cli config set appendonly yes`"
        ));
    } else if !node.append_only {
        warnings.push(format!(
            "appendonly is off{at}: run `redis-cli config set appendonly yes` to survive a restart of redis"
        ));
    } else if node.append_fsync.is_none() {
        warnings.push(format!(
            "appendfsync cannot be seen{at}: `CONFIG GET` is not allowed; it is taken as everysec"
        ));
    } else if node.append_fsync.as_deref() == Some("no") {
        warnings.push(format!(
            "appendfsync is no{at}: a power loss takes what the system had not written yet, up to half a minute"
        ));
    }
    warnings
}

fn at(node: &Settings) -> String {
    if node.node.is_empty() {
        String::new()
    } else {
        format!(" at {}", node.node)
    }
}

fn numbers(version: &str) -> (u32, u32) {
    let mut numbers = version
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests;
