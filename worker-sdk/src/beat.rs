//! The report of a worker's beats: load and memory of its machine, or of its container where that has limits.
//!
//! Sampled every few seconds off the runtime's threads; beats carry the last sample.

use std::sync::Arc;

use sysinfo::System;
use tickwheel_proto::v1::Report;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tracing::warn;

use crate::limits::SAMPLE_INTERVAL;
use crate::shared::Shared;

/// Samples for ever.
pub(crate) async fn sample(shared: Arc<Shared>) {
    let mut system = match System::new() {
        Ok(system) => system,
        Err(error) => {
            warn!(%error, "the machine's load cannot be read; reports stay without it");
            return;
        }
    };
    loop {
        let sampled = spawn_blocking(move || {
            let report = look(&mut system);
            (system, report)
        });
        let Ok((kept, report)) = sampled.await else {
            return;
        };
        system = kept;
        shared.desk().set_report(report);
        sleep(SAMPLE_INTERVAL).await;
    }
}

/// `cpu_load` is the share of all CPUs in use since the last look, 0 to 1.
fn look(system: &mut System) -> Report {
    system.refresh_cpu_usage();
    system.refresh_memory();
    let whole = (system.total_memory(), system.used_memory());
    let limited = system.cgroup_limits().map(|limits| {
        let used = limits.total_memory.saturating_sub(limits.free_memory);
        (limits.total_memory, used)
    });
    let (total, used) = limited
        .filter(|(total, _)| *total > 0 && *total < whole.0)
        .unwrap_or(whole);
    Report {
        running: 0,
        cpu_load: (system.global_cpu_usage() / 100.0).clamp(0.0, 1.0),
        memory_used_bytes: used,
        memory_total_bytes: total,
        cpus: cpus(),
        ..Report::default()
    }
}

/// What this process may use: affinity and container quota count.
pub(crate) fn cpus() -> u32 {
    std::thread::available_parallelism()
        .map_or(1, |cpus| u32::try_from(cpus.get()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_plausible_figures() {
        let report = look(&mut System::new().unwrap());
        assert!(
            report.memory_total_bytes > 0 && report.memory_used_bytes <= report.memory_total_bytes
        );
        assert!((0.0..=1.0).contains(&report.cpu_load));
        assert!(report.cpus >= 1);
    }
}
