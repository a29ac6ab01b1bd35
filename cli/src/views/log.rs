//! A line of a log.

use serde::Serialize;
use tickwheel_proto::v1;

use crate::instant;

/// A line as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LogLineView {
    pub(crate) time_ms: u64,
    pub(crate) time: String,
    /// 0: it tells of lines that were dropped.
    pub(crate) attempt: u32,
    pub(crate) level: &'static str,
    pub(crate) line: String,
}

impl From<v1::LoggedLine> for LogLineView {
    fn from(line: v1::LoggedLine) -> Self {
        Self {
            time_ms: line.time_ms,
            time: instant::text(line.time_ms),
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

impl LogLineView {
    /// `<time> #<attempt> <level> <line>`.
    pub(crate) fn text(&self) -> String {
        let attempt = match self.attempt {
            0 => "-".to_owned(),
            attempt => format!("#{attempt}"),
        };
        format!("{} {attempt} {:<5} {}", self.time, self.level, self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_time_its_attempt_and_its_level() {
        let wire = v1::LoggedLine {
            time_ms: 1_767_225_600_250,
            attempt: 2,
            level: v1::LogLevel::Warn.into(),
            line: "half".to_owned(),
        };
        assert_eq!(
            LogLineView::from(wire).text(),
            "2026-01-01T00:00:00.250Z #2 warn  half"
        );
        let lost = v1::LoggedLine {
            time_ms: 1_767_225_600_000,
            line: "[3 log lines dropped]".to_owned(),
            ..v1::LoggedLine::default()
        };
        assert!(LogLineView::from(lost).text().contains(" - info  [3 log"));
    }
}
