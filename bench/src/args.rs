//! The command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

/// Measures Tickwheel on this machine.
#[derive(Debug, Parser)]
#[command(name = "tickwheel-bench", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) scenario: Scenario,
}

/// What to run.
#[derive(Debug, Subcommand)]
pub(crate) enum Scenario {
    /// Submission of delayed contexts by gRPC, or by HTTP (--over http).
    Submit(Options),
    /// Queued no-op contexts, drained by workers and settled.
    Drain(Options),
    /// Contexts all due at one instant.
    Burst(Options),
    /// Start lateness of contexts spread over random milliseconds.
    Precision(Options),
    /// Jobs that fire every second.
    Recurring(Options),
    /// A context that maps into many subtasks, and a reduce over their results.
    Mapreduce(Options),
    /// Contexts that come due at a fixed rate while others are submitted.
    Sustain(Options),
    /// Bytes in Redis of one delayed context.
    Memory(Options),
    /// Redis commands of a cluster that has nothing to do.
    Idle(Options),
    /// Drain with 1..4 trackers over 1..3 primaries of a Redis Cluster.
    Scale(Options),
    /// What this machine's Redis can do at best with the same primitive operations.
    Floor(Options),
    /// The same work by another job queue, alternately with ours.
    Compare(CompareOptions),
    /// Draws the figures of lines that were measured.
    Chart(ChartOptions),
    /// A tracker process of a run.
    #[command(hide = true)]
    Tracker(ChildOptions),
    /// A worker process of a run.
    #[command(hide = true)]
    Worker(ChildOptions),
}

/// Options of every scenario; each has its own defaults for the numbers.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Options {
    /// Contexts or jobs.
    #[arg(long)]
    pub(crate) jobs: Option<usize>,
    /// Subtasks of the context (mapreduce).
    #[arg(long)]
    pub(crate) subtasks: Option<usize>,
    /// Seconds of a scenario that runs for a time.
    #[arg(long)]
    pub(crate) seconds: Option<u64>,
    /// Contexts that come due each second (sustain).
    #[arg(long, default_value_t = 5000)]
    pub(crate) rate: usize,
    /// embedded (a server of the run's own), cluster (a Redis Cluster of the run's own), or redis://HOST:PORT of an empty one.
    #[arg(long, default_value = "embedded")]
    pub(crate) redis: String,
    /// Primaries of `--redis cluster`, 1..=3.
    #[arg(long, default_value_t = 1)]
    pub(crate) primaries: usize,
    /// How often an embedded Redis looks at its clients' time-outs, each second.
    #[arg(long, default_value_t = 10)]
    pub(crate) hz: u32,
    /// Tracker processes.
    #[arg(long, default_value_t = 1)]
    pub(crate) trackers: usize,
    /// Worker processes.
    #[arg(long, default_value_t = 1)]
    pub(crate) workers: usize,
    /// Permits of each worker; 1000 where none are given, 64 for mapreduce.
    #[arg(long)]
    pub(crate) permits: Option<u32>,
    /// Partitions of the cluster.
    #[arg(long, default_value_t = 16)]
    pub(crate) partitions: u16,
    /// Bytes of each body, at least 8.
    #[arg(long, default_value_t = 100)]
    pub(crate) body: usize,
    /// Contexts of one submit call, 1..=1000.
    #[arg(long, default_value_t = 1000)]
    pub(crate) batch: usize,
    /// Submit calls under way at once; over HTTP each has a connection of its own.
    #[arg(long, default_value_t = 4)]
    pub(crate) calls: usize,
    /// How contexts are submitted (submit).
    #[arg(long, value_enum, default_value_t = Over::Grpc)]
    pub(crate) over: Over,
    /// Trackers ask for tokens, and whoever calls shows one.
    #[arg(long)]
    pub(crate) tokens: bool,
    /// Routing policy of the contexts (drain); nothing: none, which is not the same as `any` with a placement of its own.
    #[arg(long)]
    pub(crate) routing: Option<String>,
    /// Fairness keys that the contexts have in turn (drain); nothing: none.
    #[arg(long)]
    pub(crate) keys: Option<usize>,
    /// Contexts of the group that may run at once (drain); nothing: any number.
    #[arg(long)]
    pub(crate) limit_concurrency: Option<u32>,
    /// Contexts of the group that may start each second (drain); nothing: any number.
    #[arg(long)]
    pub(crate) limit_rate: Option<u32>,
    /// Contexts of each fairness key that may run at once (drain); nothing: any number.
    #[arg(long)]
    pub(crate) limit_key_concurrency: Option<u32>,
    /// none, everysec or always.
    #[arg(long, default_value = "none")]
    pub(crate) persistence: String,
    /// Print nothing but the last line.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a call goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Over {
    /// Messages of gRPC.
    Grpc,
    /// JSON over HTTP/1.1, on connections that are kept.
    Http,
}

/// Options of a process of a run.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct ChildOptions {
    /// Redis of the run.
    #[arg(long, default_value = "")]
    pub(crate) redis: String,
    /// Trackers to connect to.
    #[arg(long, value_delimiter = ',')]
    pub(crate) trackers: Vec<String>,
    /// Permits of the worker.
    #[arg(long, default_value_t = 1000)]
    pub(crate) permits: u32,
    /// Partitions of the cluster.
    #[arg(long, default_value_t = 16)]
    pub(crate) partitions: u16,
    /// Where the worker leaves its records.
    #[arg(long)]
    pub(crate) records: Option<PathBuf>,
    /// A file with the token that a worker shows, and to which a tracker writes the first one; without it nobody is asked for one.
    #[arg(long)]
    pub(crate) token: Option<PathBuf>,
}

/// Another job queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PeerName {
    /// BullMQ, on Node.js.
    Bullmq,
    /// Celery with its Redis broker, on Python.
    Celery,
    /// apalis with its Redis storage, in Rust.
    Apalis,
}

/// Options of a comparison.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct CompareOptions {
    /// With whom.
    #[arg(long, value_enum)]
    pub(crate) peer: PeerName,
    /// Runs of each side, alternately.
    #[arg(long, default_value_t = 3)]
    pub(crate) pairs: usize,
    /// Worker processes of the peer; its best number where none is given.
    #[arg(long)]
    pub(crate) peer_workers: Option<usize>,
    /// Jobs that one worker process of the peer runs at once; its best number where none is given.
    #[arg(long)]
    pub(crate) peer_concurrency: Option<usize>,
    /// Only these: submit, drain, burst, precision, recurring.
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// Options of a drawing.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct ChartOptions {
    /// A file of JSON lines that comparisons printed.
    #[arg(long)]
    pub(crate) lines: PathBuf,
    /// The folder of the drawings.
    #[arg(long, default_value = "docs/benchmarks")]
    pub(crate) to: PathBuf,
}
