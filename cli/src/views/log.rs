//! A line of a log.

use tickwheel_api::answers::LogLine;

use crate::instant;

/// `<time> #<attempt> <level> <line>`.
pub(crate) fn log_line_text(line: &LogLine) -> String {
    let attempt = match line.attempt {
        0 => "-".to_owned(),
        attempt => format!("#{attempt}"),
    };
    let time = instant::text(line.time_ms);
    format!("{time} {attempt} {:<5} {}", line.level, line.line)
}

#[cfg(test)]
mod tests {
    use tickwheel_proto::v1;

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
            log_line_text(&wire.into()),
            "2026-01-01T00:00:00.250Z #2 warn  half"
        );
        let lost = v1::LoggedLine {
            time_ms: 1_767_225_600_000,
            line: "[3 log lines dropped]".to_owned(),
            ..v1::LoggedLine::default()
        };
        assert!(log_line_text(&lost.into()).contains(" - info  [3 log"));
    }
}
