//! What a worker's heartbeats report: load and memory of its machine, or of its container where that has limits.
//!
//! Sampled every few seconds off the runtime's threads; heartbeats carry the last sample.

use std::sync::Arc;

use sysinfo::{Disks, System};
use tickwheel_proto::v1::Report;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use tracing::warn;

use crate::bounds::SAMPLE_INTERVAL;
use crate::resources::Measured;
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
            (system, report, disk())
        });
        // What comes while it measures is not in it.
        let began = Instant::now();
        let Ok((kept, report, disk)) = sampled.await else {
            return;
        };
        system = kept;
        let measured = measured(&report, disk);
        shared.protocol().set_report(report, measured, began);
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
        load: load(),
        response_ms: None,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a load of some processes")]
fn load() -> f32 {
    System::load_average().map_or(0.0, |load| load.one as f32)
}

/// Total and used bytes of the disk on which this process works.
fn disk() -> Option<(u64, u64)> {
    let place = std::env::current_dir().ok()?;
    let disks = Disks::new_with_refreshed_list().ok()?;
    let disk = disks
        .iter()
        .filter(|disk| place.starts_with(disk.mount_point()))
        .max_by_key(|disk| disk.mount_point().as_os_str().len())?;
    let total = disk.total_space();
    Some((total, total.saturating_sub(disk.available_space())))
}

/// The report as resources: thousandths of CPUs, bytes of the rest.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share between 0 and 1 of some CPUs"
)]
fn measured(report: &Report, disk: Option<(u64, u64)>) -> Vec<Measured> {
    let cpus = f64::from(report.cpus) * 1_000.0;
    let mut measured = vec![
        Measured {
            name: "cpu",
            total: cpus as u64,
            used: (cpus * f64::from(report.cpu_load)) as u64,
        },
        Measured {
            name: "memory",
            total: report.memory_total_bytes,
            used: report.memory_used_bytes,
        },
    ];
    measured.extend(disk.map(|(total, used)| Measured {
        name: "disk",
        total,
        used,
    }));
    measured
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
        assert!(report.cpus >= 1 && report.load >= 0.0);
        let measured = measured(&report, disk());
        assert!(
            measured
                .iter()
                .all(|one| one.total > 0 && one.used <= one.total)
        );
        assert!(measured.len() >= 2);
    }
}
