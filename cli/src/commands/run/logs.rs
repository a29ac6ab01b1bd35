//! `tickwheel run logs`: what a run said.

use clap::Args;
use tickwheel_api::answers::{LogLine, StreamEvent};
use tickwheel_client::Client;
use tickwheel_proto::v1;

use crate::commands::follow::Follow;
use crate::failure::Failure;
use crate::global::Global;
use crate::views::log_line_text;

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

impl LogsArgs {
    /// Whether a line is asked for. Those that tell of others are.
    fn takes(&self, line: &LogLine) -> bool {
        let told = line.attempt == 0;
        self.attempt.is_none_or(|one| told || one == line.attempt)
    }
}

/// Prints line by line as pages come; JSON is one object in each line.
pub(super) async fn run(global: &Global, client: &Client, args: LogsArgs) -> Result<(), Failure> {
    if args.follow {
        return follow(global, client, args).await;
    }
    // One that is not known is a failure, and not a log without lines.
    client.get(&args.id).await?;
    let mut cursor = String::new();
    loop {
        let page = client.log(&args.id, &cursor).await?;
        let behind = page.cursor == cursor;
        cursor = page.cursor;
        let lines = page.lines.into_iter().map(LogLine::from);
        for line in lines.filter(|line| args.takes(line)) {
            global.output.line(&line, log_line_text)?;
        }
        if behind {
            return Ok(());
        }
    }
}

/// The same as it is said, until the run has ended.
async fn follow(global: &Global, client: &Client, args: LogsArgs) -> Result<(), Failure> {
    let request = v1::SubscribeRequest {
        topics: vec![format!("log:{}", args.id)],
        ..v1::SubscribeRequest::default()
    };
    let mut events = Follow::begin(client, request).await?;
    loop {
        if let StreamEvent::Log(log) = events.next().await? {
            for line in log.lines.iter().filter(|line| args.takes(line)) {
                global.output.line(line, log_line_text)?;
            }
            if log.ended {
                return Ok(());
            }
        }
    }
}
