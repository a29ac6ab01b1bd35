//! The jobs of documents, sent in calls of a bounded size.

use tickwheel_api::answers::Applied;
use tickwheel_client::Client;

use super::pages::pages;
use crate::failure::Failure;
use crate::manifest::Manifest;

/// Sends the jobs of a manifest; mistakes that only the tracker can see come back with their place in the files.
pub(crate) async fn send(
    client: &Client,
    manifest: &Manifest,
    dry_run: bool,
) -> Result<Vec<Applied>, Failure> {
    let pages = pages(&manifest.jobs)?;
    if pages.len() > 1 && !dry_run {
        // Nothing is written before all of it is known to be right.
        for page in &pages {
            send_page(client, manifest, page, true).await?;
        }
    }
    let mut done = 0;
    let mut applied: Vec<(usize, Applied)> = Vec::with_capacity(manifest.jobs.len());
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

/// Sends the one job of a manifest, to be changed only from this revision.
pub(super) async fn send_if(
    client: &Client,
    manifest: &Manifest,
    revision: u64,
) -> Result<Applied, Failure> {
    let Some(job) = manifest.jobs.first() else {
        return Err(Failure::usage("there is no job in it"));
    };
    let answer = client.apply_if(job, revision).await;
    let applied = answer
        .map_err(|error| Failure::from(error).map_places(|field| manifest.place_of(&[0], field)))?;
    Ok(Applied::from(applied))
}

async fn send_page(
    client: &Client,
    manifest: &Manifest,
    page: &[usize],
    dry_run: bool,
) -> Result<Vec<Applied>, Failure> {
    let jobs = page.iter().filter_map(|at| manifest.jobs.get(*at));
    let answer = if dry_run {
        client.plan(jobs).await
    } else {
        client.apply(jobs).await
    };
    let applied = answer
        .map_err(|error| Failure::from(error).map_places(|field| manifest.place_of(page, field)))?;
    Ok(applied.into_iter().map(Applied::from).collect())
}
