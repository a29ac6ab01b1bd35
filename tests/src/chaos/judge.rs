//! The judgement at the end of a fault.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::case::Case;
use super::quiet;
use super::stage::Stage;
use super::verdict::{self, Evidence, Figures};
use crate::harness::{Snapshot, until};
use crate::invariants;

/// After a fault, everything that is due has ended within this.
const DRAIN_LIMIT: Duration = Duration::from_secs(60);
impl Case {
    /// Ends the load and the jobs, waits until everything has ended, and checks what holds after every fault: nothing lost, no attempt
    /// twice, nothing stale accepted, all ledgers complete, all invariants. Then the cluster falls silent and has to serve late customers as if
    /// nothing had been ([`quiet`]).
    ///
    /// # Errors
    /// When the cluster does not answer any more.
    pub async fn judge(&mut self, stage: &mut Stage) -> Result<Snapshot> {
        let accounts = stage.load.finish().await;
        pause_jobs(stage).await?;
        let drained = until("everything accepted has ended", DRAIN_LIMIT, async || {
            let snapshot = stage.rig.drained(DRAIN_LIMIT).await?;
            let live = verdict::live(&snapshot);
            let mut accepted = accounts.accepted.iter();
            let left =
                accepted.find(|(id, _)| live.contains(id) && !self.loss.contexts.contains(id));
            ensure!(left.is_none(), "{left:?} has not");
            Ok(snapshot)
        })
        .await;
        let snapshot = match drained {
            Ok(snapshot) => snapshot,
            Err(left) => {
                self.fail(format!("{left:#}"));
                stage.rig.snapshot().await?
            }
        };
        let runs = self.loss.known(stage.rig.book.read()?);
        self.is_gone(&snapshot);
        self.figures.take(&Evidence {
            accounts: &accounts,
            snapshot: &snapshot,
            runs: &runs,
            marks: &self.marks,
            recoveries: &self.recoveries,
            loss: &self.loss,
        });
        let mut broken = invariants::all(&snapshot, &runs);
        broken.retain(|one| !self.tolerated.contains(&one.invariant));
        self.figures.invariants_broken = u64::try_from(broken.len())?;
        for one in &broken {
            self.fail(one.to_string());
        }
        if let Some(jobs) = &stage.jobs {
            let stories = jobs.stories(&stage.rig, &snapshot)?;
            for problem in crate::ledger::check_all(&stories) {
                self.fail(problem);
            }
        }
        let Figures {
            lost,
            same_fence_twice,
            stale_accepted,
            unknown,
            ..
        } = self.figures;
        self.expect(lost == 0, || format!("{lost} contexts are lost"));
        self.expect(same_fence_twice == 0, || {
            format!("{same_fence_twice} attempts were started twice")
        });
        self.expect(stale_accepted == 0, || {
            format!("{stale_accepted} stale outcomes were accepted")
        });
        self.expect(unknown == 0, || {
            format!("{unknown} submissions were never answered")
        });
        Box::pin(quiet::hold(self, stage)).await?;
        Ok(snapshot)
    }

    /// What is gone by the nature of the fault does not come back.
    fn is_gone(&mut self, snapshot: &Snapshot) {
        let mut there = verdict::live(snapshot);
        there.append(&mut verdict::ended(snapshot));
        let back: Vec<String> = there.intersection(&self.loss.contexts).cloned().collect();
        self.expect(back.is_empty(), || {
            format!(
                "{} contexts that were gone are there again, say {:?}",
                back.len(),
                back.first()
            )
        });
    }
}

/// Through whichever tracker answers.
async fn pause_jobs(stage: &Stage) -> Result<()> {
    let names: Vec<String> = stage
        .jobs
        .iter()
        .flat_map(|jobs| jobs.specs().map(|spec| spec.name.to_string()))
        .collect();
    for name in names {
        let mut at = 0;
        until("the jobs pause", Duration::from_secs(30), async || {
            at = (at + 1) % stage.nodes.len().max(1);
            stage
                .client(at)?
                .pause(&name)
                .await
                .map(drop)
                .context("pause")
        })
        .await?;
    }
    Ok(())
}
