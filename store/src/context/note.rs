//! What a running attempt says about itself. Script: `lua/context/note.lua`.

use fred::types::Value;
use tickwheel_core::limits::{
    LOG_AGE_MS_MAX, LOG_BYTES_MAX, LOG_LINE_BYTES_MAX, LOG_LINES_MAX, PROGRESS_BYTES_MAX,
};
use tickwheel_core::log::LogLevel;

use crate::error::Error;
use crate::lease::Holding;
use crate::script::NOTE_CONTEXT;
use crate::store::Store;

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
pub struct Note {
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
pub enum Noted {
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

impl Note {
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
    /// Appends the lines of `note` to the log of a context and replaces its progress, if `holding` is the attempt that runs and its worker
    /// (W2).
    ///
    /// # Errors
    /// [`Error::Exhausted`] when Redis is full; [`Error::Unavailable`]: repeating may write the lines twice.
    pub async fn note(&self, holding: &Holding, note: &Note) -> Result<Noted, Error> {
        let progress = note.progress.as_ref();
        let percent = progress.map(|progress| progress.percent.min(100).to_string());
        let message = progress.map(|progress| cut(&progress.message, PROGRESS_BYTES_MAX));
        let context = &holding.attempt.context;
        let (lines, lost) = note.bounded();
        let mut args = vec![
            Value::from(context.as_str()),
            holding.holder(),
            Value::from(percent.unwrap_or_default()),
            Value::from(message.unwrap_or_default()),
            Value::from(
                lost.min(1 << 53)
                    .saturating_sub(u64::from(lost >= 1 << 53))
                    .to_string(),
            ),
        ];
        for line in lines {
            let age = line.age_ms.min(LOG_AGE_MS_MAX);
            args.push(Value::from(format!("{}{age}", line.level.letter())));
            args.push(Value::from(cut(&line.text, LOG_LINE_BYTES_MAX)));
        }
        let (status, mut reply) = self.call_context(&NOTE_CONTEXT, context, args).await?;
        match status.as_str() {
            "WRITTEN" => {
                let written = usize::try_from(reply.number()?).unwrap_or(usize::MAX);
                Ok(Noted::Written {
                    dropped: lines.len().saturating_sub(written),
                })
            }
            "STALE" => Ok(Noted::Stale),
            "FOREIGN" => Ok(Noted::Foreign),
            other => Err(Error::contract(NOTE_CONTEXT.name(), other)),
        }
    }
}

fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most))
        .unwrap_or_default()
}
