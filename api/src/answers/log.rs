//! A run's log.

use serde::Serialize;
use tickwheel_proto::v1;

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogLine {
    /// When it was said.
    pub time_ms: u64,
    /// The attempt that said it; 0: it tells of lines that were dropped.
    pub attempt: u32,
    /// `trace`, `debug`, `info`, `warn` or `error`.
    pub level: &'static str,
    /// What was said.
    pub line: String,
}

impl From<v1::LoggedLine> for LogLine {
    fn from(line: v1::LoggedLine) -> Self {
        Self {
            time_ms: line.time_ms,
            attempt: line.attempt,
            level: match line.level() {
                v1::LogLevel::Trace => "trace",
                v1::LogLevel::Debug => "debug",
                v1::LogLevel::Unspecified | v1::LogLevel::Info => "info",
                v1::LogLevel::Warn => "warn",
                v1::LogLevel::Error => "error",
            },
            line: line.line,
        }
    }
}

/// A page of a log, the oldest lines first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogPage {
    /// The lines; none: nothing is there behind the cursor.
    pub items: Vec<LogLine>,
    /// Where the next page begins. Asked again with it, the log tells what was said meanwhile.
    pub next_cursor: String,
    /// Lines that are not kept any more.
    pub lost: u64,
}

impl From<v1::GetLogResponse> for LogPage {
    fn from(page: v1::GetLogResponse) -> Self {
        Self {
            items: page.lines.into_iter().map(LogLine::from).collect(),
            next_cursor: page.cursor,
            lost: page.lost,
        }
    }
}
