//! What a running attempt says about itself. Script: `lua/context/append_log.lua`.

use fred::types::Value;
use tickwheel_core::bounds::{
    LOG_AGE_MS_MAX, LOG_BYTES_MAX, LOG_LINE_BYTES_MAX, LOG_LINES_MAX, PROGRESS_BYTES_MAX,
};
use tickwheel_core::log::LogLevel;

use crate::args::Args;
use crate::error::Error;
use crate::lease::Holding;
use crate::script::APPEND_LOG;
use crate::store::Store;

/// Lines that a call can say to be lost: numbers in Redis are exact up to here.
const LOST_MAX: u64 = (1 << 53) - 1;

/// How far an attempt is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// 0..=100; more counts as 100.
    pub percent: u8,
    /// For people; what is beyond 1,024 bytes is cut.
    pub message: String,
}

/// A line that an attempt said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// How much it matters.
    pub level: LogLevel,
    /// Milliseconds since it was said.
    pub age_ms: u32,
    /// What is beyond 4,096 bytes is cut.
    pub text: String,
}

/// What an attempt says at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttemptLog {
    /// The oldest first. Of more than 1,000, or 1 MiB, the newest are kept; the others count as lost.
    pub lines: Vec<Line>,
    /// Lines that were lost before these.
    pub lost: u64,
    /// In place of what was said before.
    pub progress: Option<Progress>,
}

/// Whether a note was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub enum Appended {
    /// It was; so many of its lines found no room among the logs of the partition, and were not.
    Written {
        /// 0, or all lines.
        dropped: usize,
    },
    /// Another attempt runs, or none: nothing was written.
    Stale,
    /// Another worker runs that attempt: nothing was written.
    Foreign,
}

impl AttemptLog {
    /// The newest lines that one call keeps; what is before them counts as lost.
    fn bounded(&self) -> (&[Line], u64) {
        let mut bytes = 0;
        let newest = self.lines.iter().rev().take(LOG_LINES_MAX);
        let fitting = newest.take_while(|line| {
            bytes += line.text.len().min(LOG_LINE_BYTES_MAX);
            bytes <= LOG_BYTES_MAX
        });
        let first = self.lines.len() - fitting.count();
        let lost = u64::try_from(first).unwrap_or(u64::MAX);
        let kept = self.lines.get(first..).unwrap_or_default();
        (kept, self.lost.saturating_add(lost))
    }
}

impl Store {
    /// Appends the lines of `said` to the log of a context and replaces its progress, if `holding` is the attempt that runs and its worker
    /// (W2).
    ///
    /// # Errors
    /// [`Error::Exhausted`] when Redis is full; [`Error::Unavailable`]: repeating may write the lines twice.
    pub async fn append_log(
        &self,
        holding: &Holding,
        said: &AttemptLog,
    ) -> Result<Appended, Error> {
        let progress = said.progress.as_ref();
        let percent = progress.map(|progress| u64::from(progress.percent.min(100)));
        let message = progress.map(|progress| cut(&progress.message, PROGRESS_BYTES_MAX));
        let context = &holding.attempt.context;
        let (lines, lost) = said.bounded();
        let said_lines = lines.iter().flat_map(|line| {
            let age = line.age_ms.min(LOG_AGE_MS_MAX);
            [
                Value::from(format!("{}{age}", line.level.letter())),
                Value::from(cut(&line.text, LOG_LINE_BYTES_MAX)),
            ]
        });
        let args = Args::new()
            .with("id", context.as_str())
            .with("holder", holding.holder())
            .with_optional_number("percent", percent)
            .with_filled("message", message.unwrap_or_default())
            .with_optional_number("lost", Some(lost.min(LOST_MAX)).filter(|lost| *lost > 0))
            .items(said_lines);
        let (status, mut reply) = self.call_context(&APPEND_LOG, context, args).await?;
        match status.as_str() {
            "WRITTEN" => {
                let written = usize::try_from(reply.number()?).unwrap_or(usize::MAX);
                Ok(Appended::Written {
                    dropped: lines.len().saturating_sub(written),
                })
            }
            "STALE" => Ok(Appended::Stale),
            "FOREIGN" => Ok(Appended::Foreign),
            other => Err(Error::contract(APPEND_LOG.name(), other)),
        }
    }
}

fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most))
        .unwrap_or_default()
}
