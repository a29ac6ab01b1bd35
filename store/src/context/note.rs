//! What a running attempt says about itself. Script: `lua/context/note.lua`.

use fred::types::Value;
use tickwheel_core::limits::{LOG_LINE_BYTES_MAX, LOG_LINES_MAX, PROGRESS_BYTES_MAX};

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

/// Whether a note was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub enum Noted {
    /// It was.
    Written,
    /// Another attempt runs, or none: nothing was written.
    Stale,
    /// Another worker runs that attempt: nothing was written.
    Foreign,
}

impl Store {
    /// Appends `lines` to the log of a context and replaces its progress, if `holding` is the attempt that runs and its worker (W2).
    ///
    /// A line is cut at 4,096 bytes; of more than 1,000 lines the newest are kept.
    ///
    /// # Errors
    /// [`Error::Exhausted`] when Redis is full; [`Error::Unavailable`]: repeating may write the lines twice.
    pub async fn note(
        &self,
        holding: &Holding,
        lines: &[String],
        progress: Option<&Progress>,
    ) -> Result<Noted, Error> {
        let percent = progress.map(|progress| progress.percent.min(100).to_string());
        let message = progress.map(|progress| cut(&progress.message, PROGRESS_BYTES_MAX));
        let context = &holding.attempt.context;
        let mut args = vec![
            Value::from(context.as_str()),
            holding.holder(),
            Value::from(percent.unwrap_or_default()),
            Value::from(message.unwrap_or_default()),
        ];
        let kept = lines
            .get(lines.len().saturating_sub(LOG_LINES_MAX)..)
            .unwrap_or_default();
        args.extend(
            kept.iter()
                .map(|line| Value::from(cut(line, LOG_LINE_BYTES_MAX))),
        );
        let (status, _) = self.call_context(&NOTE_CONTEXT, context, args).await?;
        match status.as_str() {
            "WRITTEN" => Ok(Noted::Written),
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
