//! `tickwheel job pause`, `resume` and `delete`

use clap::Args;
use tickwheel_api::answers::{Deleted, Job};
use tickwheel_client::Client;
use tickwheel_proto::v1;

use super::list::{LabelArgs, each};
use super::name::NameArgs;
use crate::failure::Failure;
use crate::global::Global;

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
    let client = global.connect().await?;
    let job = client.pause_job(&args.name.name, &args.note).await?;
    global.output.detail(&Job::from(job))
}

pub(super) async fn resume(global: &Global, args: NameArgs) -> Result<(), Failure> {
    let client = global.connect().await?;
    let job = client.resume_job(&args.name).await?;
    global.output.detail(&Job::from(job))
}

#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    /// The jobs: namespace/name, or a name in the namespace `default`
    #[arg(value_name = "JOB", required_unless_present = "prefix")]
    names: Vec<String>,
    /// All whose names start with this, say payments/
    #[arg(long, conflicts_with = "names", value_name = "PREFIX")]
    prefix: Option<String>,
    /// Of those of --prefix only the ones that have nothing left to fire, say `once` jobs whose time has come
    #[arg(long, requires = "prefix")]
    finished: bool,
    /// Also when other jobs follow it: they do not run until a job of its name is registered again
    #[arg(long)]
    force: bool,
    /// Only while it has this revision, as `job get` shows it; of one job
    #[arg(long, conflicts_with = "prefix", value_name = "N")]
    if_revision: Option<u64>,
    /// Show which jobs would be deleted, and delete none
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn delete(global: &Global, args: DeleteArgs) -> Result<(), Failure> {
    if args.if_revision.is_some() && args.names.len() > 1 {
        return Err(Failure::usage("--if-revision goes with one job"));
    }
    let client = global.connect().await?;
    let mut names = args.names;
    if let Some(prefix) = &args.prefix {
        each(&client, prefix, &LabelArgs::default(), |job| {
            if !args.finished || job.state() == v1::JobState::Finished {
                names.push(job.spec.unwrap_or_default().name);
            }
        })
        .await?;
    }
    let mut deleted = Vec::with_capacity(names.len());
    for name in &names {
        if args.dry_run {
            deleted.push(Deleted::new(name.clone(), v1::DeleteJobResponse::default()));
            continue;
        }
        let answer = delete_one(&client, name, args.force, args.if_revision).await;
        let answer = answer.map_err(|failure| {
            failure.after(&match deleted.len() {
                0 => String::new(),
                done => format!(
                    "{name} is in the way; {done} of {} jobs were deleted before",
                    names.len()
                ),
            })
        })?;
        deleted.push(Deleted::new(name.clone(), answer));
    }
    match deleted.as_slice() {
        [one] if args.prefix.is_none() => global.output.detail(one),
        several => global.output.list(several),
    }
}

pub(crate) async fn delete_one(
    client: &Client,
    name: &str,
    force: bool,
    if_revision: Option<u64>,
) -> Result<v1::DeleteJobResponse, Failure> {
    Ok(match if_revision {
        Some(revision) => client.delete_job_if(name, force, revision).await?,
        None => client.delete_job(name, force).await?,
    })
}
