//! Real processes that die as processes die: by signals, or with the test.

use std::fs::File;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

/// A debug binary on a busy machine needs a while.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A running process; killed when dropped. It leaves by itself when its standard input ends, that is, with the test process.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    _stdin: Option<ChildStdin>,
}

impl Process {
    /// Starts `program` with `config` as its argument, and waits for its first line: JSON that says where it is.
    ///
    /// # Errors
    /// When it does not start; its log is in `log`.
    pub async fn start<T: DeserializeOwned>(
        name: &str,
        program: &str,
        config: &impl Serialize,
        log: &Path,
    ) -> Result<(Self, T)> {
        Self::start_in(name, (program, &[]), config, log).await
    }

    /// The same with variables in its environment.
    ///
    /// # Errors
    /// When it does not start; its log is in `log`.
    pub async fn start_in<T: DeserializeOwned>(
        name: &str,
        (program, environment): (&str, &[(String, String)]),
        config: &impl Serialize,
        log: &Path,
    ) -> Result<(Self, T)> {
        let mut child = Command::new(program)
            .arg(serde_json::to_string(config)?)
            .envs(environment.iter().cloned())
            // Errors are read by people and by tests.
            .env("RUST_LIB_BACKTRACE", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {program}"))?;
        let stdin = child.stdin.take();
        let mut lines =
            BufReader::new(child.stdout.take().context("a process without output")?).lines();
        let first = tokio::time::timeout(START_LIMIT, lines.next_line()).await;
        let first = first.with_context(|| format!("{name} did not start in {START_LIMIT:?}"))??;
        let first = first.with_context(|| format!("{name} ended at its start: {}", tail(log)))?;
        Ok((
            Self {
                name: name.to_owned(),
                child,
                _stdin: stdin,
            },
            serde_json::from_str(&first)?,
        ))
    }

    /// What the test calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its number in the system; `None` once it has ended.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// True until it has ended, by whatever.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// `kill -9`, and waits until it is gone.
    ///
    /// # Errors
    /// When it had ended before.
    pub async fn kill(&mut self) -> Result<()> {
        self.signal("KILL").await?;
        self.child.wait().await?;
        Ok(())
    }

    /// Sends a signal, say `TERM`, `STOP` or `CONT`.
    ///
    /// # Errors
    /// When it had ended before.
    pub async fn signal(&self, signal: &str) -> Result<()> {
        let pid = self
            .child
            .id()
            .with_context(|| format!("{} has ended", self.name))?;
        let status = Command::new("kill")
            .args([format!("-{signal}"), pid.to_string()])
            .status()
            .await?;
        ensure!(status.success(), "kill -{signal} {}: {status}", self.name);
        Ok(())
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// When it still runs after `limit`.
    pub async fn ended(&mut self, limit: Duration) -> Result<ExitStatus> {
        let waited = tokio::time::timeout(limit, self.child.wait()).await;
        Ok(waited.with_context(|| format!("{} still runs after {limit:?}", self.name))??)
    }
}

/// Inside a process of a rig: until the test process is gone, and with it the other end of standard input.
pub async fn parent_gone() {
    let (gone, told) = tokio::sync::oneshot::channel();
    // A thread of its own: the runtime would wait for a blocking read at its end.
    std::thread::spawn(move || {
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).ok();
        gone.send(()).ok();
    });
    told.await.ok();
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines
        .get(lines.len().saturating_sub(10)..)
        .unwrap_or_default()
        .join("\n")
}
