//! A process of the run: what it prints, and what it uses, as Linux counts it.

use anyhow::{Context as _, Result};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

/// Clock ticks of `/proc/<pid>/stat`, on every Linux of today.
const TICKS_PER_SECOND: f64 = 100.0;

/// User and system seconds of a process so far, its threads included.
pub(crate) fn cpu_seconds(child: &Child) -> f64 {
    let Some(pid) = child.id() else { return 0.0 };
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let words: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |at: usize| {
        let word = words.get(at).and_then(|word| word.parse::<f64>().ok());
        word.unwrap_or(0.0)
    };
    (ticks(11) + ticks(12)) / TICKS_PER_SECOND
}

/// Peak resident memory in MiB.
pub(crate) fn peak_mib(pid: u32) -> f64 {
    Resident::of(pid).peak_mib
}

/// Resident memory in MiB.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Resident {
    pub(crate) now_mib: f64,
    pub(crate) peak_mib: f64,
}

impl Resident {
    pub(crate) fn of(pid: u32) -> Self {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let mib = |field: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(field));
            let kib = line.and_then(|line| line.split_whitespace().next());
            kib.and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
        };
        Self {
            now_mib: mib("VmRSS:"),
            peak_mib: mib("VmHWM:"),
        }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            now_mib: self.now_mib + other.now_mib,
            peak_mib: self.peak_mib + other.peak_mib,
        }
    }
}

/// The lines that a process prints.
pub(crate) fn output(child: &mut Child) -> Result<Lines<BufReader<ChildStdout>>> {
    let stdout = child.stdout.take().context("a process without output")?;
    Ok(BufReader::new(stdout).lines())
}
