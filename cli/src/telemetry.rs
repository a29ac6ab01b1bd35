//! Log lines of the long-running commands, on standard error, so that standard output stays for results.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, LogSection};
use crate::failure::Failure;

/// Starts logging; `RUST_LOG` wins over the configured level.
///
/// # Errors
/// Usage, when the level cannot be read.
pub(crate) fn start(log: &LogSection) -> Result<(), Failure> {
    let level = std::env::var("RUST_LOG")
        .ok()
        .filter(|level| !level.is_empty())
        .unwrap_or_else(|| log.level.clone());
    let filter = EnvFilter::try_new(&level)
        .map_err(|e| Failure::usage(format!("log level {level:?} cannot be read: {e}")))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = match log.format {
        LogFormat::Json => lines.json().try_init(),
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).try_init(),
    };
    started.map_err(|e| Failure::broken(format!("logging cannot start: {e}")))
}
