//! W7: what waits will end: whoever has to look at it has an entry in the wheel.

use tickwheel_core::invariant::Invariant;

use super::{Broken, Findings};
use crate::harness::Snapshot;
use crate::harness::snapshot::Partition;

/// The longest a lease scan may lie in the future while something runs: it is set to the earliest end of a lease.
const SCAN_AHEAD_MS: u64 = 1_000;

/// Running contexts have a lease scan before the end of their leases, those with a timeout have a deadline, and waiting ones with a
/// start deadline have an entry for it.
#[must_use]
pub fn w7_what_waits_will_end(snapshot: &Snapshot) -> Vec<Broken> {
    let mut found = Findings::new(Invariant::W7);
    for partition in &snapshot.partitions {
        running(&mut found, partition);
        let ready = partition.ready.values().flatten();
        let queued = partition.jobs.values().flat_map(|job| &job.queue);
        for (_, member) in ready
            .chain(queued)
            .filter(|(_, member)| member.attempt.as_u32() == 0)
        {
            if member.rest.options.start_deadline_ms.is_none() {
                continue;
            }
            let watched = partition
                .entries
                .iter()
                .any(|(_, entry)| entry.starts_with(&format!("#{} ", member.id)));
            found.check(watched, || {
                format!(
                    "{} has a start deadline, and nothing in the wheel for it",
                    member.id
                )
            });
        }
        for (job, delivered) in partition
            .entries
            .iter()
            .filter_map(|(score, entry)| Some((entry.strip_prefix('&')?, score)))
        {
            // An offered delivery comes back to the wheel a second later.
            let ahead = delivered.saturating_sub(partition.now_ms);
            found.check(ahead <= SCAN_AHEAD_MS, || {
                format!("the delivery `{job}` lies {ahead} ms ahead")
            });
        }
    }
    found.broken
}

fn running(found: &mut Findings, partition: &Partition) {
    let scan = partition
        .entries
        .iter()
        .find(|(_, entry)| entry == "!reap")
        .map(|(score, _)| *score);
    found.check(partition.held.is_empty() || scan.is_some(), || {
        format!(
            "{} contexts run in partition {}, and no lease scan is planned",
            partition.held.len(),
            partition.number
        )
    });
    for (id, held) in &partition.held {
        let expires = held.expires.as_u64();
        // A scan that is under way stands a second ahead.
        let late = scan
            .unwrap_or(0)
            .saturating_sub(expires.max(partition.now_ms));
        found.check(late <= SCAN_AHEAD_MS, || {
            format!("the lease of {id} ends at {expires}, the scan is {late} ms later")
        });
        let has_timeout = held.rest.options.timeout_ms.is_some();
        found.check(has_timeout == held.deadline.is_some(), || {
            format!(
                "{id} has a timeout: {has_timeout}; a deadline: {:?}",
                held.deadline
            )
        });
    }
}
