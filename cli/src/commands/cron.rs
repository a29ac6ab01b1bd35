//! `tickwheel cron explain`: needs no server.

use clap::{Args, Subcommand};
use serde::Serialize;
use tickwheel_core::cron::CronSchedule;
use tickwheel_core::time::render_in_zone;
use tickwheel_core::{TimestampMs, Violation};

use crate::failure::{Failure, Mistake};
use crate::global::{Global, instant};
use crate::instant::now_ms;
use crate::output::Detail;

#[derive(Debug, Subcommand)]
pub(crate) enum CronCommand {
    /// Say what an expression means and when it is due next
    Explain(ExplainArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Five fields: crontab. Six or seven: Quartz, with seconds first. Or @hourly, @daily, …
    expression: String,
    /// An IANA zone, say Europe/Berlin
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    tz: String,
    /// How many due times
    #[arg(short = 'n', long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    count: u16,
    /// Due times after this instant instead of after now
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    after: Option<TimestampMs>,
}

/// The answer.
#[derive(Debug, Serialize)]
struct Explanation {
    expression: String,
    zone: String,
    meaning: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    warning: String,
    next: Vec<Due>,
}

#[derive(Debug, Serialize)]
struct Due {
    due_ms: u64,
    due: String,
}

impl Detail for Explanation {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let next: Vec<_> = self.next.iter().map(|due| due.due.clone()).collect();
        vec![
            ("expression", self.expression.clone()),
            ("zone", self.zone.clone()),
            ("meaning", self.meaning.clone()),
            ("warning", self.warning.clone()),
            ("next", next.join("\n")),
        ]
    }
}

pub(crate) fn run(global: &Global, command: CronCommand) -> Result<(), Failure> {
    let CronCommand::Explain(args) = command;
    let after = args.after.unwrap_or_else(|| TimestampMs::new(now_ms()));
    let explanation = explain(args, after)?;
    global.output.detail(&explanation)?;
    due(&explanation, after)
}

/// An expression with nothing ahead is no success: whoever asked has to change it.
fn due(explanation: &Explanation, after: TimestampMs) -> Result<(), Failure> {
    if explanation.next.is_empty() {
        return Err(Failure::failed(format!(
            "nothing is due after {after}: the years of the expression are over, or begin behind 2527, where instants of a job end"
        )));
    }
    Ok(())
}

fn explain(args: ExplainArgs, after: TimestampMs) -> Result<Explanation, Failure> {
    let schedule = CronSchedule::parse(&args.expression, &args.tz).map_err(refused)?;
    let mut next = Vec::new();
    for due in schedule.upcoming(after, usize::from(args.count)) {
        next.push(Due {
            due_ms: due.as_u64(),
            due: render_in_zone(due, &args.tz).map_err(refused)?,
        });
    }
    Ok(Explanation {
        meaning: schedule.explain(),
        warning: schedule.warning().unwrap_or_default(),
        expression: args.expression,
        zone: args.tz,
        next,
    })
}

fn refused(violation: Violation) -> Failure {
    let mistake = Mistake {
        place: violation.field,
        rule: violation.rule,
        given: violation.given,
    };
    Failure::invalid("the expression is refused", vec![mistake])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Exit;

    const AFTER: TimestampMs = TimestampMs::new(1_772_000_000_000);

    fn explained(expression: &str) -> Explanation {
        let args = ExplainArgs {
            expression: expression.to_owned(),
            tz: "UTC".to_owned(),
            count: 3,
            after: None,
        };
        explain(args, AFTER).unwrap()
    }

    #[test]
    fn nothing_ahead_says_why_and_is_no_success() {
        let explanation = explained("0 0 0 1 1 ? 2020");
        assert_eq!(
            explanation.meaning,
            "at 00:00, on day 1 of the month, in January, in 2020 (UTC)"
        );
        let failure = due(&explanation, AFTER).unwrap_err();
        assert_eq!(failure.exit(), Exit::Failed);
        assert!(failure.to_string().contains("are over"), "{failure}");
        assert_eq!(due(&explained("0 0 1 1 *"), AFTER), Ok(()));
    }

    #[test]
    fn numbers_of_weekdays_in_six_fields_are_warned_of() {
        let lines = explained("0 0 9 * * 1-5").lines();
        let warning = lines.iter().find(|(name, _)| *name == "warning");
        assert!(
            warning.is_some_and(|(_, text)| text.contains("write `MON-FRI`")),
            "{lines:?}"
        );
        assert_eq!(explained("0 9 * * 1-5").warning, "");
    }
}
