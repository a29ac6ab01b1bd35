//! `tickwheel job pause`, `resume` and `delete`

use clap::Args;
use tickwheel_proto::v1;

use super::NameArgs;
use crate::args::Global;
use crate::failure::Failure;
use crate::views::{DeletedView, JobView};

#[derive(Debug, Args)]
pub(crate) struct PauseArgs {
    #[command(flatten)]
    name: NameArgs,
    /// Why; others see it in lists and in the job
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "TEXT"
    )]
    note: String,
}

pub(super) async fn pause(global: &Global, args: PauseArgs) -> Result<(), Failure> {
    let client = crate::commands::connect(global).await?;
    let request = v1::PauseJobRequest {
        name: args.name.name,
        note: args.note,
    };
    let job = client
        .call(request, async |mut api, r| api.pause_job(r).await)
        .await?;
    global.output.detail(&JobView::from(job))
}

pub(super) async fn resume(global: &Global, args: NameArgs) -> Result<(), Failure> {
    let client = crate::commands::connect(global).await?;
    let job = client
        .call(args.reference(), async |mut api, r| api.resume_job(r).await)
        .await?;
    global.output.detail(&JobView::from(job))
}

#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    name: NameArgs,
    /// Also when other jobs follow it: they do not run until a job of its name is registered again
    #[arg(long)]
    force: bool,
}

pub(super) async fn delete(global: &Global, args: DeleteArgs) -> Result<(), Failure> {
    let client = crate::commands::connect(global).await?;
    let name = args.name.name;
    let request = v1::DeleteJobRequest {
        name: name.clone(),
        force: args.force,
    };
    let answer = client
        .call(request, async |mut api, r| api.delete_job(r).await)
        .await?;
    global.output.detail(&DeletedView::new(name, &answer))
}
