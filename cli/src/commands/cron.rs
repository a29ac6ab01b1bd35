//! `tickwheel cron explain`: needs no server.

use clap::{Args, Subcommand};
use serde::Serialize;
use tickwheel_core::cron::CronSchedule;
use tickwheel_core::time::render_in_zone;
use tickwheel_core::{TimestampMs, Violation};

use crate::args::{Global, instant};
use crate::failure::{Failure, Mistake};
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
            ("next", next.join("\n")),
        ]
    }
}

pub(crate) fn run(global: &Global, command: CronCommand) -> Result<(), Failure> {
    let CronCommand::Explain(args) = command;
    global.output.detail(&explain(args)?)
}

fn explain(args: ExplainArgs) -> Result<Explanation, Failure> {
    let schedule = CronSchedule::parse(&args.expression, &args.tz).map_err(refused)?;
    let after = args.after.unwrap_or_else(|| TimestampMs::new(now_ms()));
    let mut next = Vec::new();
    for due in schedule.upcoming(after, usize::from(args.count)) {
        next.push(Due {
            due_ms: due.as_u64(),
            due: render_in_zone(due, &args.tz).map_err(refused)?,
        });
    }
    Ok(Explanation {
        meaning: schedule.explain(),
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
