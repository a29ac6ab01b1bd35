//! `tickwheel run subtasks`: what a run was split into.

use clap::{Args, ValueEnum};
use tickwheel_api::answers::SubtaskPage;
use tickwheel_client::Client;
use tickwheel_proto::v1;

use crate::failure::Failure;
use crate::global::Global;
use crate::output::tell_unreadable;
use crate::views::print_subtasks;

const PAGE: usize = 1_000;

#[derive(Debug, Args)]
pub(crate) struct SubtasksArgs {
    /// The id of the run that is split
    id: String,
    /// Only those in this state
    #[arg(long, value_enum)]
    state: Option<SubtaskState>,
    /// At most this many
    #[arg(short = 'n', long, default_value_t = 50, value_name = "N")]
    limit: usize,
    /// Go on where an earlier list ended
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "TOKEN"
    )]
    page_token: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SubtaskState {
    Waiting,
    Running,
    Retrying,
    Failed,
    Succeeded,
}

impl SubtaskState {
    const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Failed => "failed",
            Self::Succeeded => "succeeded",
        }
    }
}

/// Page by page until there are as many as asked.
pub(super) async fn run(
    global: &Global,
    client: &Client,
    args: SubtasksArgs,
) -> Result<(), Failure> {
    let mut view = SubtaskPage::default();
    let mut page_token = args.page_token;
    loop {
        let missing = args.limit.saturating_sub(view.items.len());
        let request = v1::ListSubtasksRequest {
            context_id: args.id.clone(),
            state: args.state.map_or("", SubtaskState::word).to_owned(),
            limit: u32::try_from(missing.clamp(1, PAGE)).unwrap_or_default(),
            page_token,
        };
        let page = client.subtasks(request).await?;
        view.add(page);
        page_token = view.next_cursor.clone();
        if page_token.is_empty() || view.items.len() >= args.limit {
            break;
        }
    }
    tell_unreadable(view.unreadable);
    print_subtasks(&view, global.output)
}
