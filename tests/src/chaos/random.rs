//! A schedule of faults that follows from a seed: some tracker or worker dies every two seconds, Redis restarts every minute, and, unless
//! only kills are wanted, the network and the scheduler of the machine misbehave in between.

use std::fmt;
use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep_until};

use super::case::Case;
use super::seed::Seed;
use super::stage::{Plan, Stage};
use crate::harness::Launch;
use crate::harness::proxy::Mode;
use crate::harness::rig::WorkerProcess;

const KILL_EVERY_MS: u64 = 2_000;
const REDIS_EVERY_MS: u64 = 60_000;
const DISTURB_EVERY_MS: u64 = 5_000;
/// The first fault; and after the last fault, so much is left to recover.
const MARGIN_MS: u64 = 1_000;
const TRACKERS: usize = 3;
const WORKERS: usize = 4;

/// What is done to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// `kill -9` of a tracker, and a new one in its place after so many ms.
    KillTracker(usize, u64),
    /// `kill -9` of a worker, and a new one in its place after so many ms.
    KillWorker(usize, u64),
    /// `kill -9` of Redis, and the same data again after so many ms.
    RestartRedis(u64),
    /// A tracker stands still for so many ms.
    FreezeTracker(usize, u64),
    /// A worker stands still for so many ms.
    FreezeWorker(usize, u64),
    /// A worker is cut off from every tracker for so many ms.
    CutWorker(usize, u64),
    /// A tracker is cut off from Redis for so many ms.
    CutTracker(usize, u64),
    /// All streams of a tracker break.
    ResetStreams(usize),
    /// Everything between a tracker and its workers takes 200 ms longer, for so many ms.
    SlowTracker(usize, u64),
}

/// A fault at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// After the beginning.
    pub at_ms: u64,
    /// The fault.
    pub act: Act,
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>7} ms  {:?}", self.at_ms, self.act)
    }
}

/// The faults of `seconds` seconds, in their order: a function of the seed.
#[must_use]
pub fn schedule(seconds: u64, kills_only: bool, seed: &mut Seed) -> Vec<Planned> {
    let end_ms = (seconds * 1_000).saturating_sub(MARGIN_MS);
    let mut faults = Vec::new();
    let mut at_ms = MARGIN_MS;
    while at_ms < end_ms {
        let pause = seed.between(300, 1_500);
        let act = if seed.between(0, 2) == 0 {
            Act::KillTracker(seed.index(TRACKERS), pause)
        } else {
            Act::KillWorker(seed.index(WORKERS), pause)
        };
        faults.push(Planned { at_ms, act });
        at_ms += KILL_EVERY_MS;
    }
    let mut at_ms = REDIS_EVERY_MS / 2;
    while at_ms < end_ms {
        let act = Act::RestartRedis(seed.between(200, 2_000));
        faults.push(Planned { at_ms, act });
        at_ms += REDIS_EVERY_MS;
    }
    let mut at_ms = 2 * MARGIN_MS + 500;
    while at_ms < end_ms && !kills_only {
        let act = disturbance(seed);
        faults.push(Planned { at_ms, act });
        at_ms += DISTURB_EVERY_MS;
    }
    faults.sort_by_key(|fault| fault.at_ms);
    faults
}

fn disturbance(seed: &mut Seed) -> Act {
    let (tracker, worker) = (seed.index(TRACKERS), seed.index(WORKERS));
    let ms = seed.between(500, 6_000);
    match seed.between(0, 6) {
        0 => Act::FreezeTracker(tracker, ms),
        1 => Act::FreezeWorker(worker, ms),
        2 => Act::CutWorker(worker, ms),
        3 => Act::CutTracker(tracker, ms),
        4 => Act::ResetStreams(tracker),
        _ => Act::SlowTracker(tracker, ms),
    }
}

/// What undoes a fault, and when.
#[derive(Debug, Clone, Copy)]
struct Undo {
    at: Instant,
    act: Act,
}

/// Runs a schedule, and judges at its end.
///
/// # Errors
/// When the cluster does not start, or does not answer any more.
pub async fn run(case: &mut Case, seconds: u64, faults: &[Planned]) -> Result<()> {
    let plan = Plan {
        trackers: TRACKERS,
        workers: WORKERS,
        launch: Launch {
            durable: true,
            ..Launch::default()
        },
        ..Plan::default()
    };
    let mut stage = case.stage(plan).await?;
    let began = Instant::now();
    let mut undos: Vec<Undo> = Vec::new();
    for fault in faults {
        let at = began + Duration::from_millis(fault.at_ms);
        undo_until(case, &mut stage, &mut undos, Some(at)).await;
        sleep_until(at).await;
        if under_way(&undos, fault.act) {
            continue;
        }
        case.mark();
        if let Some(ms) = begin(&mut stage, fault.act).await? {
            let at = Instant::now() + Duration::from_millis(ms);
            undos.push(Undo { at, act: fault.act });
        }
    }
    undo_until(case, &mut stage, &mut undos, None).await;
    sleep_until(began + Duration::from_secs(seconds)).await;
    case.note("faults", faults.len());
    case.judge(&mut stage).await?;
    Ok(())
}

/// The same tracker or worker is not hit again before it is itself again.
fn under_way(undos: &[Undo], act: Act) -> bool {
    undos.iter().any(|undo| whom(undo.act) == whom(act))
}

fn whom(act: Act) -> (u8, usize) {
    match act {
        Act::KillTracker(at, _)
        | Act::FreezeTracker(at, _)
        | Act::CutTracker(at, _)
        | Act::ResetStreams(at)
        | Act::SlowTracker(at, _) => (0, at),
        Act::KillWorker(at, _) | Act::FreezeWorker(at, _) | Act::CutWorker(at, _) => (1, at),
        Act::RestartRedis(_) => (2, 0),
    }
}

/// Undoes what is due before `until`, or everything, in the order of its time.
async fn undo_until(
    case: &mut Case,
    stage: &mut Stage,
    undos: &mut Vec<Undo>,
    until: Option<Instant>,
) {
    undos.sort_by_key(|undo| undo.at);
    while let Some(undo) = undos.first().copied() {
        if until.is_some_and(|until| undo.at > until) {
            return;
        }
        sleep_until(undo.at).await;
        if let Err(error) = end(stage, undo.act).await {
            // A tracker does not start while Redis is away: it is tried again, as a supervisor would.
            let patient = case.figures().failures.is_empty() && undos.len() < 100;
            if patient {
                let at = Instant::now() + Duration::from_millis(500);
                undos.push(Undo { at, act: undo.act });
            } else {
                case.fail(format!("{:?} was not undone: {error:#}", undo.act));
            }
        }
        undos.remove(0);
        undos.sort_by_key(|undo| undo.at);
    }
}

/// Does it; the answer is after how many ms it is to be undone.
async fn begin(stage: &mut Stage, act: Act) -> Result<Option<u64>> {
    match act {
        Act::KillTracker(at, ms) => {
            stage.node(at)?.tracker.process.kill().await?;
            Ok(Some(ms))
        }
        Act::KillWorker(at, ms) => {
            stage.worker(at)?.kill().await?;
            Ok(Some(ms))
        }
        Act::RestartRedis(ms) => {
            stage.rig.redis.kill().await?;
            Ok(Some(ms))
        }
        Act::FreezeTracker(at, ms) => {
            stage.node(at)?.tracker.process.signal("STOP").await?;
            Ok(Some(ms))
        }
        Act::FreezeWorker(at, ms) => {
            freeze(stage.worker(at)?).await?;
            Ok(Some(ms))
        }
        Act::CutWorker(at, ms) => {
            stage.cut_worker(at, Some(Mode::Stall))?;
            Ok(Some(ms))
        }
        Act::CutTracker(at, ms) => {
            stage.node(at)?.back.set(Mode::Stall);
            Ok(Some(ms))
        }
        Act::ResetStreams(at) => {
            stage.node(at)?.front.set(Mode::Reset);
            Ok(Some(50))
        }
        Act::SlowTracker(at, ms) => {
            let slow = Mode::Delay(Duration::from_millis(200));
            stage.node(at)?.front.set(slow);
            Ok(Some(ms))
        }
    }
}

/// Its handlers go on when it thaws, so nothing is noted as ended.
async fn freeze(worker: &WorkerProcess) -> Result<()> {
    worker.process.signal("STOP").await
}

async fn end(stage: &mut Stage, act: Act) -> Result<()> {
    match act {
        Act::KillTracker(at, _) => stage.restart_tracker(at).await,
        Act::KillWorker(at, _) => stage.replace_worker(at).await,
        Act::RestartRedis(_) => stage.rig.redis.restart().await,
        Act::FreezeTracker(at, _) => stage.node(at)?.tracker.process.signal("CONT").await,
        Act::FreezeWorker(at, _) => stage.worker(at)?.process.signal("CONT").await,
        Act::CutWorker(at, _) => stage.cut_worker(at, None),
        Act::CutTracker(at, _) => {
            stage.node(at)?.back.set(Mode::Pass);
            Ok(())
        }
        Act::ResetStreams(at) | Act::SlowTracker(at, _) => {
            stage.node(at)?.front.set(Mode::Pass);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_is_a_function_of_the_seed() {
        let of = |seed, kills| schedule(130, kills, &mut Seed::new(seed));
        assert_eq!(of(7, false), of(7, false));
        assert_ne!(of(7, false), of(8, false));
        let kills = of(7, true);
        let restarts = kills
            .iter()
            .filter(|fault| matches!(fault.act, Act::RestartRedis(_)))
            .count();
        assert_eq!((kills.len(), restarts), (66, 2));
        assert!(kills.is_sorted_by_key(|fault| fault.at_ms));
    }
}
