//! What a handler sees of its attempt.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::attempt::{Attempt, CancelReason, LogLevel};
use crate::bounds::{LOG_LINE_BYTES_MAX, clip};
use crate::error::HandlerResult;
use crate::fan::{Shard, Subtask, root_id};
use crate::state::State;
use crate::upstream::Upstream;

/// The attempt a handler runs: identity, lease, cancellation, and ways to tell how it goes. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    attempt: Arc<Attempt>,
    state: Arc<State>,
}

impl Context {
    pub(crate) fn new(attempt: Arc<Attempt>, state: Arc<State>) -> Self {
        Self { attempt, state }
    }

    pub(crate) fn inner(&self) -> &Attempt {
        &self.attempt
    }

    /// The identity of the context: the same in every attempt.
    #[must_use]
    pub fn context_id(&self) -> &str {
        &self.attempt.key.context
    }

    /// What to hand to other systems so that they do a repeated attempt's work only once. It is the identity of the
    /// firing: two attempts of one firing have the same, two firings never.
    #[must_use]
    pub fn idempotency_key(&self) -> &str {
        self.context_id()
    }

    /// The identity of the context that was split, for one of its subtasks; for every other context its own.
    #[must_use]
    pub fn root_id(&self) -> String {
        root_id(self.context_id())
    }

    /// Which part this is of a context that was split into subtasks; `None` for one that was not.
    #[must_use]
    pub fn subtask(&self) -> Option<Subtask> {
        self.attempt.subtask.as_ref().map(Subtask::of_wire)
    }

    /// Which part this is of a broadcast, a sharding or an indexed job; `None` for every other context.
    ///
    /// ```
    /// use tickwheel_worker::{Context, HandlerResult};
    ///
    /// async fn settle(ctx: Context, (): ()) -> HandlerResult<()> {
    ///     let Some(shard) = ctx.shard() else {
    ///         return Err("this job needs `model: sharding`".into());
    ///     };
    ///     ctx.log(format!("{} is shard {} of {}", shard.parameter, shard.index, shard.total));
    ///     Ok(())
    /// }
    /// # drop(settle);
    /// ```
    #[must_use]
    pub fn shard(&self) -> Option<Shard> {
        self.attempt.subtask.as_ref().and_then(Shard::of_wire)
    }

    /// The end that fired this context, for a job whose trigger is `after`; `None` for every other context.
    ///
    /// ```
    /// use tickwheel_worker::{Context, HandlerResult};
    ///
    /// async fn alarm(ctx: Context, (): ()) -> HandlerResult<()> {
    ///     if let Some(upstream) = ctx.upstream() {
    ///         ctx.log(format!("{} {}: {}", upstream.job(), upstream.state(), upstream.error()));
    ///     }
    ///     Ok(())
    /// }
    /// # drop(alarm);
    /// ```
    #[must_use]
    pub fn upstream(&self) -> Option<Upstream<'_>> {
        self.attempt.upstream.as_ref().map(Upstream::of_wire)
    }

    /// What the worker was given by [`WorkerBuilder::state`](crate::WorkerBuilder::state).
    ///
    /// # Errors
    /// A failure, which is retried, when it was given nothing of this type.
    pub fn state<T: Send + Sync + 'static>(&self) -> HandlerResult<&T> {
        self.state.get()
    }

    /// The namespace of the job, or the one that the context was submitted into.
    #[must_use]
    pub fn namespace(&self) -> &str {
        let owner = self.context_id().split_once('@').map(|(_, owner)| owner);
        owner
            .and_then(|owner| owner.split('/').next())
            .unwrap_or("default")
    }

    /// Namespace and name of the job; empty for a context submitted alone.
    #[must_use]
    pub fn job(&self) -> &str {
        &self.attempt.job
    }

    /// The name of the handler that runs.
    #[must_use]
    pub fn handler(&self) -> &str {
        &self.attempt.handler
    }

    /// The number of this attempt, from 1; never used twice.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt.key.attempt
    }

    /// The fencing token: of two attempts of a context, the one with the lower number has lost its lease. A store that
    /// keeps the greatest number it has seen can refuse what a frozen worker does too late.
    #[must_use]
    pub fn fence(&self) -> u32 {
        self.attempt()
    }

    /// When the context was due, in milliseconds since the Unix epoch, by the cluster's clock.
    #[must_use]
    pub fn due_ms(&self) -> u64 {
        self.attempt.due_ms
    }

    /// When the context was due. Like [`due_ms`](Self::due_ms).
    #[must_use]
    pub fn due(&self) -> std::time::SystemTime {
        std::time::UNIX_EPOCH + Duration::from_millis(self.due_ms())
    }

    /// How often the context failed before; attempts may be more, as a refused dispatch uses a number too.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.attempt.failures
    }

    /// How often the context may fail; `None`: without limit.
    #[must_use]
    pub fn max_attempts(&self) -> Option<u32> {
        (self.attempt.max_attempts > 0).then_some(self.attempt.max_attempts)
    }

    /// Whether a failure of this attempt is the last: no retry follows.
    #[must_use]
    pub fn is_last_attempt(&self) -> bool {
        self.max_attempts()
            .is_some_and(|max| self.failures().saturating_add(1) >= max)
    }

    /// How long the lease surely lasts. It is renewed in the background while trackers can be reached; zero means that
    /// another attempt may already run.
    #[must_use]
    pub fn lease_remaining(&self) -> Duration {
        self.attempt
            .lease_until()
            .saturating_duration_since(Instant::now())
    }

    /// Until the attempt shall stop. Cancel safe; may be awaited any number of times.
    ///
    /// After the cancellation the handler has the context's grace (5 s by default) to clean up; then its future is
    /// dropped where it awaits.
    pub async fn cancelled(&self) -> CancelReason {
        let reason = self.attempt.cancel.told().await;
        self.attempt.cancel.look().unwrap_or(reason)
    }

    /// Whether the attempt shall stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancel_reason().is_some()
    }

    /// Why the attempt shall stop, if it shall.
    #[must_use]
    pub fn cancel_reason(&self) -> Option<CancelReason> {
        self.attempt.cancel.look()
    }

    /// Sends a log line of the level info, kept with the context. Like [`log_at`](Self::log_at).
    pub fn log(&self, line: impl AsRef<str>) {
        self.log_at(LogLevel::Info, line);
    }

    /// Sends a log line, kept with the context, its attempt, its level and its time. Never waits for a tracker.
    ///
    /// A line is cut at 4 KiB (or what the tracker allows). An attempt may log 500 lines at once, 100 lines per second
    /// after that, 10,000 in all; what is more is dropped and counted, and the count and the last dropped line become
    /// the attempt's last line. Of a context about the newest MiB is kept.
    pub fn log_at(&self, level: LogLevel, line: impl AsRef<str>) {
        self.attempt.log_line(level, line.as_ref());
    }

    /// Tells how far the attempt is: `percent` up to 100, and a message of at most 4 KiB. Only the newest is kept, and
    /// at most ten per second are sent.
    pub fn progress(&self, percent: u32, message: impl AsRef<str>) {
        let message = clip(message.as_ref(), LOG_LINE_BYTES_MAX).to_owned();
        self.attempt.progress(percent.min(100), message);
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("context_id", &self.context_id())
            .field("attempt", &self.attempt())
            .field("handler", &self.handler())
            .finish_non_exhaustive()
    }
}
