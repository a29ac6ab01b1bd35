//! `tickwheel job apply -f FILE|DIR`

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use tickwheel_client::Client;

use super::list::names;
use super::pages::pages;
use super::state::delete_one;
use crate::failure::Failure;
use crate::global::Global;
use crate::manifest::Manifest;
use crate::output::warn;
use crate::views::AppliedView;

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// A manifest, a directory of manifests, or - for standard input (repeatable)
    #[arg(short, long = "file", value_name = "FILE|DIR", required = true)]
    files: Vec<PathBuf>,
    /// Check everything and show what would change, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Also delete the registered jobs whose names start with this and that no manifest names, say payments/
    #[arg(long, value_name = "PREFIX")]
    prune: Option<String>,
}

pub(super) async fn run(global: &Global, args: ApplyArgs) -> Result<(), Failure> {
    let manifest = Manifest::read(&args.files)?;
    if let Some(prefix) = &args.prune {
        within(prefix, &manifest)?;
    }
    let client = global.connect().await?;
    let mut applied = send(&client, &manifest, args.dry_run).await?;
    for job in applied.iter().filter(|job| !job.warning.is_empty()) {
        warn(&format!("{}: {}", job.name, job.warning));
    }
    if let Some(prefix) = &args.prune {
        let kept: BTreeSet<&str> = manifest
            .jobs
            .iter()
            .map(|spec| spec.name.as_str())
            .collect();
        let mut gone = names(&client, prefix).await?;
        gone.retain(|name| !kept.contains(name.as_str()));
        // All of them go, so none is kept for the sake of one that follows it.
        for name in &gone {
            if !args.dry_run {
                delete_one(&client, name, true).await?;
            }
            applied.push(AppliedView::deleted(name.clone()));
        }
    }
    global.output.list(&applied)
}

/// A prefix that spares what the manifests name by accident would delete what they do not know of.
fn within(prefix: &str, manifest: &Manifest) -> Result<(), Failure> {
    if prefix.is_empty() {
        return Err(Failure::usage(
            "--prune needs the start of the names that these manifests are all of, say --prune payments/",
        ));
    }
    let mut outside = manifest.jobs.iter().map(|spec| spec.name.as_str());
    match outside.find(|name| !name.starts_with(prefix)) {
        Some(name) => Err(Failure::usage(format!(
            "--prune {prefix}: the manifests also name {name}, which does not start so; nothing was sent"
        ))),
        None => Ok(()),
    }
}

/// Sends the jobs of a manifest; mistakes that only the tracker can see come back with their place in the files.
pub(crate) async fn send(
    client: &Client,
    manifest: &Manifest,
    dry_run: bool,
) -> Result<Vec<AppliedView>, Failure> {
    let pages = pages(&manifest.jobs)?;
    if pages.len() > 1 && !dry_run {
        // Nothing is written before all of it is known to be right.
        for page in &pages {
            send_page(client, manifest, page, true).await?;
        }
    }
    let mut done = 0;
    let mut applied: Vec<(usize, AppliedView)> = Vec::with_capacity(manifest.jobs.len());
    for page in &pages {
        let answer = send_page(client, manifest, page, dry_run).await;
        let answer = answer.map_err(|failure| {
            let all = manifest.jobs.len();
            failure.after(&match done {
                0 => String::new(),
                done => format!(
                    "{done} of {all} jobs were applied before; the same again goes on with the rest"
                ),
            })
        })?;
        done += answer.len();
        applied.extend(page.iter().copied().zip(answer));
    }
    applied.sort_by_key(|(at, _)| *at);
    Ok(applied.into_iter().map(|(_, view)| view).collect())
}

async fn send_page(
    client: &Client,
    manifest: &Manifest,
    page: &[usize],
    dry_run: bool,
) -> Result<Vec<AppliedView>, Failure> {
    let jobs = page.iter().filter_map(|at| manifest.jobs.get(*at));
    let answer = if dry_run {
        client.plan(jobs).await
    } else {
        client.apply(jobs).await
    };
    let applied = answer
        .map_err(|error| Failure::from(error).map_places(|field| manifest.place_of(page, field)))?;
    Ok(applied.into_iter().map(AppliedView::from).collect())
}
