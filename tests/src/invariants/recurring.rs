//! W4: a recurring, enabled job goes on.

use tickwheel_core::invariant::Invariant;

use super::{Broken, Findings};
use crate::harness::Snapshot;

/// An active job with a calendar has its entry in the wheel; one with a delay has it, or a scheduled firing that will give it one. A
/// paused, finished or absent job has none. The list of jobs and the jobs agree.
#[must_use]
pub fn w4_recurring_jobs_go_on(snapshot: &Snapshot) -> Vec<Broken> {
    let mut found = Findings::new(Invariant::W4);
    for partition in &snapshot.partitions {
        let armed = |name: &str| {
            partition
                .entries
                .iter()
                .any(|(_, entry)| entry.strip_prefix('@') == Some(name))
        };
        for (name, job) in partition
            .jobs
            .iter()
            .filter(|(_, job)| !job.fields.is_empty())
        {
            let (state, kind) = (job.field("state"), job.field("kind"));
            let has_entry = armed(name.as_str());
            let expected = match (state, kind) {
                ("active", "cron" | "fixed_rate" | "once") => true,
                ("active", "fixed_delay" | "second_delay") => {
                    let queued = job
                        .queue
                        .iter()
                        .any(|(_, member)| member.id.as_str().contains(".f@"));
                    let under_way = queued || job.active.values().any(|mark| mark == "s");
                    found.check(has_entry || under_way, || {
                        format!(
                            "{name} ({kind}) is not in the wheel, and nothing of it is under way"
                        )
                    });
                    // Both at once is possible after a new revision.
                    has_entry
                }
                _ => false,
            };
            found.check(has_entry == expected, || {
                format!(
                    "{name} ({kind}) is {state} and {} the wheel; next `{}`",
                    if has_entry { "in" } else { "not in" },
                    job.field("next")
                )
            });
            found.check(partition.job_names.contains(name), || {
                format!("{name} is not in the list of jobs")
            });
        }
        for name in &partition.job_names {
            let exists = partition
                .jobs
                .get(name)
                .is_some_and(|job| !job.fields.is_empty());
            found.check(exists, || {
                format!("{name} is in the list of jobs, and there is no such job")
            });
        }
        for (_, entry) in partition
            .entries
            .iter()
            .filter(|(_, entry)| entry.starts_with('@'))
        {
            let exists = partition
                .job_names
                .iter()
                .any(|name| entry.strip_prefix('@') == Some(name.as_str()));
            found.check(exists, || {
                format!("`{entry}` is in the wheel, and there is no such job")
            });
        }
    }
    found.broken
}
