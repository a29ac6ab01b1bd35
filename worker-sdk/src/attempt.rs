//! One attempt as the worker holds it: who it is, until when it may run, and whether it should stop.
//!
//! Shared by the handler's [`Context`](crate::Context), the task that runs it, and the protocol.

mod cancel;
mod log_budget;
mod run;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use tickwheel_proto::v1::{Assignment, AttemptRef, LogLevel as WireLevel, Subtask, Upstream};
use tokio::time::Instant;

use crate::bounds::{LOG_LINE_BYTES_MAX, clip};
use crate::fan::{Fan, Reply, Request};
use crate::resources::Amounts;

pub(crate) use cancel::Cancel;
pub use cancel::CancelReason;
pub(crate) use log_budget::LogBudget;
pub(crate) use run::{Ended, panic_text, run};

/// The context and its attempt number: what a message is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct AttemptKey {
    pub(crate) context: Arc<str>,
    pub(crate) attempt: u32,
}

impl AttemptKey {
    pub(crate) fn new(context: &str, attempt: u32) -> Self {
        Self {
            context: Arc::from(context),
            attempt,
        }
    }

    pub(crate) fn to_ref(&self) -> AttemptRef {
        AttemptRef {
            context_id: String::from(&*self.context),
            attempt: self.attempt,
        }
    }
}

impl fmt::Display for AttemptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.context, self.attempt)
    }
}

/// How much a line of a log matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogLevel {
    /// For who looks for a fault step by step.
    Trace,
    /// For who looks for a fault.
    Debug,
    /// What a person wants to know.
    #[default]
    Info,
    /// It went on, and a person should look.
    Warn,
    /// It did not go on.
    Error,
}

impl LogLevel {
    pub(crate) fn to_wire(self) -> WireLevel {
        match self {
            Self::Trace => WireLevel::Trace,
            Self::Debug => WireLevel::Debug,
            Self::Info => WireLevel::Info,
            Self::Warn => WireLevel::Warn,
            Self::Error => WireLevel::Error,
        }
    }
}

/// A line of a log.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) level: LogLevel,
    pub(crate) at: Instant,
    pub(crate) line: String,
}

/// Where log lines, progress and questions of an attempt go.
pub(crate) trait Sink: Send + Sync {
    /// `false`: the line was dropped.
    fn log(&self, attempt: &Attempt, said: Said) -> bool;
    fn progress(&self, attempt: &Attempt, percent: u32, message: String);
    fn ask(&self, attempt: &Attempt, request: Request) -> Reply;
}

pub(crate) struct Attempt {
    pub(crate) key: AttemptKey,
    pub(crate) handler: Arc<str>,
    pub(crate) job: String,
    pub(crate) due_ms: u64,
    pub(crate) failures: u32,
    pub(crate) max_attempts: u32,
    pub(crate) subtask: Option<Subtask>,
    pub(crate) upstream: Option<Upstream>,
    /// What it takes of the worker's resources.
    pub(crate) requires: Amounts,
    pub(crate) timeout: Option<Duration>,
    pub(crate) grace: Duration,
    pub(crate) arrived: Instant,
    pub(crate) cancel: Cancel,
    /// Microseconds after `arrived`.
    lease_until_us: AtomicU64,
    log_budget: Mutex<LogBudget>,
    /// The class of the error that its handler ended with.
    error_type: OnceLock<&'static str>,
    /// Made when it is used: few attempts fan out.
    fan: OnceLock<Box<Fan>>,
    sink: Arc<dyn Sink>,
}

impl Attempt {
    pub(crate) fn new(
        key: AttemptKey,
        assignment: Assignment,
        handler: Arc<str>,
        sink: Arc<dyn Sink>,
        arrived: Instant,
    ) -> Self {
        let lease_us = assignment.lease_ms.saturating_mul(1_000);
        Self {
            key,
            handler,
            job: assignment.job,
            due_ms: assignment.due_ms,
            failures: assignment.failures,
            max_attempts: assignment.max_attempts,
            subtask: assignment.subtask,
            upstream: assignment.upstream,
            requires: assignment.requires.into_iter().collect(),
            timeout: (assignment.timeout_ms > 0)
                .then(|| Duration::from_millis(assignment.timeout_ms)),
            grace: Duration::from_millis(assignment.cancel_grace_ms),
            arrived,
            cancel: Cancel::default(),
            lease_until_us: AtomicU64::new(lease_us),
            log_budget: Mutex::new(LogBudget::new(arrived)),
            error_type: OnceLock::new(),
            fan: OnceLock::new(),
            sink,
        }
    }

    /// The instant after which nobody may assume that this attempt still has its lease.
    pub(crate) fn lease_until(&self) -> Instant {
        later(
            self.arrived,
            Duration::from_micros(self.lease_until_us.load(Ordering::Acquire)),
        )
    }

    pub(crate) fn set_lease_until(&self, until: Instant) {
        let us = until.saturating_duration_since(self.arrived).as_micros();
        self.lease_until_us
            .store(u64::try_from(us).unwrap_or(u64::MAX), Ordering::Release);
    }

    pub(crate) fn times_out_at(&self) -> Option<Instant> {
        self.timeout.map(|timeout| later(self.arrived, timeout))
    }

    /// Sends a line if the attempt's budget allows it; what it does not is counted.
    pub(crate) fn log_line(&self, level: LogLevel, line: &str) {
        let at = Instant::now();
        let line = clip(line, LOG_LINE_BYTES_MAX).to_owned();
        if !self.log_budget.lock().admit(&line, at) {
            return;
        }
        if !self.sink.log(self, Said { level, at, line }) {
            self.log_budget.lock().refused();
        }
    }

    /// A last line about lines that were dropped, if there are any.
    pub(crate) fn dropped_lines(&self) -> Option<String> {
        self.log_budget.lock().farewell()
    }

    /// Its handler ended with an error of this class.
    pub(crate) fn set_error_type(&self, name: &'static str) {
        self.error_type.get_or_init(|| name);
    }

    /// Empty: it ended without an error, or with one whose class is not known.
    pub(crate) fn error_type(&self) -> &'static str {
        self.error_type.get().copied().unwrap_or_default()
    }

    pub(crate) fn fan(&self) -> &Fan {
        self.fan.get_or_init(Box::default)
    }

    /// Asks a tracker.
    pub(crate) fn ask(&self, request: Request) -> Reply {
        self.sink.ask(self, request)
    }

    pub(crate) fn progress(&self, percent: u32, message: String) {
        self.sink.progress(self, percent, message);
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("key", &self.key)
            .field("handler", &self.handler)
            .finish_non_exhaustive()
    }
}

/// `start + wait`, where a wait beyond all bounds means far in the future.
pub(crate) fn later(start: Instant, wait: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);
    start + wait.min(FAR)
}
