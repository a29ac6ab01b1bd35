//! One server process.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::process::{Child, Command};

use super::launch::{Launch, Layout, free_port};
use super::users;
use crate::harness::wait::until;
use crate::harness::wire::Wire;

/// Another process may take the free port first.
const ATTEMPTS: usize = 5;
const START_LIMIT: Duration = Duration::from_secs(10);

/// Kills the server when the test process is gone, however it went: its end of standard input is closed then.
const WATCH: &str = "read -r _; kill -9 \"$1\"";

/// A running server; killed when dropped.
#[derive(Debug)]
pub(super) struct Node {
    /// Ends before the server, whose number may soon be another process'.
    watch: Child,
    port: u16,
    /// Where the nodes of a cluster reach it: the usual distance of 10,000 leads beyond the last port.
    bus: u16,
    launch: Launch,
    dir: PathBuf,
    child: Child,
}

/// The program to start.
fn program() -> String {
    std::env::var("TICKWHEEL_REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned())
}

/// What it says of its version.
async fn version() -> Result<String> {
    let said = Command::new(program()).arg("--version").output().await?;
    Ok(String::from_utf8_lossy(&said.stdout).into_owned())
}

/// Whether the program can be started.
pub(super) async fn installed() -> bool {
    let asked = Command::new(program())
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await;
    asked.is_ok_and(|status| status.success())
}

impl Node {
    /// Starts one on a free port, with its data in `dir`.
    pub(super) async fn start(dir: &Path, launch: Launch) -> Result<Self> {
        let mut failed = None;
        for _ in 0..ATTEMPTS {
            match Self::spawn(dir, (free_port()?, free_port()?), launch.clone()).await {
                Ok(node) => return Ok(node),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.context("no attempt was made")?)
    }

    /// Starts a sentinel with its configuration file.
    pub(super) async fn start_sentinel(dir: &Path, config: &str) -> Result<Self> {
        let (port, bus) = (free_port()?, free_port()?);
        let child = Command::new(program())
            .args([
                config,
                "--sentinel",
                "--bind",
                "127.0.0.1",
                "--port",
                &port.to_string(),
            ])
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let watch = watch(child.id().context("the sentinel ended")?)?;
        let node = Self {
            watch,
            port,
            bus,
            launch: Launch::default(),
            dir: dir.to_owned(),
            child,
        };
        until("the sentinel answers", START_LIMIT, async || {
            Wire::connect(port).await?.command(&["PING"]).await
        })
        .await?;
        Ok(node)
    }

    async fn spawn(dir: &Path, (port, bus): (u16, u16), launch: Launch) -> Result<Self> {
        let clustered = [
            "--cluster-enabled",
            "yes",
            "--cluster-port",
            &bus.to_string(),
            "--cluster-node-timeout",
            "3000",
        ];
        let users = match launch.as_user {
            true => Some(users::write(dir, &version().await?)?),
            false => None,
        };
        let child = Command::new(program())
            .args([
                "--bind",
                "127.0.0.1",
                "--port",
                &port.to_string(),
                "--save",
                "",
            ])
            .args([
                "--appendonly",
                if launch.durable { "yes" } else { "no" },
                "--appendfsync",
                "everysec",
            ])
            .arg("--dir")
            .arg(dir)
            .args(
                clustered
                    .iter()
                    .filter(|_| launch.layout == Layout::Cluster),
            )
            .args(
                users
                    .iter()
                    .flat_map(|file| ["--aclfile".as_ref(), file.as_os_str()]),
            )
            .args(&launch.arguments)
            .envs(launch.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let watch = watch(child.id().context("redis-server ended")?)?;
        let mut node = Self {
            watch,
            port,
            bus,
            launch,
            dir: dir.to_owned(),
            child,
        };
        node.wait_ready().await?;
        Ok(node)
    }

    /// Until it answers, and is the process that was started.
    async fn wait_ready(&mut self) -> Result<()> {
        let pid = self.child.id().context("redis-server ended")?;
        until("redis-server answers", START_LIMIT, async || {
            let mut wire = Wire::connect(self.port).await?;
            let info = wire.command(&["INFO", "server"]).await?.text();
            ensure!(
                info.contains(&format!("process_id:{pid}\r\n")),
                "another server has port {}",
                self.port
            );
            let info = wire.command(&["INFO", "persistence"]).await?.text();
            ensure!(info.contains("loading:0"), "redis is loading");
            Ok(())
        })
        .await
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn bus(&self) -> u16 {
        self.bus
    }

    pub(super) async fn signal(&self, signal: &str) -> Result<()> {
        let pid = self.child.id().context("redis-server has ended")?;
        let status = Command::new("kill")
            .args([format!("-{signal}"), pid.to_string()])
            .status()
            .await?;
        ensure!(status.success(), "kill -{signal} redis-server: {status}");
        Ok(())
    }

    pub(super) async fn kill(&mut self) -> Result<()> {
        self.watch.kill().await.context("end the watch")?;
        self.child.kill().await.context("kill redis-server")
    }

    pub(super) async fn restart(&mut self) -> Result<()> {
        let ports = (self.port, self.bus);
        *self = Self::spawn(&self.dir.clone(), ports, self.launch.clone()).await?;
        Ok(())
    }
}

fn watch(pid: u32) -> Result<Child> {
    let mut watch = Command::new("sh");
    watch
        .args(["-c", WATCH, "sh", &pid.to_string()])
        .stdin(Stdio::piped());
    Ok(watch
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?)
}
