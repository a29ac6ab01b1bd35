//! What a stream tells: one event after the other.

use serde::Serialize;
use tickwheel_proto::v1;
use tickwheel_proto::v1::stream_event::Event;

use super::log::LogLine;
use super::overview::Overview;
use super::words::run_state_word;

/// An event. In a stream of server-sent events its name is that of its kind, its data what is in it, and its id the cursor behind it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StreamEvent {
    /// How the cluster is, in numbers: each second.
    Now(Box<Overview>),
    /// Runs that ended, the oldest end first.
    Runs(EndedRuns),
    /// Lines that a run said.
    Log(LogLines),
    /// Something is missing here.
    Lagged(Lagged),
    /// The last event: the stream ends.
    Bye(Bye),
}

impl StreamEvent {
    /// The name of its kind.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Now(_) => "now",
            Self::Runs(_) => "runs",
            Self::Log(_) => "log",
            Self::Lagged(_) => "lagged",
            Self::Bye(_) => "bye",
        }
    }

    /// What is in it, as JSON on one line.
    ///
    /// # Errors
    /// Never, for what a tracker answers.
    pub fn data(&self) -> Result<String, serde_json::Error> {
        match self {
            Self::Now(it) => serde_json::to_string(it),
            Self::Runs(it) => serde_json::to_string(it),
            Self::Log(it) => serde_json::to_string(it),
            Self::Lagged(it) => serde_json::to_string(it),
            Self::Bye(it) => serde_json::to_string(it),
        }
    }
}

/// Runs that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EndedRuns {
    /// The oldest end first.
    pub runs: Vec<EndedRun>,
}

/// A run that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EndedRun {
    /// Its id.
    pub id: String,
    /// Whose run it was; empty: submitted alone.
    pub job: String,
    /// `succeeded`, `failed`, `timed_out`, `cancelled` or `expired`.
    pub state: &'static str,
    /// Workers of this group ran it; empty where whoever ended it could not tell.
    pub group: String,
    /// What they ran; empty as `group`.
    pub handler: String,
    /// The number of its last attempt; 0: it never started.
    pub attempt: u32,
    /// Attempts that counted against its retries.
    pub failures: u32,
    /// Who had it last.
    pub worker: String,
    /// When its last attempt was claimed.
    pub claimed_ms: u64,
    /// When it ended.
    pub ended_ms: u64,
    /// Why it ended without success.
    pub error: String,
}

/// Lines that a run said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogLines {
    /// The run.
    pub run_id: String,
    /// What it said.
    pub lines: Vec<LogLine>,
    /// The run has ended: nothing more follows of this topic.
    pub ended: bool,
}

/// Something is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Lagged {
    /// Of this topic.
    pub topic: String,
    /// How many runs; 0: it is not known how many.
    pub dropped: u64,
}

/// Why a stream ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Bye {
    /// In words.
    pub reason: String,
    /// When to come again, with the cursor; 0: not with what was shown.
    pub retry_ms: u64,
}

impl From<Event> for StreamEvent {
    fn from(event: Event) -> Self {
        match event {
            Event::Now(overview) => Self::Now(Box::new(overview.into())),
            Event::Runs(ended) => Self::Runs(EndedRuns {
                runs: ended.runs.into_iter().map(EndedRun::from).collect(),
            }),
            Event::Log(log) => Self::Log(LogLines {
                run_id: log.context_id,
                lines: log.lines.into_iter().map(LogLine::from).collect(),
                ended: log.ended,
            }),
            Event::Lagged(lagged) => Self::Lagged(Lagged {
                topic: lagged.topic,
                dropped: lagged.dropped,
            }),
            Event::Bye(bye) => Self::Bye(Bye {
                reason: bye.reason,
                retry_ms: bye.retry_ms,
            }),
        }
    }
}

impl From<v1::EndedRun> for EndedRun {
    fn from(run: v1::EndedRun) -> Self {
        let state = run_state_word(run.state());
        Self {
            state,
            id: run.id,
            job: run.job,
            group: run.group,
            handler: run.handler,
            attempt: run.attempt,
            failures: run.failures,
            worker: run.worker,
            claimed_ms: run.claimed_ms,
            ended_ms: run.ended_ms,
            error: run.error,
        }
    }
}
