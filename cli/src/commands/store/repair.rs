//! `tickwheel store repair`

use clap::Args;

use super::report::{CheckReport, RepairReport};
use super::{StoreArgs, failure};
use crate::args::Global;
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct RepairArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Only say which script would repair what
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(global: &Global, args: RepairArgs) -> Result<(), Failure> {
    let store = args.store.open().await?;
    let output = args.store.output(global);
    let pace = args.store.pace();
    if args.dry_run {
        let checked = store.check(pace).await.map_err(|error| failure(&error))?;
        let report = CheckReport::new(&store, &checked);
        report.print(output)?;
        return report.verdict();
    }
    let repairs = store.repair(pace).await.map_err(|error| failure(&error))?;
    let report = RepairReport::new(&store, &repairs.repairs, &repairs.after);
    report.print(output)?;
    report.verdict()
}
