//! A redis-server of one test, on a free port of the loopback, with its data in the test's directory.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::process::{Child, Command};

use super::wait::until;
use super::wire::Wire;

/// Another process may take the free port first.
const ATTEMPTS: usize = 5;
const START_LIMIT: Duration = Duration::from_secs(10);

/// Kills the server when the test process is gone, however it went: its end of standard input is closed then.
const WATCH: &str = "read -r _; kill -9 \"$1\"";

/// What a server is started with besides its port.
#[derive(Debug, Clone, Default)]
pub struct Launch {
    /// It keeps an append-only file.
    pub durable: bool,
    /// Variables of its environment.
    pub environment: Vec<(String, String)>,
    /// More arguments, say `--maxmemory`.
    pub arguments: Vec<String>,
}

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct RedisServer {
    /// Ends before the server, whose number may soon be another process'.
    watch: Child,
    port: u16,
    launch: Launch,
    dir: PathBuf,
    child: Child,
}

impl RedisServer {
    /// Starts a server, with an append-only file when `durable`. `None` where no redis-server is installed.
    ///
    /// # Errors
    /// When an installed server does not start, or none is installed where one is required.
    pub async fn start(dir: &Path, durable: bool) -> Result<Option<Self>> {
        let launch = Launch {
            durable,
            ..Launch::default()
        };
        Self::launch(dir, launch).await
    }

    /// Starts a server as `launch` says. `None` where no redis-server is installed.
    ///
    /// # Errors
    /// When an installed server does not start, or none is installed where one is required.
    pub async fn launch(dir: &Path, launch: Launch) -> Result<Option<Self>> {
        if !installed().await {
            let required = ["CI", "TICKWHEEL_REQUIRE_REDIS"]
                .iter()
                .any(|name| std::env::var_os(name).is_some());
            ensure!(
                !required,
                "redis-server is not installed, and this environment requires it"
            );
            say_skipped();
            return Ok(None);
        }
        let mut failed = None;
        for _ in 0..ATTEMPTS {
            let port = free_port()?;
            match Self::spawn(dir, port, launch.clone()).await {
                Ok(server) => return Ok(Some(server)),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.context("no attempt was made")?)
    }

    async fn spawn(dir: &Path, port: u16, launch: Launch) -> Result<Self> {
        let child = Command::new("redis-server")
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
            .args(&launch.arguments)
            .envs(launch.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let watch = watch(child.id().context("redis-server ended")?)?;
        let mut server = Self {
            watch,
            port,
            launch,
            dir: dir.to_owned(),
            child,
        };
        server.wait_ready().await?;
        Ok(server)
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

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where trackers reach it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A connection for plain commands.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn wire(&self) -> Result<Wire> {
        Wire::connect(self.port).await
    }

    /// Sends it a signal, say `STOP` or `CONT`.
    ///
    /// # Errors
    /// When it had ended before.
    pub async fn signal(&self, signal: &str) -> Result<()> {
        let pid = self.child.id().context("redis-server has ended")?;
        let status = Command::new("kill")
            .args([format!("-{signal}"), pid.to_string()])
            .status()
            .await?;
        ensure!(status.success(), "kill -{signal} redis-server: {status}");
        Ok(())
    }

    /// Ends it without warning.
    ///
    /// # Errors
    /// When it had ended before.
    pub async fn kill(&mut self) -> Result<()> {
        self.watch.kill().await.context("end the watch")?;
        self.child.kill().await.context("kill redis-server")
    }

    /// Starts it again after [`kill`](Self::kill), on the same port and data.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn restart(&mut self) -> Result<()> {
        *self = Self::spawn(&self.dir.clone(), self.port, self.launch.clone()).await?;
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

async fn installed() -> bool {
    let asked = Command::new("redis-server")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await;
    asked.is_ok_and(|status| status.success())
}

/// A port of the loopback that nobody listens on.
///
/// # Errors
/// When the system has none.
pub fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?
        .local_addr()?
        .port())
}

#[expect(
    clippy::print_stderr,
    reason = "whoever runs the tests must see that they did nothing"
)]
fn say_skipped() {
    eprintln!("SKIPPED: redis-server is not installed; this end-to-end test did nothing");
}
