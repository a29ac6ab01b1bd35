//! What a person does at a shell: the `tickwheel` program, and the commands of the documentation as they stand there.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

const LIMIT: Duration = Duration::from_secs(60);

/// Runs `tickwheel` with `words`; its exit code is in the answer. It is the one that was built beside the running program, or
/// `TICKWHEEL_BIN`.
///
/// # Errors
/// When there is none, or it does not end.
pub async fn tickwheel(words: &[&str]) -> Result<Output> {
    let program = program()?;
    let ran = Command::new(&program)
        .args(words)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(LIMIT, ran).await;
    output
        .with_context(|| format!("tickwheel {words:?} does not end"))?
        .with_context(|| format!("start {}", program.display()))
}

/// The same, which has to succeed; answers with what it printed.
///
/// # Errors
/// When it fails, with what it said.
pub async fn succeeds(words: &[&str]) -> Result<String> {
    let output = tickwheel(words).await?;
    let [said, warned] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    ensure!(
        output.status.success(),
        "tickwheel {words:?} ended with {}: {said}{warned}",
        output.status
    );
    Ok(said)
}

/// Beside the running program, or one folder up from there: tests lie in `deps`.
fn program() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("TICKWHEEL_BIN") {
        return Ok(path.into());
    }
    let this = std::env::current_exe()?;
    let beside = this
        .ancestors()
        .skip(1)
        .take(2)
        .map(|dir| dir.join("tickwheel"));
    beside
        .into_iter()
        .find(|path| path.is_file())
        .with_context(|| {
            format!(
                "no tickwheel beside {}: build it, `cargo build -p tickwheel-cli`, or name it in TICKWHEEL_BIN",
                this.display()
            )
        })
}

/// Where the commands of `docs/backup.md` do their work.
#[derive(Debug, Clone, Copy)]
pub struct Backup<'a> {
    /// The port of Redis.
    pub port: u16,
    /// Its folder.
    pub data: &'a Path,
    /// The file to write, or to restore.
    pub file: &'a Path,
}

impl Backup<'_> {
    /// Does what the page says under `name`: `backup` or `restore`.
    ///
    /// # Errors
    /// When a command fails, or the page has no such block.
    pub async fn perform(&self, name: &str) -> Result<()> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let page = std::fs::read_to_string(root.join("docs/backup.md"))?;
        let (_, from) = page
            .split_once(&format!("```sh {name}\n"))
            .with_context(|| format!("docs/backup.md has no block `sh {name}`"))?;
        let (block, _) = from.split_once("```").context("a block that ends")?;
        let performed = Command::new("bash")
            .args(["-euo", "pipefail", "-c", block])
            .env("PORT", self.port.to_string())
            .env("DATA", self.data)
            .env("BACKUP", self.file)
            .env("CONF", root.join("deploy/redis.conf"))
            .stdin(Stdio::null())
            .output();
        let output = tokio::time::timeout(LIMIT, performed).await??;
        ensure!(output.status.success(), "{name}: {output:?}");
        Ok(())
    }
}
