//! `tickwheel job …`: what users registered.

mod explain;
mod export;
mod ledger;
mod list;
mod name;
mod preview;
mod start;
mod state;
mod stats;

pub(crate) use list::names;
pub(crate) use state::delete_one;

use clap::Subcommand;

use crate::failure::Failure;
use crate::global::Global;
use name::NameArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum JobCommand {
    /// It is `tickwheel apply`
    #[command(hide = true, disable_help_flag = true)]
    Apply {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// List jobs
    List(list::ListArgs),
    /// Show one job
    Get(NameArgs),
    /// Print registered jobs as documents that can be applied again
    Export(export::ExportArgs),
    /// Stop firing; what runs goes on
    Pause(state::PauseArgs),
    /// Fire again
    Resume(NameArgs),
    /// Run a job now, whatever its trigger
    Run(start::StartArgs),
    /// Delete jobs and what they have waiting; what runs goes on. One that others follow is kept, unless forced
    Delete(state::DeleteArgs),
    /// Show when a job will fire next
    Preview(preview::PreviewArgs),
    /// Say in words why a job did or did not run at an instant
    Explain(explain::ExplainArgs),
    /// List what became of each due time, the newest first
    Ledger(ledger::LedgerArgs),
    /// Count due times and runs by what became of them, over time, and how late and how long they ran
    Stats(stats::StatsArgs),
}

pub(crate) async fn run(global: &Global, command: JobCommand) -> Result<(), Failure> {
    match command {
        JobCommand::Apply { rest } => Err(Failure::usage(format!(
            "jobs and limits are applied by: tickwheel apply {}",
            rest.join(" ")
        ))),
        JobCommand::List(args) => list::run(global, args).await,
        JobCommand::Get(args) => list::get(global, args).await,
        JobCommand::Export(args) => export::run(global, args).await,
        JobCommand::Pause(args) => state::pause(global, args).await,
        JobCommand::Resume(args) => state::resume(global, args).await,
        JobCommand::Run(args) => start::run(global, args).await,
        JobCommand::Delete(args) => state::delete(global, args).await,
        JobCommand::Preview(args) => Box::pin(preview::run(global, args)).await,
        JobCommand::Explain(args) => explain::run(global, args).await,
        JobCommand::Ledger(args) => ledger::run(global, args).await,
        JobCommand::Stats(args) => stats::run(global, args).await,
    }
}
