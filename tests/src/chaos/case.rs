//! One fault under way: what it notes, what it expects, and the judgement at its end.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tickwheel_core::invariant::Invariant;
use tokio::time::Instant;

use super::loss::Loss;
use super::quiet;
use super::seed::Seed;
use super::stage::{Plan, Stage};
use super::verdict::{self, Evidence, Figures};
use crate::harness::{Bins, Snapshot, until, wall_ms};
use crate::invariants;

/// After a fault, everything that is due has ended within this.
const DRAIN_LIMIT: Duration = Duration::from_secs(60);
/// Failures that are told.
const FAILURES_MAX: usize = 20;

/// A fault under way.
#[derive(Debug)]
pub struct Case {
    /// Where the processes' program is.
    pub bins: Bins,
    /// Everything random comes from here.
    pub seed: Seed,
    /// Invariants that the fault breaks by its nature; the reason stands with the fault.
    pub tolerated: Vec<Invariant>,
    /// What the fault takes by its nature.
    pub loss: Loss,
    figures: Figures,
    marks: Vec<u64>,
    recoveries: Vec<u64>,
    began: Instant,
    keep: bool,
    dir: Option<PathBuf>,
}

impl Case {
    /// Begins `fault` with `seed`. With `keep` the files of its cluster stay, also when all is well.
    #[must_use]
    pub fn new(fault: &str, bins: Bins, seed: u64, keep: bool) -> Self {
        let figures = Figures {
            fault: fault.to_owned(),
            seed,
            ..Figures::default()
        };
        Self {
            bins,
            seed: Seed::new(seed),
            tolerated: Vec::new(),
            loss: Loss::default(),
            figures,
            marks: Vec::new(),
            recoveries: Vec::new(),
            began: Instant::now(),
            keep,
            dir: None,
        }
    }

    /// Starts the cluster.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn stage(&mut self, plan: Plan) -> Result<Stage> {
        let mut stage = Stage::start(self.bins, plan, self.seed.number()).await?;
        stage.rig.keep_dir();
        self.dir = Some(stage.rig.dir().to_owned());
        Ok(stage)
    }

    /// The fault begins now. Returns the instant.
    pub fn mark(&mut self) -> u64 {
        let now = wall_ms();
        self.marks.push(now);
        now
    }

    /// Something recovered after so many milliseconds.
    pub fn recovered(&mut self, ms: u64) {
        self.recoveries.push(ms);
    }

    /// Keeps a figure of this fault.
    pub fn note(&mut self, name: &str, value: impl Into<Value>) {
        self.figures.notes.insert(name.to_owned(), value.into());
    }

    /// A failure unless it `holds`.
    pub fn expect(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.fail(what());
        }
    }

    /// A failure.
    pub fn fail(&mut self, what: String) {
        if self.figures.failures.len() < FAILURES_MAX {
            self.figures.failures.push(what);
        }
    }

    /// Ends the load and the jobs, waits until everything has ended, and checks what holds after every fault: nothing lost, no attempt
    /// twice, nothing stale accepted, all ledgers complete, all invariants. Then the cluster falls silent and has to serve late customers as if
    /// nothing had been ([`quiet`]).
    ///
    /// # Errors
    /// When the cluster does not answer any more.
    pub async fn judge(&mut self, stage: &mut Stage) -> Result<Snapshot> {
        let accounts = stage.load.finish().await;
        pause_jobs(stage).await?;
        let drained = until("everything accepted has ended", DRAIN_LIMIT, async || {
            let snapshot = stage.rig.drained(DRAIN_LIMIT).await?;
            let live = verdict::live(&snapshot);
            let mut accepted = accounts.accepted.iter();
            let left =
                accepted.find(|(id, _)| live.contains(id) && !self.loss.contexts.contains(id));
            ensure!(left.is_none(), "{left:?} has not");
            Ok(snapshot)
        })
        .await;
        let snapshot = match drained {
            Ok(snapshot) => snapshot,
            Err(left) => {
                self.fail(format!("{left:#}"));
                stage.rig.snapshot().await?
            }
        };
        let runs = self.loss.known(stage.rig.book.read()?);
        self.is_gone(&snapshot);
        self.figures.take(&Evidence {
            accounts: &accounts,
            snapshot: &snapshot,
            runs: &runs,
            marks: &self.marks,
            recoveries: &self.recoveries,
            loss: &self.loss,
        });
        let mut broken = invariants::all(&snapshot, &runs);
        broken.retain(|one| !self.tolerated.contains(&one.invariant));
        self.figures.invariants_broken = u64::try_from(broken.len())?;
        for one in &broken {
            self.fail(one.to_string());
        }
        if let Some(jobs) = &stage.jobs {
            let stories = jobs.stories(&stage.rig, &snapshot)?;
            for problem in crate::ledger::check_all(&stories) {
                self.fail(problem);
            }
        }
        let Figures {
            lost,
            same_fence_twice,
            stale_accepted,
            unknown,
            ..
        } = self.figures;
        self.expect(lost == 0, || format!("{lost} contexts are lost"));
        self.expect(same_fence_twice == 0, || {
            format!("{same_fence_twice} attempts were started twice")
        });
        self.expect(stale_accepted == 0, || {
            format!("{stale_accepted} stale outcomes were accepted")
        });
        self.expect(unknown == 0, || {
            format!("{unknown} submissions were never answered")
        });
        Box::pin(quiet::hold(self, stage)).await?;
        Ok(snapshot)
    }

    /// What is gone by the nature of the fault does not come back.
    fn is_gone(&mut self, snapshot: &Snapshot) {
        let mut there = verdict::live(snapshot);
        there.append(&mut verdict::ended(snapshot));
        let back: Vec<String> = there.intersection(&self.loss.contexts).cloned().collect();
        self.expect(back.is_empty(), || {
            format!(
                "{} contexts that were gone are there again, say {:?}",
                back.len(),
                back.first()
            )
        });
    }

    /// The figures so far, for expectations that depend on them.
    #[must_use]
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// Ends the case. The folder of its cluster is removed when all is well.
    #[must_use]
    pub fn end(mut self, ended: Result<()>) -> (Figures, Option<PathBuf>) {
        if let Err(error) = ended {
            self.fail(format!("{error:#}"));
        }
        self.figures.held = self.figures.failures.is_empty();
        self.figures.seconds = (self.began.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        let removed = self.dir.take_if(|_| self.figures.held && !self.keep);
        if let Some(dir) = removed {
            std::fs::remove_dir_all(dir).ok();
        }
        (self.figures, self.dir)
    }
}

/// Through whichever tracker answers.
async fn pause_jobs(stage: &Stage) -> Result<()> {
    let names: Vec<String> = stage
        .jobs
        .iter()
        .flat_map(|jobs| jobs.specs().map(|spec| spec.name.to_string()))
        .collect();
    for name in names {
        let mut at = 0;
        until("the jobs pause", Duration::from_secs(30), async || {
            at = (at + 1) % stage.nodes.len().max(1);
            stage
                .client(at)?
                .pause(&name)
                .await
                .map(drop)
                .context("pause")
        })
        .await?;
    }
    Ok(())
}
