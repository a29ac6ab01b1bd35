//! How a peer is installed and started. Nothing of it is in this tree but our driver.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::process::Command;

use super::missing::Missing;
use crate::args::{CompareOptions, PeerName};

const BULLMQ: &str = include_str!("../../peers/bullmq.mjs");
const CELERY: &str = include_str!("../../peers/celery_driver.py");
const APALIS: &str = include_str!("../../peers/apalis.rs");
const APALIS_MANIFEST: &str = include_str!("../../peers/apalis.toml");

/// A peer that is ready to run.
#[derive(Debug)]
pub(crate) struct Peer {
    name: PeerName,
    versions: String,
    program: PathBuf,
    driver: Option<PathBuf>,
    dir: PathBuf,
    pub(crate) workers: usize,
    pub(crate) producers: usize,
    concurrency: usize,
    /// Jobs that it surely adds each second, for what must be added before an instant.
    pub(crate) adds_per_s: u64,
}

impl Peer {
    /// Installs the peer into a folder under `target/`, where it stays for the next time.
    pub(crate) async fn prepare(options: &CompareOptions) -> Result<Self> {
        let dir = scratch(options.peer)?;
        let mut peer = match options.peer {
            PeerName::Bullmq => bullmq(dir).await?,
            PeerName::Celery => celery(dir).await?,
            PeerName::Apalis => apalis(dir).await?,
        };
        peer.workers = options.peer_workers.unwrap_or(peer.workers);
        peer.concurrency = options.peer_concurrency.unwrap_or(peer.concurrency);
        Ok(peer)
    }

    /// Name, versions and settings.
    pub(crate) fn title(&self) -> String {
        format!(
            "{} ({} worker processes with {} at once, {} producers)",
            self.versions, self.workers, self.concurrency, self.producers
        )
    }

    pub(crate) fn name(&self) -> PeerName {
        self.name
    }

    fn command(&self, role: &str, address: &str) -> Result<Command> {
        let (host, port) = address.rsplit_once(':').context("no port")?;
        let mut command = Command::new(&self.program);
        command.args(self.driver.as_ref()).current_dir(&self.dir);
        command.args([role, host, port]).kill_on_drop(true);
        Ok(command)
    }

    pub(crate) fn worker(&self, address: &str, records: &Path) -> Result<Command> {
        let mut command = self.command("worker", address)?;
        command.arg(self.concurrency.to_string()).arg(records);
        Ok(command)
    }

    /// A process that adds jobs `from..to` once it reads a line.
    pub(crate) fn producer(
        &self,
        role: &str,
        address: &str,
        (from, to): (usize, usize),
    ) -> Result<Command> {
        let mut command = self.command(role, address)?;
        command.args([from.to_string(), to.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Ok(command)
    }
}

/// `target/peers/<name>`, beside the folder this program was built into.
fn scratch(name: PeerName) -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.parent().and_then(Path::parent);
    let dir = target.context("no target folder")?.join("peers");
    let dir = dir.join(format!("{name:?}").to_lowercase());
    std::fs::create_dir_all(&dir)?;
    Ok(dir)
}

async fn bullmq(dir: PathBuf) -> Result<Peer> {
    let node = tool(
        "node",
        "BullMQ runs on Node.js 20 or newer: install nodejs and npm",
    )
    .await?;
    if !dir.join("node_modules/bullmq").exists() || !dir.join("node_modules/ioredis").exists() {
        tool("npm", "BullMQ is installed with npm: install it").await?;
        std::fs::write(dir.join("package.json"), "{\"private\": true}")?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "bullmq", "ioredis"]);
        done(npm.current_dir(&dir)).await?;
    }
    let driver = dir.join("driver.mjs");
    std::fs::write(&driver, BULLMQ)?;
    let versions = format!(
        "BullMQ {}, ioredis {}, Node.js {node}",
        npm_version(&dir, "bullmq")?,
        npm_version(&dir, "ioredis")?
    );
    Ok(Peer {
        name: PeerName::Bullmq,
        versions,
        program: "node".into(),
        driver: Some(driver),
        dir,
        // One process keeps Redis' core busy; a second one, or automatic pipelines in it, made each run slower here.
        workers: 1,
        producers: 2,
        concurrency: 300,
        adds_per_s: 5_000,
    })
}

fn npm_version(dir: &Path, package: &str) -> Result<String> {
    let path = dir.join("node_modules").join(package).join("package.json");
    let package: serde_json::Value = serde_json::from_slice(&std::fs::read(path)?)?;
    let version = package.get("version").and_then(serde_json::Value::as_str);
    Ok(version.unwrap_or("unknown").to_owned())
}

async fn celery(dir: PathBuf) -> Result<Peer> {
    let hint = "Celery runs on Python 3.9 or newer: install python3 with venv and pip";
    let python = tool("python3", hint).await?;
    let program = dir.join("bin/python");
    if !dir.join("bin/celery").exists() {
        let mut venv = Command::new("python3");
        let made = done(venv.args(["-m", "venv"]).arg(&dir)).await;
        made.map_err(|error| Missing(format!("{hint} ({error})")))?;
        let mut pip = Command::new(&program);
        done(pip.args(["-m", "pip", "install", "-q", "celery[redis]", "packaging"])).await?;
    }
    let driver = dir.join("celery_driver.py");
    std::fs::write(&driver, CELERY)?;
    let mut ask = Command::new(&program);
    let print = "import celery, redis; print('Celery', celery.__version__ + ', redis-py', redis.__version__, end='')";
    let versions = ask.args(["-c", print]).output().await?.stdout;
    Ok(Peer {
        name: PeerName::Celery,
        versions: format!("{}, {python}", String::from_utf8_lossy(&versions)),
        program,
        driver: Some(driver),
        dir,
        workers: 2,
        producers: 2,
        concurrency: 1000,
        adds_per_s: 800,
    })
}

async fn apalis(dir: PathBuf) -> Result<Peer> {
    tool("cargo", "apalis is built with cargo: install Rust").await?;
    std::fs::create_dir_all(dir.join("src"))?;
    std::fs::write(dir.join("src/main.rs"), APALIS)?;
    std::fs::write(dir.join("Cargo.toml"), APALIS_MANIFEST)?;
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--target-dir", "target"]);
    done(cargo.current_dir(&dir)).await?;
    let lock = std::fs::read_to_string(dir.join("Cargo.lock"))?;
    let mut lines = lock.lines();
    let version = lines
        .find(|line| *line == "name = \"apalis-redis\"")
        .and_then(|_| lines.next())
        .unwrap_or_default();
    let version = version.trim_start_matches("version = ").trim_matches('"');
    Ok(Peer {
        name: PeerName::Apalis,
        versions: format!("apalis-redis {version} with its locks off"),
        program: dir.join("target/release/peer"),
        driver: None,
        dir,
        workers: 1,
        producers: 1,
        concurrency: 100,
        adds_per_s: 5_000,
    })
}

/// The version of a tool, or [`Missing`] with what to do about it.
async fn tool(name: &str, hint: &str) -> Result<String> {
    let output = Command::new(name).arg("--version").output().await;
    match output {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        Ok(_) | Err(_) => bail!(Missing(format!("`{name}` is missing. {hint}."))),
    }
}

async fn done(command: &mut Command) -> Result<()> {
    let output = command.output().await?;
    ensure!(
        output.status.success(),
        "{:?}: {}",
        command.as_std(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
