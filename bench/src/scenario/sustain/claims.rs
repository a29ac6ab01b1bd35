//! When each context was claimed, as the settled records in the event streams tell it, and the split of its lateness that follows.
//!
//! Wheel lag: from the due time to the first turn of its partition that claimed anything. Wait: from that turn to its own claim; nothing
//! when there are permits. Dispatch: from the claim to the first start of what was claimed with it for the same worker, that is, the way to
//! the worker. Start: from there to its own start. Redis' clock counts milliseconds, so the first three are true to one.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::redis::Redis;
use crate::report::{self, Start};
use crate::wire::Wire;

/// The streams are read this often, before they are trimmed.
const READ_EVERY: Duration = Duration::from_millis(200);

/// One claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    id: u64,
    partition: String,
    worker: String,
    due_ms: u64,
    claimed_ms: u64,
}

impl Claim {
    /// Reads a settled record: id, state, attempt, worker, claimed and ended, with tabs between them.
    fn read(record: &str) -> Option<Self> {
        let fields: Vec<&str> = record.split('\t').collect();
        let (id, worker) = (*fields.first()?, *fields.get(3)?);
        let mut parts = id.split('.');
        let (partition, due) = (parts.next()?, parts.next()?);
        Some(Self {
            id: report::hash(id),
            partition: partition.to_owned(),
            worker: worker.to_owned(),
            due_ms: due.parse().ok()?,
            claimed_ms: fields.get(4)?.parse().ok()?,
        })
    }
}

/// Reads the event streams while they are written.
#[derive(Debug)]
pub(crate) struct Follower {
    stop: CancellationToken,
    task: JoinHandle<Result<Vec<Claim>>>,
}

struct Stream {
    wire: Wire,
    key: String,
    last: String,
}

impl Follower {
    pub(crate) async fn start(redis: &Redis, partitions: u16) -> Result<Self> {
        let mut streams = Vec::new();
        for partition in 0..partitions {
            let key = format!("{{tw:{partition}}}:events");
            let wire = redis.keeper(&key).await?.wire().await?;
            let last = "0".to_owned();
            streams.push(Stream { wire, key, last });
        }
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let mut claims = Vec::new();
            loop {
                let last = stopped.is_cancelled();
                for stream in &mut streams {
                    stream.read(&mut claims).await?;
                }
                if last {
                    return Ok(claims);
                }
                let pause = tokio::time::sleep(READ_EVERY);
                stopped.run_until_cancelled(pause).await;
            }
        });
        Ok(Self { stop, task })
    }

    /// Reads what is there now, and answers all that was read.
    pub(crate) async fn finish(self) -> Result<Vec<Claim>> {
        self.stop.cancel();
        self.task.await.context("reading the event streams")?
    }
}

impl Stream {
    async fn read(&mut self, claims: &mut Vec<Claim>) -> Result<()> {
        let words = ["XREAD", "STREAMS", &self.key, &self.last];
        let answer = self.wire.call(&words).await?;
        let entries = answer.list().first().and_then(|one| one.list().get(1));
        for entry in entries.map_or(&[][..], |entries| entries.list()) {
            let [id, fields] = entry.list() else { continue };
            self.last = id.text();
            let records = fields.list().get(1).map(|records| records.text());
            let records = records.unwrap_or_default();
            claims.extend(records.lines().filter_map(Claim::read));
        }
        Ok(())
    }
}

/// The parts of the lateness in microseconds, one number for each context.
#[derive(Debug, Default)]
pub(crate) struct Split {
    wheel_lag: Vec<u64>,
    wait: Vec<u64>,
    dispatch: Vec<u64>,
    start: Vec<u64>,
}

impl Split {
    pub(crate) fn of(starts: &[Start], claims: &[Claim]) -> Self {
        let started: HashMap<u64, u64> = starts.iter().map(|s| (s.id, s.at_us)).collect();
        let mut turns: HashMap<&str, Vec<u64>> = HashMap::new();
        let mut batches: HashMap<(&str, &str, u64), u64> = HashMap::new();
        for claim in claims {
            turns
                .entry(&claim.partition)
                .or_default()
                .push(claim.claimed_ms);
            if let Some(at) = started.get(&claim.id) {
                let batch = (&*claim.partition, &*claim.worker, claim.claimed_ms);
                let first = batches.entry(batch).or_insert(*at);
                *first = (*first).min(*at);
            }
        }
        for times in turns.values_mut() {
            times.sort_unstable();
        }
        let mut split = Self::default();
        for claim in claims {
            let batch = (&*claim.partition, &*claim.worker, claim.claimed_ms);
            let times = turns.get(&*claim.partition);
            let turn = times.and_then(|times| {
                let at = times.partition_point(|turn| *turn < claim.due_ms);
                times.get(at)
            });
            let (Some(at), Some(first), Some(turn)) =
                (started.get(&claim.id), batches.get(&batch), turn)
            else {
                continue;
            };
            split.wheel_lag.push((turn - claim.due_ms) * 1000);
            split
                .wait
                .push(claim.claimed_ms.saturating_sub(*turn) * 1000);
            split
                .dispatch
                .push(first.saturating_sub(claim.claimed_ms * 1000));
            split.start.push(at - first);
        }
        split
    }

    /// The parts by their names.
    pub(crate) fn parts(&self) -> [(&'static str, &[u64]); 4] {
        [
            ("wheel_lag", &self.wheel_lag),
            ("wait", &self.wait),
            ("dispatch", &self.dispatch),
            ("start", &self.start),
        ]
    }

    /// Contexts whose records were read before their stream was trimmed.
    pub(crate) fn contexts(&self) -> usize {
        self.start.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(id: &str, claimed_ms: u64) -> Claim {
        let record =
            format!("{id}\tsucceeded\t1\tw-1\t{claimed_ms}\t{claimed_ms}\t\tdefault\twork\t0");
        Claim::read(&record).unwrap()
    }

    fn start(id: &str, at_us: u64, due_ms: u64) -> Start {
        let key = report::hash(id);
        let id = key;
        Start {
            key,
            at_us,
            due_ms,
            id,
        }
    }

    #[test]
    fn the_parts_add_up_to_the_lateness() {
        let claims = [claim("3.1000.a", 1002), claim("3.1001.b", 1010)];
        let starts = [
            start("3.1000.a", 1_002_500, 1000),
            start("3.1001.b", 1_011_000, 1001),
        ];
        let split = Split::of(&starts, &claims);
        assert_eq!(split.wheel_lag, [2000, 1000]);
        assert_eq!(split.wait, [0, 8000]);
        assert_eq!(split.dispatch, [500, 1000]);
        assert_eq!(split.start, [0, 0]);
    }
}
