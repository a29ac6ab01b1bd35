//! What a tracker is told at its start, with a default and its reason for each value.

mod access;
mod quotas;
mod rates;
mod tls;
mod xcron;

use std::net::SocketAddr;
use std::time::Duration;

use tickwheel_core::bounds::PARTITIONS_MAX;
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::partition::PartitionCount;
pub use tickwheel_store::RedisTls;
use tickwheel_store::history::Budget;
pub use tickwheel_store::setup::Eviction;

use crate::durability::Promises;
pub use access::{Access, AccessMode};
pub use quotas::{Quota, Quotas};
pub use rates::Rates;
pub use tls::{Asked, Clients, Tls};
pub use xcron::Xcron;

/// Configuration of one tracker.
#[derive(Debug, Clone)]
pub struct Config {
    /// `redis://`, `redis-cluster://` or `redis-sentinel://`; with TLS `rediss://`, `rediss-cluster://` or `rediss-sentinel://`.
    pub redis_url: String,
    /// With what Redis is spoken to where its URL has TLS.
    pub redis_tls: RedisTls,
    /// Start of every key; several clusters may share a Redis under different prefixes.
    pub prefix: String,
    /// Partitions of a cluster that is created; an existing one must agree. 1..=1024. 16 spread over a few Redis Cluster nodes and
    /// still make fat batches.
    pub partitions: u16,
    /// Where workers and clients reach the tracker. Loopback unless told otherwise.
    pub grpc_listen: SocketAddr,
    /// Connections of workers and callers at once, 1..=65536; a further one is closed, so that its peer looks for another tracker. Each takes some
    /// ten KiB, and with a request under way some MiB.
    pub grpc_connections: u32,
    /// And of one address, or network of IPv6; loopback is not counted. Raise it where workers come through an address translation or a proxy.
    pub grpc_connections_per_address: u32,
    /// Health, metrics and the API; `None` serves none of them.
    pub http_listen: Option<SocketAddr>,
    /// What workers are told to connect to; the listening address unless they reach it under another name. With TLS it is `https://`, and the
    /// certificate is for its host.
    pub advertise_url: Option<String>,
    /// Until a claimed context must be accepted or settled. A tracker that dies between claim and send delays its contexts by
    /// this at most; workers that lose it have them given back within half a second.
    pub dispatch_lease: Duration,
    /// Between two heartbeats of a tracker and of its workers in Redis. One second, and three commands each, keep an idle cluster
    /// under ten commands per second and tracker.
    pub heartbeat_interval: Duration,
    /// Entries one turn takes, 1..=1000. 200 take about 2 ms of Redis; more gain little.
    pub turn_limit: u32,
    /// How far a write has come when its caller is told that it is accepted.
    pub durability: Promises,
    /// How much of what ended is kept.
    pub history: History,
    /// Whether it may run on a Redis that evicts keys, that is, loses jobs.
    pub eviction: Eviction,
    /// Who may do what.
    pub access: Access,
    /// How much each token may ask for in a second.
    pub rates: Rates,
    /// How much each namespace may take.
    pub quotas: Quotas,
    /// With what both listeners speak TLS; `None`: they do not.
    pub tls: Option<Tls>,
    /// What is answered to clients of xcron.
    pub xcron: Xcron,
    /// A stopping tracker is gone after this, whatever its peers do.
    pub drain_timeout: Duration,
}

/// How much of what ended is kept, over all partitions. Each has an equal share, and all trackers should say the same: the last one that
/// looked is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// MiB of logs and progress. 256 are a million lines.
    pub logs_mib: u32,
    /// MiB of results.
    pub results_mib: u32,
    /// MiB of contexts that ended without success, with their bodies.
    pub dead_mib: u32,
    /// How long logs, progress and results are kept at most.
    pub keep: Duration,
    /// How long a `once` job stays after its due time was decided and its last run has ended.
    pub once_keep: Duration,
}

impl Default for History {
    fn default() -> Self {
        Self {
            logs_mib: 256,
            results_mib: 128,
            dead_mib: 256,
            keep: Duration::from_secs(86_400),
            once_keep: Duration::from_secs(7 * 86_400),
        }
    }
}

impl History {
    /// What one partition may take.
    pub(crate) fn of_partition(&self, partitions: PartitionCount) -> Budget {
        let share = |mib: u32| (u64::from(mib) << 20) / u64::from(partitions.as_u16().max(1));
        Budget {
            logs: share(self.logs_mib),
            results: share(self.results_mib),
            dead: share(self.dead_mib),
            keep: self.keep,
        }
    }

    /// Each key with what it may be, and whether it is.
    fn checks(&self) -> [(bool, &'static str, &'static str, String); 5] {
        let size = |mib: u32| (1..=1_048_576).contains(&mib);
        let most = Duration::from_secs(315_360_000);
        let keep = (Duration::from_secs(1)..=most).contains(&self.keep);
        let once_keep = (Duration::from_secs(1)..=most).contains(&self.once_keep);
        let rule = "is 1..=1048576";
        [
            (
                size(self.logs_mib),
                "history.logs_mib",
                rule,
                self.logs_mib.to_string(),
            ),
            (
                size(self.results_mib),
                "history.results_mib",
                rule,
                self.results_mib.to_string(),
            ),
            (
                size(self.dead_mib),
                "history.dead_mib",
                rule,
                self.dead_mib.to_string(),
            ),
            (
                keep,
                "history.keep",
                "is 1s..=10y",
                format!("{:?}", self.keep),
            ),
            (
                once_keep,
                "history.once_keep",
                "is 1s..=10y",
                format!("{:?}", self.once_keep),
            ),
        ]
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            redis_url: "redis://127.0.0.1:6379".to_owned(),
            redis_tls: RedisTls::default(),
            prefix: "tw".to_owned(),
            partitions: 16,
            grpc_listen: SocketAddr::from(([127, 0, 0, 1], 7400)),
            grpc_connections: 2_000,
            grpc_connections_per_address: 64,
            http_listen: Some(SocketAddr::from(([127, 0, 0, 1], 7480))),
            advertise_url: None,
            dispatch_lease: Duration::from_secs(2),
            heartbeat_interval: Duration::from_secs(1),
            turn_limit: 200,
            durability: Promises::default(),
            history: History::default(),
            eviction: Eviction::Refused,
            access: Access::default(),
            rates: Rates::default(),
            quotas: Quotas::default(),
            tls: None,
            xcron: Xcron::default(),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

impl Config {
    /// A heartbeat is valid for three intervals.
    pub(crate) fn heartbeat_ttl(&self) -> Duration {
        self.heartbeat_interval * 3
    }

    /// Checks every value.
    ///
    /// # Errors
    /// All violations together.
    pub fn validate(&self) -> Result<(), Violations> {
        let mut violations = Violations::default();
        let mut check = |holds: bool, field: &str, rule: &str, given: String| {
            if !holds {
                violations.push(Violation::new(field, rule, given));
            }
        };
        check(
            (1..=PARTITIONS_MAX).contains(&self.partitions),
            "partitions",
            "is 1..=1024",
            self.partitions.to_string(),
        );
        check(
            (1..=1000).contains(&self.turn_limit),
            "turn_limit",
            "is 1..=1000",
            self.turn_limit.to_string(),
        );
        let named = !self.prefix.is_empty()
            && self
                .prefix
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        check(
            named,
            "prefix",
            "consists of letters, digits, - and _",
            self.prefix.clone(),
        );
        let lease =
            (Duration::from_millis(100)..=Duration::from_secs(3600)).contains(&self.dispatch_lease);
        check(
            lease,
            "dispatch_lease",
            "is 100ms..=1h",
            format!("{:?}", self.dispatch_lease),
        );
        let heartbeat = (Duration::from_millis(50)..=Duration::from_secs(60))
            .contains(&self.heartbeat_interval);
        check(
            heartbeat,
            "heartbeat_interval",
            "is 50ms..=1m",
            format!("{:?}", self.heartbeat_interval),
        );
        let wait = self.durability.wait;
        check(
            (Duration::from_millis(10)..=Duration::from_secs(5)).contains(&wait),
            "durability.wait",
            "is 10ms..=5s",
            format!("{wait:?}"),
        );
        check(
            self.drain_timeout <= Duration::from_secs(600),
            "drain_timeout",
            "is at most 10m",
            format!("{:?}", self.drain_timeout),
        );
        for (holds, field, rule, given) in self.history.checks() {
            check(holds, field, rule, given);
        }
        self.check_surfaces(&mut violations);
        violations.into_result()
    }

    fn check_surfaces(&self, violations: &mut Violations) {
        let listens = [Some(self.grpc_listen), self.http_listen];
        self.access.check(listens, self.tls.is_some(), violations);
        if let Some(tls) = &self.tls {
            tls.check(self.advertise_url.as_deref(), violations);
        }
        self.rates.check(violations);
        self.quotas.check(violations);
        self.xcron.check(violations);
        for (field, given) in [
            ("grpc_connections", self.grpc_connections),
            (
                "grpc_connections_per_address",
                self.grpc_connections_per_address,
            ),
        ] {
            if !(1..=65_536).contains(&given) {
                violations.add(field, "is 1..=65536", given);
            }
        }
        if self.grpc_listen.ip().is_unspecified() && self.advertise_url.is_none() {
            let rule = "is given when grpc_listen is every address of the machine: workers are told this URL, say http://tracker-1.example:7400";
            violations.add("advertise_url", rule, "");
        }
    }
}
