//! `tickwheel store repair`

use clap::Args;

use super::open::{HistoryArgs, StoreArgs, failure};
use super::report::{CheckReport, RepairReport};
use crate::failure::Failure;
use crate::global::Global;

#[derive(Debug, Args)]
pub(crate) struct RepairArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    history: HistoryArgs,
    /// Only say which script would repair what
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(global: &Global, args: RepairArgs) -> Result<(), Failure> {
    let store = args.store.open().await?;
    let output = args.store.output(global);
    let (pace, history) = (args.store.pace(), args.history.scope());
    if args.dry_run {
        let checked = store.check_watched(pace, history, |_| {}).await;
        let report = CheckReport::new(&store, &checked.map_err(|error| failure(&error))?, history);
        report.print(output)?;
        return report.verdict();
    }
    let repairs = store.repair_of(pace, history).await;
    let repairs = repairs.map_err(|error| failure(&error))?;
    let after = CheckReport::new(&store, &repairs.after, history);
    let report = RepairReport::new(&repairs.repairs, after);
    report.print(output)?;
    report.verdict()
}
