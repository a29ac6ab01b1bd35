//! The same work by another job queue, alternately with ours: A B A B, the middle of each side, and the ratio of the two.

mod missing;
mod peer;
mod work;

use anyhow::{Result, ensure};
use serde_json::{Map, Value, json};

use crate::args::{CompareOptions, Options, PeerName};
use crate::report::{Line, median, number, round};
use crate::scenario;
pub(crate) use missing::Missing;
use peer::Peer;

/// What both sides do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Submit,
    Drain,
    Burst,
    Precision,
    Recurring,
}

impl Work {
    const ALL: [Self; 5] = [
        Self::Submit,
        Self::Drain,
        Self::Burst,
        Self::Precision,
        Self::Recurring,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Drain => "drain",
            Self::Burst => "burst",
            Self::Precision => "precision",
            Self::Recurring => "recurring",
        }
    }

    async fn ours(self, options: &Options) -> Result<Value> {
        match self {
            Self::Submit => scenario::submit::run(options).await,
            Self::Drain => scenario::drain::run(options).await,
            Self::Burst => scenario::burst::run(options).await,
            Self::Precision => {
                // `--jobs` is for the bulk work; this one has its own count.
                let options = Options {
                    jobs: None,
                    ..options.clone()
                };
                scenario::precision::run(&options).await
            }
            Self::Recurring => scenario::recurring::run(options).await,
        }
    }

    async fn theirs(self, peer: &Peer, options: &Options) -> Result<Value> {
        match self {
            Self::Submit => work::submit(peer, options).await,
            Self::Drain => work::drain(peer, options).await,
            Self::Burst => work::burst(peer, options).await,
            Self::Precision => work::precision(peer, options).await,
            Self::Recurring => work::recurring(peer, options).await,
        }
    }
}

/// The lines of both sides, in the order they were measured.
#[derive(Debug, Default)]
struct Sides {
    ours: Vec<Value>,
    theirs: Vec<Value>,
}

impl Sides {
    fn ours(&self, field: &str) -> f64 {
        median(&values(&self.ours, field))
    }

    fn theirs(&self, field: &str) -> f64 {
        median(&values(&self.theirs, field))
    }

    fn sum(lines: &[Value], field: &str) -> u64 {
        let counts = lines.iter().filter_map(|line| line.get(field)?.as_u64());
        counts.sum()
    }
}

fn values(lines: &[Value], field: &str) -> Vec<f64> {
    lines.iter().map(|line| number(line, field)).collect()
}

pub(crate) async fn run(options: &CompareOptions) -> Result<Value> {
    let chosen = choose(options)?;
    let peer = Peer::prepare(options).await?;
    // Celery settles some thousand jobs per second.
    let jobs = match options.peer {
        PeerName::Celery => 20_000,
        PeerName::Bullmq | PeerName::Apalis => 100_000,
    };
    let ours = Options {
        json: true,
        jobs: Some(options.options.jobs.unwrap_or(jobs)),
        ..options.options.clone()
    };
    let say = |text: &str| {
        if !options.options.json {
            eprintln!("{text}");
        }
    };
    let mut line = Line::new("compare");
    line.put("peer", peer.title());
    line.put("pairs", options.pairs);
    line.put("jobs", ours.jobs);
    line.put("persistence", ours.persistence.clone());
    let mut details = Map::new();
    let (mut lost, mut duplicates) = (0, 0);
    for work in chosen {
        let mut sides = Sides::default();
        for pair in 1..=options.pairs {
            let one = work.ours(&ours).await?;
            say(&format!("{} {pair} ours   {one}", work.name()));
            sides.ours.push(one);
            let one = work.theirs(&peer, &ours).await?;
            say(&format!("{} {pair} theirs {one}", work.name()));
            sides.theirs.push(one);
        }
        ratios(&mut line, work, &sides);
        if work == Work::Precision && options.peer == PeerName::Bullmq {
            let quick = Options {
                hz: 500,
                ..ours.clone()
            };
            let hz = work.theirs(&peer, &quick).await?;
            line.put("peer_precision_hz500_p99_ms", number(&hz, "p99_ms"));
        }
        lost += Sides::sum(&sides.ours, "lost");
        duplicates += Sides::sum(&sides.ours, "duplicates");
        let both = json!({ "ours": sides.ours, "theirs": sides.theirs });
        details.insert(work.name().to_owned(), both);
    }
    line.put("lost", lost);
    line.put("duplicates", duplicates);
    line.put("runs", details);
    Ok(line.done())
}

fn choose(options: &CompareOptions) -> Result<Vec<Work>> {
    let known = |name: &String| Work::ALL.iter().any(|work| work.name() == name);
    for name in &options.only {
        ensure!(known(name), "--only knows no `{name}`");
    }
    let chosen = |work: &Work| match options.only.as_slice() {
        // Due times of apalis have whole seconds, and it stops above about 8,000 jobs due at once. Workers of Celery keep what is due
        // later in their memory, and do not end 100,000 of them.
        [] if options.peer != PeerName::Bullmq => matches!(work, Work::Submit | Work::Drain),
        [] => *work != Work::Recurring,
        only => only.iter().any(|name| name == work.name()),
    };
    Ok(Work::ALL.into_iter().filter(chosen).collect())
}

/// How many times better we are: more per second, or less time or memory.
fn ratios(line: &mut Line, work: Work, sides: &Sides) {
    let mut put = |field: &str, value: f64| line.put(field, round(value));
    let more = |field: &str| sides.ours(field) / sides.theirs(field);
    let less = |field: &str| sides.theirs(field) / sides.ours(field);
    match work {
        Work::Submit => {
            put("submit_ratio", more("jobs_per_s"));
            put("submit_per_s", sides.ours("jobs_per_s"));
            put("peer_submit_per_s", sides.theirs("jobs_per_s"));
            put("memory_ratio", less("bytes_per_job"));
            put("bytes_per_job", sides.ours("bytes_per_job"));
            put("peer_bytes_per_job", sides.theirs("bytes_per_job"));
        }
        Work::Drain => {
            put("drain_ratio", more("jobs_per_s"));
            put("drain_per_s", sides.ours("jobs_per_s"));
            put("peer_drain_per_s", sides.theirs("jobs_per_s"));
            put("redis_cpu_ratio", less("redis_cpu_us_per_job"));
        }
        Work::Burst => {
            put("burst_ratio", less("last_start_s"));
            put("last_start_s", sides.ours("last_start_s"));
            put("peer_last_start_s", sides.theirs("last_start_s"));
        }
        Work::Precision => {
            put("precision_p99_ms", sides.ours("p99_ms"));
            put("peer_precision_p99_ms", sides.theirs("p99_ms"));
        }
        Work::Recurring => {
            for field in ["fires_per_s", "p99_ms", "missed"] {
                put(&format!("recurring_{field}"), sides.ours(field));
                put(&format!("peer_recurring_{field}"), sides.theirs(field));
            }
        }
    }
}
