//! What a peer does: the same work as in our scenarios, measured in the same way.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::io::{AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use tokio::time::Instant;

use super::peer::Peer;
use crate::args::{Options, PeerName};
use crate::redis::{Redis, Usage};
use crate::report::{self, Line, Spread, count, round, round4};
use crate::rig::{Crew, Dir, output};
use crate::scenario::{FAR_MS, REST, burst, precision, sleep_until_ms};

/// A producer is connected, and has added its jobs, within these, or something is wrong.
const READY_WITHIN: Duration = Duration::from_secs(60);
const DONE_WITHIN: Duration = Duration::from_secs(300);

/// Redis and a peer's workers.
struct Stage<'a> {
    peer: &'a Peer,
    options: &'a Options,
    redis: Redis,
    crew: Crew,
    dir: Dir,
}

impl<'a> Stage<'a> {
    async fn start(peer: &'a Peer, options: &'a Options) -> Result<Self> {
        let dir = Dir::new()?;
        let redis = Redis::start(dir.path(), options).await?;
        ensure!(redis.single().is_some(), "peers are compared on one server");
        Ok(Self {
            peer,
            options,
            redis,
            crew: Crew::default(),
            dir,
        })
    }

    fn address(&self) -> Result<&str> {
        Ok(&self.redis.single().context("no server")?.address)
    }

    async fn workers(&mut self) -> Result<()> {
        for number in 0..self.peer.workers {
            let records = self.dir.path().join(format!("peer-{number}"));
            let command = self.peer.worker(self.address()?, &records)?;
            self.crew.hire(command, records)?;
        }
        self.crew.connected(1).await
    }

    /// Adds `jobs` and answers how long that took, from the first call to the last answer.
    async fn add(&self, role: &str, jobs: usize, when: &str) -> Result<f64> {
        let producers = self.peer.producers;
        let mut running: Vec<(Child, Lines<BufReader<ChildStdout>>)> = Vec::new();
        for number in 0..producers {
            let range = (jobs * number / producers, jobs * (number + 1) / producers);
            let mut command = self.peer.producer(role, self.address()?, range)?;
            command.arg(self.options.batch.to_string());
            command.arg(self.options.body.to_string()).arg(when);
            let mut child = command.spawn()?;
            let lines = output(&mut child)?;
            running.push((child, lines));
        }
        for (_, lines) in &mut running {
            expect(lines, "ready", READY_WITHIN).await?;
        }
        let began = Instant::now();
        for (child, _) in &mut running {
            let input = child.stdin.as_mut().context("no input")?;
            input.write_all(b"go\n").await?;
        }
        for (_, lines) in &mut running {
            expect(lines, "done", DONE_WITHIN).await?;
        }
        let seconds = began.elapsed().as_secs_f64();
        for (mut child, _) in running {
            child.wait().await?;
        }
        Ok(seconds)
    }

    fn costs(&self, line: &mut Line, before: (Usage, f64), after: (Usage, f64), jobs: usize) {
        let us = |from: f64, to: f64| round((to - from) * 1e6 / count(jobs));
        line.put("redis_cpu_us_per_job", us(before.0.cpu, after.0.cpu));
        let commands = before.0.commands_until(&after.0);
        line.put("redis_commands_per_job", round4(commands / count(jobs)));
        line.put("worker_cpu_us_per_job", us(before.1, after.1));
    }

    async fn usage(&self) -> Result<(Usage, f64)> {
        Ok((self.redis.usage().await?, self.crew.cpu_seconds()))
    }
}

async fn expect(
    lines: &mut Lines<BufReader<ChildStdout>>,
    word: &str,
    within: Duration,
) -> Result<()> {
    let line = tokio::time::timeout(within, lines.next_line()).await;
    let line = line.with_context(|| format!("a producer did not say `{word}`"))??;
    ensure!(
        line.as_deref() == Some(word),
        "a producer said {line:?} instead of `{word}`"
    );
    Ok(())
}

/// Bulk submission of delayed jobs.
pub(crate) async fn submit(peer: &Peer, options: &Options) -> Result<Value> {
    let jobs = options.jobs.unwrap_or(100_000);
    let stage = Stage::start(peer, options).await?;
    let before = stage.usage().await?;
    let seconds = stage.add("submit", jobs, &format!("in:{FAR_MS}")).await?;
    let after = stage.usage().await?;
    let mut line = Line::new("submit");
    line.put("jobs_per_s", round(count(jobs) / seconds));
    let bytes = (after.0.memory - before.0.memory) / count(jobs);
    line.put("bytes_per_job", round(bytes));
    stage.costs(&mut line, before, after, jobs);
    stage.redis.leave().await?;
    Ok(line.done())
}

/// Queued no-op jobs.
pub(crate) async fn drain(peer: &Peer, options: &Options) -> Result<Value> {
    let jobs = options.jobs.unwrap_or(100_000);
    let mut stage = Stage::start(peer, options).await?;
    stage.add("submit", jobs, "now").await?;
    tokio::time::sleep(REST).await;
    let before = stage.usage().await?;
    stage.workers().await?;
    let settled = stage.crew.settle(jobs as u64).await?;
    let after = stage.usage().await?;
    let starts = stage.crew.finish().await?;
    let mut line = Line::new("drain");
    let seconds = report::until_s(&starts, settled);
    line.put("jobs_per_s", round(count(jobs) / seconds.max(0.001)));
    stage.costs(&mut line, before, after, jobs);
    line.put_checks(jobs, &starts);
    stage.redis.leave().await?;
    Ok(line.done())
}

/// Jobs all due at one instant.
pub(crate) async fn burst(peer: &Peer, options: &Options) -> Result<Value> {
    let jobs = options.jobs.unwrap_or(100_000);
    let mut stage = Stage::start(peer, options).await?;
    stage.workers().await?;
    let adding = (jobs as u64) * 1000 / peer.adds_per_s;
    let due = burst::instant(stage.redis.now_ms().await?, jobs) + adding;
    stage.add("submit", jobs, &format!("at:{due}")).await?;
    let now = stage.redis.now_ms().await?;
    ensure!(now < due, "adding the jobs took until after the instant");
    sleep_until_ms(now, due).await;
    stage.crew.settle(jobs as u64).await?;
    let starts = stage.crew.finish().await?;
    let spread = Spread::lateness(&starts)?;
    let mut line = Line::new("burst");
    line.put("last_start_s", round(spread.max_ms() / 1000.0));
    line.put_spread(&spread);
    line.put("early", report::early(&starts));
    line.put_checks(jobs, &starts);
    stage.redis.leave().await?;
    Ok(line.done())
}

/// Jobs spread over random milliseconds.
pub(crate) async fn precision(peer: &Peer, options: &Options) -> Result<Value> {
    let (jobs, seconds) = (5_000, options.seconds.unwrap_or(10));
    let mut stage = Stage::start(peer, options).await?;
    stage.workers().await?;
    // The producers' own start-up is inside the lead.
    let adding = (jobs as u64) * 1000 / peer.adds_per_s;
    let first = stage.redis.now_ms().await? + precision::LEAD_MS + adding;
    let when = format!("spread:{first}:{}", seconds * 1000);
    stage.add("submit", jobs, &when).await?;
    sleep_until_ms(stage.redis.now_ms().await?, first).await;
    stage.crew.settle(jobs as u64).await?;
    let starts = stage.crew.finish().await?;
    let mut line = Line::new("precision");
    line.put("hz", options.hz);
    line.put_spread(&Spread::lateness(&starts)?);
    line.put("early", report::early(&starts));
    line.put_checks(jobs, &starts);
    stage.redis.leave().await?;
    Ok(line.done())
}

/// Schedules that fire every second. The run is bounded: what has not started at its end is missed.
pub(crate) async fn recurring(peer: &Peer, options: &Options) -> Result<Value> {
    ensure!(
        peer.name() == PeerName::Bullmq,
        "only BullMQ has schedules of a second in Redis"
    );
    let jobs = options.jobs.unwrap_or(10_000);
    let seconds = options.seconds.unwrap_or(30);
    let mut stage = Stage::start(peer, options).await?;
    stage.workers().await?;
    let registering = stage.add("recur", jobs, "now").await?;
    let now = stage.redis.now_ms().await?;
    // Its schedules fire at whole seconds.
    let from = (now / 1000 + 3) * 1000;
    let to = from + seconds * 1000;
    sleep_until_ms(now, to + 2_000).await;
    let starts = stage.crew.finish().await?;
    let inside: Vec<_> = starts
        .iter()
        .filter(|start| (from..to).contains(&start.due_ms))
        .copied()
        .collect();
    let expected = jobs * usize::try_from(seconds)?;
    let mut line = Line::new("recurring");
    line.put("jobs", jobs);
    let fires = count(inside.len()) / count(usize::try_from(seconds.max(1))?);
    line.put("fires_per_s", round(fires));
    line.put("registering_s", round(registering));
    line.put_spread(&Spread::lateness(&inside)?);
    let missed = expected.saturating_sub(report::distinct(&inside));
    line.put("missed", missed);
    line.put("duplicates", report::duplicates(&inside));
    stage.redis.leave().await?;
    Ok(line.done())
}
