//! `tickwheel store check`

use super::report::CheckReport;
use super::{StoreArgs, failure};
use crate::args::Global;
use crate::failure::Failure;

pub(super) async fn run(global: &Global, args: StoreArgs) -> Result<(), Failure> {
    let store = args.open().await?;
    let checked = store
        .check(args.pace())
        .await
        .map_err(|error| failure(&error))?;
    let report = CheckReport::new(&store, &checked);
    report.print(args.output(global))?;
    report.verdict()
}
