//! `tickwheel run logs`: what a run said.

use std::time::Duration;

use clap::Args;
use tickwheel_api::answers::LogLine;
use tickwheel_client::Client;

use crate::failure::Failure;
use crate::global::Global;
use crate::views::log_line_text;

/// Between two looks at a log that is followed.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// The id of the run
    id: String,
    /// Only what this attempt said
    #[arg(long, value_name = "N")]
    attempt: Option<u32>,
    /// Go on until the run has ended
    #[arg(short, long)]
    follow: bool,
}

/// Prints line by line as pages come; JSON is one object in each line.
pub(super) async fn run(global: &Global, client: &Client, args: LogsArgs) -> Result<(), Failure> {
    let mut cursor = String::new();
    loop {
        // Before the page: what is said until the end is in it.
        let ended = has_ended(client, &args.id).await?;
        loop {
            let page = client.log(&args.id, &cursor).await?;
            let behind = page.cursor == cursor;
            cursor = page.cursor;
            let lines = page.lines.into_iter().map(LogLine::from);
            let chosen = lines.filter(|line| {
                let told = line.attempt == 0;
                args.attempt.is_none_or(|one| told || one == line.attempt)
            });
            for line in chosen {
                global.output.line(&line, log_line_text)?;
            }
            if behind {
                break;
            }
        }
        if ended || !args.follow {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether nothing more will be said. A run that is not known is a failure.
async fn has_ended(client: &Client, id: &str) -> Result<bool, Failure> {
    let context = client.get(id).await?;
    Ok(context.ended_ms > 0)
}
