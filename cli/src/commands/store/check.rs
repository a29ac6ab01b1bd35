//! `tickwheel store check`

use std::io::{IsTerminal as _, Write as _};

use clap::Args;
use tickwheel_store::check::Progress;

use super::open::{HistoryArgs, StoreArgs, failure};
use super::report::CheckReport;
use crate::failure::Failure;
use crate::global::Global;

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    history: HistoryArgs,
    /// Say on standard error how far it is, also where that is no terminal
    #[arg(long)]
    progress: bool,
}

pub(super) async fn run(global: &Global, args: CheckArgs) -> Result<(), Failure> {
    let store = args.store.open().await?;
    let is_terminal = std::io::stderr().is_terminal();
    let watch = |progress| {
        if is_terminal || args.progress {
            show(progress, is_terminal);
        }
    };
    let history = args.history.scope();
    let checked = store
        .check_watched(args.store.pace(), history, watch)
        .await
        .map_err(|error| failure(&error))?;
    let report = CheckReport::new(&store, &checked, history);
    report.print(args.store.output(global))?;
    report.verdict()
}

/// On a terminal one line, written over each time; elsewhere a line for each partition.
fn show(progress: Progress, is_terminal: bool) {
    let Progress {
        done,
        partitions,
        entries,
        findings,
    } = progress;
    let (start, end) = match (is_terminal, done == partitions) {
        (true, false) => ("\r", ""),
        (true, true) => ("\r", "\n"),
        (false, _) => ("", "\n"),
    };
    let mut out = std::io::stderr().lock();
    let line = format!(
        "{start}{done} of {partitions} partitions, {entries} entries, {findings} findings{end}"
    );
    // Who closed standard error does not want to know.
    out.write_all(line.as_bytes()).ok();
    out.flush().ok();
}
