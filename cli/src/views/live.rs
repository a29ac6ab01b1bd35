//! Runs as they end.

use tickwheel_api::answers::EndedRun;

use crate::instant;
use crate::printable::printable;

/// One line: when, how, which, who ran it, and why it was without success.
pub(crate) fn ended_run_text(run: &EndedRun) -> String {
    let mut text = format!(
        "{}  {:9}  {}",
        instant::text(run.ended_ms),
        run.state,
        run.id
    );
    for (name, value) in [("worker", &run.worker), ("handler", &run.handler)] {
        if !value.is_empty() {
            text.push_str(&format!("  {name}={value}"));
        }
    }
    if run.attempt > 1 {
        text.push_str(&format!("  attempt={}", run.attempt));
    }
    if !run.error.is_empty() {
        text.push_str(&format!("  {}", run.error));
    }
    printable(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_one_line_whatever_its_error_says() {
        let run = EndedRun {
            id: "6.5.f@billing/nightly".to_owned(),
            job: "billing/nightly".to_owned(),
            state: "failed",
            group: "g".to_owned(),
            handler: "close".to_owned(),
            attempt: 3,
            failures: 3,
            worker: "mill-1".to_owned(),
            claimed_ms: 1_000,
            ended_ms: 2_000,
            error: "no \u{1b}[31mmoney".to_owned(),
        };
        let text = ended_run_text(&run);
        assert!(
            text.contains("failed     6.5.f@billing/nightly  worker=mill-1"),
            "{text}"
        );
        assert!(
            text.contains("attempt=3") && !text.contains('\u{1b}'),
            "{text}"
        );
    }
}
