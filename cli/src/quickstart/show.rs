//! One line for each piece of news.

use tickwheel_api::answers::{run_state_word, verdict_word};

use super::book::News;
use crate::instant::{span, time_of_day};

/// The line, padded so that lines stand in columns.
pub(crate) fn line(news: &News) -> String {
    match news {
        News::Ended(c) => {
            let late = c.claimed_ms.saturating_sub(c.due_ms);
            let took = c.ended_ms.saturating_sub(c.claimed_ms);
            let mut text = format!(
                "{}  {:<24} {:<10} attempt {}  due {}  +{:<8} took {:<8}",
                time_of_day(c.ended_ms),
                c.job,
                run_state_word(c.state()),
                c.attempt,
                time_of_day(c.due_ms),
                span(late),
                span(took)
            );
            if c.attempt > 1 {
                // After a retry the distance to the due time says nothing about lateness.
                text = text.replace(
                    &format!("+{:<8}", span(late)),
                    &format!("{:<9}", "(retried)"),
                );
            }
            format!("{} {}", text.trim_end(), c.error)
                .trim_end()
                .to_owned()
                + "\n"
        }
        News::NotFired(job, record) => format!(
            "{}  {job:<24} {:<10} {}\n",
            time_of_day(record.due_ms),
            verdict_word(record.verdict()),
            record.reason
        ),
    }
}

#[cfg(test)]
mod tests {
    use tickwheel_proto::v1;

    use super::*;

    #[test]
    fn a_line_says_job_state_lateness_and_duration() {
        let context = v1::Context {
            job: "demo/tick".to_owned(),
            state: v1::ContextState::Succeeded.into(),
            attempt: 1,
            due_ms: 1_700_000_000_000,
            claimed_ms: 1_700_000_000_003,
            ended_ms: 1_700_000_000_010,
            ..v1::Context::default()
        };
        assert_eq!(
            line(&News::Ended(Box::new(context))),
            "22:13:20.010  demo/tick                succeeded  attempt 1  due 22:13:20.000  +3 ms     took 7 ms\n"
        );
    }

    #[test]
    fn a_due_time_that_did_not_fire_says_why() {
        let record = v1::LedgerRecord {
            due_ms: 1_700_000_000_000,
            verdict: v1::ledger_record::Verdict::Skipped.into(),
            reason: "overlap_discard".to_owned(),
            ..v1::LedgerRecord::default()
        };
        assert_eq!(
            line(&News::NotFired("demo/tick".to_owned(), record)),
            "22:13:20.000  demo/tick                skipped    overlap_discard\n"
        );
    }
}
