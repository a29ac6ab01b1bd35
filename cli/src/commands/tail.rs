//! `tickwheel tail`: runs as they end.

use clap::Args;
use tickwheel_api::answers::{EndedRun, StreamEvent};
use tickwheel_core::run::ContextState;
use tickwheel_proto::convert::state_to_wire;
use tickwheel_proto::v1;

use super::follow::Follow;
use crate::failure::Failure;
use crate::global::Global;
use crate::output::warn;
use crate::views::ended_run_text;

#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    /// Only runs of this job
    #[arg(
        long,
        value_name = "JOB",
        default_value = "",
        hide_default_value = true
    )]
    job: String,
    /// Only runs for workers of this group
    #[arg(
        long,
        value_name = "GROUP",
        default_value = "",
        hide_default_value = true
    )]
    group: String,
    /// Only runs that ended so: succeeded, failed, timed_out, cancelled or expired; several divided by commas
    #[arg(long, value_name = "STATES", value_delimiter = ',')]
    state: Vec<String>,
    /// End after so many runs
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<u64>,
}

/// Prints a line for each run that ends from now on; JSON is one object in each line.
pub(crate) async fn run(global: &Global, args: TailArgs) -> Result<(), Failure> {
    let states: Result<Vec<i32>, Failure> = args.state.iter().map(|word| state(word)).collect();
    let request = v1::SubscribeRequest {
        topics: vec!["runs".to_owned()],
        job: args.job,
        group: args.group,
        states: states?,
        ..v1::SubscribeRequest::default()
    };
    let client = global.connect().await?;
    let mut events = Follow::begin(&client, request).await?;
    let mut left = args.limit.unwrap_or(u64::MAX);
    while left > 0 {
        match events.next().await? {
            StreamEvent::Runs(ended) => {
                for run in &ended.runs {
                    global.output.line::<EndedRun>(run, ended_run_text)?;
                    left -= 1;
                    if left == 0 {
                        break;
                    }
                }
            }
            StreamEvent::Lagged(lagged) => warn(&match lagged.dropped {
                0 => "runs are missing here; nobody knows how many".to_owned(),
                count => format!("{count} runs are missing here"),
            }),
            StreamEvent::Now(_) | StreamEvent::Log(_) | StreamEvent::Bye(_) => {}
        }
    }
    Ok(())
}

fn state(word: &str) -> Result<i32, Failure> {
    let mut ended = ContextState::ALL.iter().filter(|state| state.is_settled());
    let found = ended.find(|state| state.as_str() == word);
    let found = found.ok_or_else(|| {
        Failure::usage(format!(
            "--state {word}: is succeeded, failed, timed_out, cancelled or expired"
        ))
    })?;
    Ok(state_to_wire(*found).into())
}
