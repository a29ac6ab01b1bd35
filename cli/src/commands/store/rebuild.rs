//! `tickwheel store rebuild`

use clap::Args;

use tickwheel_store::check::History;

use super::open::{StoreArgs, failure};
use super::report::{CheckReport, RepairReport};
use crate::failure::Failure;
use crate::global::Global;

#[derive(Debug, Args)]
pub(crate) struct RebuildArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Do it
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(global: &Global, args: RebuildArgs) -> Result<(), Failure> {
    if !args.yes {
        return Err(Failure::usage(
            "rebuild puts every job into the wheel again and repairs what a check finds; nothing that was decided fires again, \
             and what only the wheel knew (contexts submitted for later) does not come back. Add --yes to do it",
        ));
    }
    let store = args.store.open().await?;
    let rebuilt = store
        .rebuild(args.store.pace())
        .await
        .map_err(|error| failure(&error))?;
    let after = CheckReport::new(&store, &rebuilt.after, History::All);
    let report = RepairReport::new(&rebuilt.repairs, after).with_jobs(&rebuilt);
    report.print(args.store.output(global))?;
    report.verdict()
}
