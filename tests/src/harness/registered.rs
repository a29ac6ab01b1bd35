//! Jobs that a test registered, to be checked as a whole when it is done.

use anyhow::{Context as _, Result, ensure};
use tickwheel_core::job::JobSpec;

use super::client::Client;
use super::rig::Rig;
use super::snapshot::Snapshot;
use crate::ledger::{self, Story};

/// Jobs of one call.
const CHUNK: usize = 200;

/// What was registered, with what was answered.
#[derive(Debug, Default)]
pub struct Registered {
    jobs: Vec<(JobSpec, Option<u64>)>,
}

impl Registered {
    /// Registers `specs` in their order.
    ///
    /// # Errors
    /// As the tracker says.
    pub async fn apply(client: &mut Client, specs: Vec<JobSpec>) -> Result<Self> {
        let mut registered = Self::default();
        for chunk in specs.chunks(CHUNK) {
            let applied = client.apply(chunk).await?;
            ensure!(
                applied.len() == chunk.len(),
                "{} of {} jobs were answered",
                applied.len(),
                chunk.len()
            );
            let dues = applied.iter().map(|one| one.next_due_ms);
            registered.jobs.extend(chunk.iter().cloned().zip(dues));
        }
        Ok(registered)
    }

    /// The specs in the order of their registration.
    pub fn specs(&self) -> impl Iterator<Item = &JobSpec> {
        self.jobs.iter().map(|(spec, _)| spec)
    }

    /// The first due time that was answered for the job at `index`.
    ///
    /// # Errors
    /// When none was.
    pub fn first_due(&self, index: usize) -> Result<u64> {
        self.jobs
            .get(index)
            .and_then(|(_, due)| *due)
            .context("no due time was answered")
    }

    /// What `snapshot` says of each job.
    ///
    /// # Errors
    /// When a job is not there.
    pub fn stories(&self, rig: &Rig, snapshot: &Snapshot) -> Result<Vec<Story>> {
        let story = |(spec, due): &(JobSpec, Option<u64>)| {
            let job = snapshot
                .job(spec.name.as_str())
                .with_context(|| format!("{} is gone", spec.name))?;
            Ok(Story::new(
                spec.clone(),
                *due,
                job.ledger.clone(),
                job,
                rig.store.partitions(),
            ))
        };
        self.jobs.iter().map(story).collect()
    }

    /// Checks every ledger by itself, in a cluster that may be running, and all invariants.
    ///
    /// # Errors
    /// The first twenty problems.
    pub async fn check(&self, rig: &Rig) -> Result<Vec<Story>> {
        let stories = self.stories(rig, &rig.snapshot().await?)?;
        no_problems(&stories.iter().flat_map(ledger::check).collect::<Vec<_>>())?;
        rig.check().await?;
        Ok(stories)
    }

    /// Checks every ledger, and followers with their upstreams, in a cluster where nothing is under way; and all invariants.
    ///
    /// # Errors
    /// The first twenty problems.
    pub async fn check_quiet(&self, rig: &Rig, snapshot: &Snapshot) -> Result<Vec<Story>> {
        let stories = self.stories(rig, snapshot)?;
        no_problems(&ledger::check_all(&stories))?;
        rig.check().await?;
        Ok(stories)
    }
}

/// Makes an error of problems.
///
/// # Errors
/// The first twenty.
pub fn no_problems(problems: &[String]) -> Result<()> {
    let first: Vec<&str> = problems.iter().take(20).map(String::as_str).collect();
    ensure!(
        problems.is_empty(),
        "{} problems:\n{}",
        problems.len(),
        first.join("\n")
    );
    Ok(())
}
