//! One fault under way: what it notes, what it expects, and the judgement at its end.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::Value;
use tickwheel_core::invariant::Invariant;
use tokio::time::Instant;

use super::loss::Loss;
use super::seed::Seed;
use super::stage::{Plan, Stage};
use super::verdict::Figures;
use crate::harness::{Bins, wall_ms};

/// Failures that are told.
const FAILURES_MAX: usize = 20;

/// A fault under way.
#[derive(Debug)]
pub struct Case {
    /// Where the processes' program is.
    pub bins: Bins,
    /// The cluster speaks TLS, and everybody shows a certificate and a token.
    pub secure: bool,
    /// Everything random comes from here.
    pub seed: Seed,
    /// Invariants that the fault breaks by its nature; the reason stands with the fault.
    pub tolerated: Vec<Invariant>,
    /// What the fault takes by its nature.
    pub loss: Loss,
    pub(super) figures: Figures,
    pub(super) marks: Vec<u64>,
    pub(super) recoveries: Vec<u64>,
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
            secure: false,
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
        let mut stage = Stage::start((self.bins, self.secure), plan, self.seed.number()).await?;
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
