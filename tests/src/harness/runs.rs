//! The run book: what handlers really did, written by the workers to a file outside Redis.
//!
//! One line of JSON for each start and each end, appended in one write, so lines of several processes do not mix and a killed worker
//! leaves what it wrote. The test adds a line when it kills or freezes a worker: whatever ran there ran no longer.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::clock::{wall_ms, wall_us};

/// One execution of a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The context.
    pub context: String,
    /// Its attempt.
    pub attempt: u32,
    /// The worker by the name the test gave it.
    pub worker: String,
    /// The handler.
    pub handler: String,
    /// When the context was due.
    pub due_ms: u64,
    /// When the handler started.
    pub start_ms: u64,
    /// And how many microseconds after that.
    pub start_us: u64,
    /// When it ended, or was ended with its worker.
    pub end_ms: Option<u64>,
    /// `ok`, `error`, `panic`, `dropped`, or `killed`; empty while it runs.
    pub outcome: String,
}

impl Run {
    /// The job in the context's id; empty for a context submitted alone.
    #[must_use]
    pub fn job(&self) -> &str {
        self.context.split_once('@').map_or("", |(_, job)| job)
    }

    /// Milliseconds from the due time to the start.
    #[must_use]
    pub fn lateness_ms(&self) -> u64 {
        self.start_ms.saturating_sub(self.due_ms)
    }

    /// Microseconds from the due time to the start.
    #[must_use]
    pub fn lateness_us(&self) -> u64 {
        self.lateness_ms() * 1_000 + self.start_us
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
enum Line {
    Start {
        context: String,
        attempt: u32,
        worker: String,
        handler: String,
        due_ms: u64,
        ms: u64,
        us: u64,
    },
    End {
        context: String,
        attempt: u32,
        worker: String,
        outcome: String,
        ms: u64,
    },
    Told {
        context: String,
        attempt: u32,
        worker: String,
        reason: String,
        ms: u64,
    },
    Gone {
        worker: String,
        ms: u64,
    },
}

/// A handler was told to stop, and saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The context.
    pub context: String,
    /// Its attempt.
    pub attempt: u32,
    /// The worker by the name the test gave it.
    pub worker: String,
    /// Why: `Fenced`, `Requested`, …
    pub reason: String,
    /// When the handler saw it.
    pub ms: u64,
}

/// The file with all runs of a rig. Cheap to clone; every clone appends.
#[derive(Debug, Clone)]
pub struct RunBook {
    path: PathBuf,
    file: Arc<Mutex<File>>,
}

/// How each line begins.
const HEAD: &str = "{\"at\":";

/// A process that was killed while it wrote leaves a line that is cut off, and the next one stands behind it: what never came to be is not
/// told of.
fn whole(line: &str) -> &str {
    let begins = line.rfind(HEAD).unwrap_or_default();
    line.get(begins..).unwrap_or(line)
}

impl RunBook {
    /// Opens the file, and creates it when there is none.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self {
            path: path.to_owned(),
            file: Arc::new(Mutex::new(file)),
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn append(&self, line: &Line) {
        let mut text = serde_json::to_string(line).unwrap_or_default();
        text.push('\n');
        let mut file = self.file.lock();
        // A handler cannot report this; the checks then miss the run and say so.
        file.write_all(text.as_bytes()).ok();
    }

    /// Notes a start; the end is noted when the guard is dropped.
    #[must_use]
    pub fn start(&self, worker: &str, handler: &str, ctx: &tickwheel_worker::Context) -> Running {
        let (context, attempt) = (ctx.context_id().to_owned(), ctx.attempt());
        let now_us = wall_us();
        let line = Line::Start {
            context: context.clone(),
            attempt,
            worker: worker.to_owned(),
            handler: handler.to_owned(),
            due_ms: ctx.due_ms(),
            ms: now_us / 1_000,
            us: now_us % 1_000,
        };
        self.append(&line);
        Running {
            book: self.clone(),
            context,
            attempt,
            worker: worker.to_owned(),
            outcome: "",
        }
    }

    /// Notes that what ran on `worker` runs no longer.
    pub fn worker_gone(&self, worker: &str) {
        self.append(&Line::Gone {
            worker: worker.to_owned(),
            ms: wall_ms(),
        });
    }

    /// All runs so far, in the order of their starts.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else.
    pub fn read(&self) -> Result<Vec<Run>> {
        let text = std::fs::read_to_string(&self.path)?;
        let mut runs: Vec<Run> = Vec::new();
        let mut open: BTreeMap<(String, u32, String), usize> = BTreeMap::new();
        // A line that is being written has no end yet.
        for line in text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
        {
            let line = whole(line);
            match serde_json::from_str(line).with_context(|| format!("run book line {line:?}"))? {
                Line::Start {
                    context,
                    attempt,
                    worker,
                    handler,
                    due_ms,
                    ms,
                    us,
                } => {
                    open.insert((context.clone(), attempt, worker.clone()), runs.len());
                    let (end_ms, outcome) = (None, String::new());
                    runs.push(Run {
                        context,
                        attempt,
                        worker,
                        handler,
                        due_ms,
                        start_ms: ms,
                        start_us: us,
                        end_ms,
                        outcome,
                    });
                }
                Line::End {
                    context,
                    attempt,
                    worker,
                    outcome,
                    ms,
                } => {
                    let run = open
                        .remove(&(context, attempt, worker))
                        .and_then(|at| runs.get_mut(at));
                    // One that thawed ended long before, as far as the cluster is concerned.
                    if let Some(run) = run.filter(|run| run.end_ms.is_none()) {
                        (run.end_ms, run.outcome) = (Some(ms), outcome);
                    }
                }
                Line::Told { .. } => {}
                Line::Gone { worker, ms } => {
                    for run in runs
                        .iter_mut()
                        .filter(|run| run.worker == worker && run.end_ms.is_none())
                    {
                        (run.end_ms, run.outcome) = (Some(ms), "killed".to_owned());
                    }
                }
            }
        }
        Ok(runs)
    }

    /// What handlers were told, and saw, in its order.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else.
    pub fn told(&self) -> Result<Vec<Told>> {
        let text = std::fs::read_to_string(&self.path)?;
        let mut told = Vec::new();
        for line in text.lines().filter(|line| line.contains("\"told\"")) {
            if let Line::Told {
                context,
                attempt,
                worker,
                reason,
                ms,
            } = serde_json::from_str(line)?
            {
                told.push(Told {
                    context,
                    attempt,
                    worker,
                    reason,
                    ms,
                });
            }
        }
        Ok(told)
    }

    /// The runs of one context.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn of(&self, context: &str) -> Result<Vec<Run>> {
        Ok(self
            .read()?
            .into_iter()
            .filter(|run| run.context == context)
            .collect())
    }
}

/// A handler that runs; notes its end when dropped.
#[derive(Debug)]
pub struct Running {
    book: RunBook,
    context: String,
    attempt: u32,
    worker: String,
    outcome: &'static str,
}

impl Running {
    /// The handler saw that it shall stop.
    pub fn told(&self, reason: &str) {
        self.book.append(&Line::Told {
            context: self.context.clone(),
            attempt: self.attempt,
            worker: self.worker.clone(),
            reason: reason.to_owned(),
            ms: wall_ms(),
        });
    }

    /// The handler came to its end by itself.
    pub fn end(mut self, outcome: &'static str) {
        self.outcome = outcome;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let outcome = match self.outcome {
            "" if std::thread::panicking() => "panic",
            "" => "dropped",
            word => word,
        };
        self.book.append(&Line::End {
            context: std::mem::take(&mut self.context),
            attempt: self.attempt,
            worker: std::mem::take(&mut self.worker),
            outcome: outcome.to_owned(),
            ms: wall_ms(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_cut_off_takes_no_line_behind_it_along() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("runs.jsonl");
        let start = |n: u32| {
            format!(
                r#"{{"at":"start","context":"0.5.a-{n}","attempt":1,"worker":"w","handler":"h","due_ms":5,"ms":6,"us":7}}"#
            )
        };
        let cut = start(1);
        std::fs::write(&path, format!("{}{}\n", &cut[..40], start(2))).unwrap();
        let runs = RunBook::open(&path).unwrap().read().unwrap();
        assert_eq!(runs.len(), 1);
        assert_eq!(runs[0].context, "0.5.a-2");
    }
}
