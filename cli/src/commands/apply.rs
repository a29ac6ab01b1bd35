//! `tickwheel apply -f FILE|DIR`: makes the cluster have what documents say.

mod jobs;
mod limits;
mod pages;

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use tickwheel_api::answers::Applied;
use tickwheel_core::manifest::Kind;

use self::limits::LimitsPlan;
use super::job::{delete_one, names};
use crate::failure::Failure;
use crate::global::Global;
use crate::manifest::Manifest;
use crate::output::warn;

pub(crate) use jobs::send;

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// A file of documents, a directory of such files, or - for standard input (repeatable)
    #[arg(short, long = "file", value_name = "FILE|DIR", required = true)]
    files: Vec<PathBuf>,
    /// Check everything and show what would change, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Only while the job has this revision, as `job get` shows it; 0: only where it is new. Of a file with one job and nothing else
    #[arg(long, conflicts_with_all = ["dry_run", "prune", "prune_limits"], value_name = "N")]
    if_revision: Option<u64>,
    /// Also delete the registered jobs whose names start with this and that no document names, say payments/
    #[arg(long, value_name = "PREFIX")]
    prune: Option<String>,
    /// Also take their limits from the groups whose names start with this and that no document names
    #[arg(long, value_name = "PREFIX")]
    prune_limits: Option<String>,
}

pub(crate) async fn run(global: &Global, args: ApplyArgs) -> Result<(), Failure> {
    let manifest = Manifest::read(&args.files)?;
    let job_names = || manifest.jobs.iter().map(|spec| spec.name.as_str());
    if let Some(prefix) = &args.prune {
        within("--prune", prefix, job_names())?;
    }
    if let Some(prefix) = &args.prune_limits {
        let groups = manifest.limits.iter().map(|spec| spec.group.as_str());
        within("--prune-limits", prefix, groups)?;
    }
    if let Some(revision) = args.if_revision {
        if manifest.jobs.len() != 1 || !manifest.limits.is_empty() {
            return Err(Failure::usage(
                "--if-revision goes with one job and nothing else",
            ));
        }
        let client = global.connect().await?;
        return global
            .output
            .list(&[jobs::send_if(&client, &manifest, revision).await?]);
    }
    let client = global.connect().await?;
    let limits = LimitsPlan::make(&client, &manifest.limits, args.prune_limits.as_deref()).await?;
    let mut applied: Vec<Applied> = limits.views().collect();
    if !args.dry_run && !applied.is_empty() {
        // Nothing is written before all of it is known to be right.
        send(&client, &manifest, true).await?;
        limits.carry_out(&client).await?;
    }
    applied.extend(send(&client, &manifest, args.dry_run).await?);
    for job in applied.iter().filter(|job| !job.warning.is_empty()) {
        warn(&format!("{}: {}", job.name, job.warning));
    }
    if let Some(prefix) = &args.prune {
        let kept: BTreeSet<&str> = job_names().collect();
        let mut gone = names(&client, prefix).await?;
        gone.retain(|name| !kept.contains(name.as_str()));
        // All of them go, so none is kept for the sake of one that follows it.
        for name in gone {
            if !args.dry_run {
                delete_one(&client, &name, true, None).await?;
            }
            applied.push(Applied::new(Kind::Job, name, "deleted"));
        }
    }
    global.output.list(&applied)
}

/// A prefix that spares what the documents name by accident would delete what they do not know of.
fn within<'a>(
    flag: &str,
    prefix: &str,
    mut names: impl Iterator<Item = &'a str>,
) -> Result<(), Failure> {
    if prefix.is_empty() {
        return Err(Failure::usage(format!(
            "{flag} needs the start of the names that these documents are all of, say {flag} payments"
        )));
    }
    match names.find(|name| !name.starts_with(prefix)) {
        Some(name) => Err(Failure::usage(format!(
            "{flag} {prefix}: the documents also name {name}, which does not start so; nothing was sent"
        ))),
        None => Ok(()),
    }
}
