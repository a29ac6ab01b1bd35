//! One redis-server.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::process::{Child, Command};

use crate::wire::{Answer, Wire};

/// A server that was started for the run, on a free loopback port, or a given one.
#[derive(Debug)]
pub(crate) struct Node {
    child: Option<Child>,
    /// `host:port`.
    pub(crate) address: String,
}

impl Node {
    /// Starts a server with its data in `dir`; it ends with this value.
    pub(crate) async fn start(dir: &Path, persistence: &str, extra: &[&str]) -> Result<Self> {
        let appendonly = match persistence {
            "none" => vec!["--appendonly", "no"],
            "everysec" | "always" => vec!["--appendonly", "yes", "--appendfsync", persistence],
            other => bail!("persistence is none, everysec or always (given: {other})"),
        };
        let port = free_port()?;
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--slowlog-log-slower-than", "500"])
            .args(["--slowlog-max-len", "100000"])
            .args(appendonly)
            .args(extra)
            .arg("--dir")
            .arg(dir)
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("redis-server does not start; `make redis` installs it")?;
        let node = Self {
            child: Some(child),
            address: format!("127.0.0.1:{port}"),
        };
        for _ in 0..200 {
            let answer = node.call(&["ping"]).await;
            if answer.is_ok_and(|answer| answer.text() == "PONG") {
                return Ok(node);
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        bail!("redis-server does not answer on port {port}")
    }

    /// A server that runs already.
    pub(crate) fn given(address: &str) -> Self {
        Self {
            child: None,
            address: address.to_owned(),
        }
    }

    pub(crate) fn port(&self) -> Result<String> {
        let (_, port) = self.address.rsplit_once(':').context("no port")?;
        Ok(port.to_owned())
    }

    /// Process id, where the run started it.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    pub(crate) async fn wire(&self) -> Result<Wire> {
        Wire::connect(&self.address).await
    }

    /// One command on a connection of its own.
    pub(crate) async fn call<W: AsRef<[u8]>>(&self, words: &[W]) -> Result<Answer> {
        self.wire().await?.call(words).await
    }

    pub(crate) async fn info(&self) -> Result<Info> {
        Ok(Info(self.call(&["info"]).await?.text()))
    }
}

/// What `INFO` answered.
#[derive(Debug)]
pub(crate) struct Info(String);

impl Info {
    pub(crate) fn word(&self, name: &str) -> Option<&str> {
        let mut lines = self.0.lines();
        lines.find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'))
    }

    pub(crate) fn number(&self, name: &str) -> Result<f64> {
        let number = self.word(name).and_then(|word| word.parse().ok());
        number.with_context(|| format!("INFO has no number {name}"))
    }
}

/// A port that is free now, and whose bus port (10,000 above) is a port too.
fn free_port() -> Result<u16> {
    for _ in 0..100 {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        if port < 55_000 {
            return Ok(port);
        }
    }
    bail!("no free port below 55,000")
}
