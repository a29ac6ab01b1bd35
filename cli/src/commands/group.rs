//! `tickwheel group …`: which groups there are, and whether their contexts start.

use clap::{Args, Subcommand};
use tickwheel_api::answers::Group;

use crate::failure::Failure;
use crate::global::Global;
use crate::output::tell_unreadable;

#[derive(Debug, Subcommand)]
pub(crate) enum GroupCommand {
    /// List the groups that have workers, limits or a pause
    List,
    /// Start no context of a group until it is resumed; what runs goes on
    Pause(PauseArgs),
    /// Start contexts of a group again
    Resume(ResumeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PauseArgs {
    /// The group
    group: String,
    /// Why; whoever asks why a context waits is told
    #[arg(long, default_value = "", value_name = "TEXT")]
    note: String,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// The group
    group: String,
}

pub(crate) async fn run(global: &Global, command: GroupCommand) -> Result<(), Failure> {
    let client = global.connect().await?;
    let group = match command {
        GroupCommand::List => {
            let answer = client.groups().await?;
            tell_unreadable(answer.unreadable);
            let rows: Vec<Group> = answer.groups.into_iter().map(Into::into).collect();
            return global.output.list(&rows);
        }
        GroupCommand::Pause(args) => client.pause_group(&args.group, &args.note).await?,
        GroupCommand::Resume(args) => client.resume_group(&args.group).await?,
    };
    global.output.list(&[Group::from(group)])
}
