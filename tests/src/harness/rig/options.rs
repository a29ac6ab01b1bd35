//! What the processes of a rig are started with, and what they say first.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::harness::secrets::Secrets;
use crate::harness::{fan, handlers};

/// What a tracker process is started with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrackerConfig {
    /// Redis.
    pub redis: String,
    /// Partitions of the cluster.
    pub partitions: u16,
    /// Until a claimed context must be accepted.
    pub dispatch_lease_ms: u64,
    /// Where it listens; port 0: anywhere.
    pub listen: SocketAddr,
    /// What workers are told to connect to, unless it is where it listens.
    #[serde(default)]
    pub advertise: Option<String>,
    /// It answers over HTTP on some port.
    #[serde(default)]
    pub http: bool,
    /// Attempts of each callback of xcron.
    #[serde(default = "one")]
    pub callbacks: u32,
    /// With what it speaks TLS; without, it asks nobody.
    #[serde(default)]
    pub secrets: Option<Secrets>,
}

/// How a tracker process differs from the usual.
#[derive(Debug, Clone)]
pub struct TrackerOptions {
    /// Its way to Redis; directly unless set.
    pub redis: Option<String>,
    /// Where it listens; anywhere unless set.
    pub listen: Option<SocketAddr>,
    /// What workers are told to connect to, unless it is where it listens.
    pub advertise: Option<String>,
    /// It answers over HTTP.
    pub http: bool,
    /// Attempts of each callback of xcron.
    pub callbacks: u32,
    /// Variables of its environment.
    pub environment: Vec<(String, String)>,
}

impl Default for TrackerOptions {
    fn default() -> Self {
        Self {
            redis: None,
            listen: None,
            advertise: None,
            http: false,
            callbacks: 1,
            environment: Vec::new(),
        }
    }
}

/// What a worker process is started with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WorkerConfig {
    /// What the test calls it.
    pub name: String,
    /// Trackers to begin with.
    pub trackers: Vec<String>,
    /// Where it notes its runs.
    pub book: String,
    /// The rest.
    pub options: WorkerOptions,
    /// What it shows to trackers.
    #[serde(default)]
    pub secrets: Option<Secrets>,
}

/// What a worker offers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WorkerOptions {
    /// Its group.
    pub group: String,
    /// How many handlers run at once.
    pub permits: u32,
    /// Which handlers it offers.
    pub handlers: Vec<String>,
    /// How long a drain waits for what runs.
    pub drain_ms: u64,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// So many workers live in the process, each with a number behind its name unless there is one.
    #[serde(default = "one")]
    pub copies: u32,
    /// Threads of its runtime; 0: as many as usual.
    #[serde(default)]
    pub threads: usize,
    /// Variables of its environment.
    #[serde(skip)]
    pub environment: Vec<(String, String)>,
}

fn one() -> u32 {
    1
}

impl Default for WorkerOptions {
    fn default() -> Self {
        let handlers = handlers::ALL
            .iter()
            .chain(fan::ALL)
            .map(|name| (*name).to_owned())
            .collect();
        Self {
            group: "default".to_owned(),
            permits: 64,
            handlers,
            drain_ms: 10_000,
            tags: Vec::new(),
            copies: 1,
            threads: 0,
            environment: Vec::new(),
        }
    }
}

/// The first line of a tracker process.
#[derive(Debug, Serialize, Deserialize)]
pub struct TrackerStarted {
    /// Where it is reached.
    pub url: String,
    /// Where it answers for its health, when it does.
    #[serde(default)]
    pub http: Option<SocketAddr>,
}

/// The first line of a worker process.
#[derive(Debug, Serialize, Deserialize)]
pub struct WorkerStarted {
    /// Its id in the cluster.
    pub id: String,
}
