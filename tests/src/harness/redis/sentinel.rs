//! A primary, a replica, and a sentinel that fails over from one to the other when it is told to.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::node::Node;
use super::{Launch, Layout, RedisServer};
use crate::harness::wait::until;
use crate::harness::wire::Wire;

const LIMIT: Duration = Duration::from_secs(20);
/// A busy machine keeps a primary from answering for seconds; a sentinel that takes it for dead then has two of them, of which one loses
/// what it accepted.
const DOWN_AFTER: Duration = Duration::from_secs(600);

/// Three servers.
#[derive(Debug)]
pub struct Sentinel {
    primary: RedisServer,
    /// Promoted by [`fail_over`](Self::fail_over).
    pub replica: RedisServer,
    sentinel: Node,
}

impl Sentinel {
    /// Starts them, each with a folder in `dir`; `as_user` has trackers log in as the user of `deploy/redis/users.acl`. `None` where no redis-server is
    /// installed.
    ///
    /// # Errors
    /// When one does not start.
    pub async fn start(dir: &Path, as_user: bool) -> Result<Option<Self>> {
        let folder = |name: &str| dir.join(name);
        for name in ["primary", "replica", "sentinel"] {
            tokio::fs::create_dir_all(folder(name)).await?;
        }
        let launch = Launch {
            layout: Layout::Single,
            as_user,
            // A primary waits for more replicas before it sends its data: there is one.
            arguments: vec!["--repl-diskless-sync-delay".to_owned(), "0".to_owned()],
            ..Launch::default()
        };
        let Some(primary) = RedisServer::launch(&folder("primary"), launch).await? else {
            return Ok(None);
        };
        let replica = primary.replica(&folder("replica")).await?;
        until("the replica is in step", LIMIT, async || {
            let info = info(&primary).await?;
            ensure!(info.contains("state=online"), "{info}");
            Ok(())
        })
        .await?;
        // A sentinel keeps what it learns in its configuration file, which it is started with.
        let config = folder("sentinel").join("sentinel.conf");
        let port = primary.port();
        let down_after = DOWN_AFTER.as_millis();
        let text = format!(
            "sentinel monitor main 127.0.0.1 {port} 1\n\
             sentinel down-after-milliseconds main {down_after}\n\
             sentinel failover-timeout main 5000\n"
        );
        tokio::fs::write(&config, text).await?;
        let config = config.to_str().context("a path of characters")?;
        let sentinel = Node::start_sentinel(&folder("sentinel"), config).await?;
        let started = Self {
            primary,
            replica,
            sentinel,
        };
        until("the sentinel knows the replica", LIMIT, async || {
            let mut wire = Wire::connect(started.sentinel.port()).await?;
            let known = wire.command(&["SENTINEL", "REPLICAS", "main"]).await?;
            ensure!(!known.list().is_empty(), "it knows none");
            Ok(())
        })
        .await?;
        Ok(Some(started))
    }

    /// The ports of the primary that is killed.
    #[must_use]
    pub fn primary_ports(&self) -> Vec<u16> {
        self.primary.ports()
    }

    /// Kills the primary once the replica has all that it accepted, and has the sentinel promote the replica.
    ///
    /// # Errors
    /// When the replica does not get in step, or is not promoted.
    pub async fn fail_over(&mut self) -> Result<()> {
        let written = info(&self.primary).await?;
        let written: u64 = field(&written, "master_repl_offset")?.parse()?;
        until("the replica has everything", LIMIT, async || {
            let info = info(&self.primary).await?;
            let replica = field(&info, "slave0")?;
            let has = replica
                .split(',')
                .find_map(|part| part.strip_prefix("offset="))
                .with_context(|| format!("no offset in {replica}"))?;
            ensure!(has.parse::<u64>()? >= written, "{replica} of {written}");
            Ok(())
        })
        .await?;
        self.primary.kill().await?;
        until("the replica is promoted", LIMIT, async || {
            let found = info(&self.replica).await?;
            if field(&found, "role")? == "master" {
                return Ok(());
            }
            let mut wire = Wire::connect(self.sentinel.port()).await?;
            let told = wire.command(&["SENTINEL", "FAILOVER", "main"]).await;
            anyhow::bail!("it is not yet; told to the sentinel: {told:?}")
        })
        .await
    }

    /// Where trackers learn who is the primary.
    #[must_use]
    pub fn url(&self) -> String {
        format!(
            "redis-sentinel://{}127.0.0.1:{}?sentinelServiceName=main",
            self.primary.user(),
            self.sentinel.port()
        )
    }
}

async fn info(server: &RedisServer) -> Result<String> {
    let mut wire = server.wire().await?;
    Ok(wire.command(&["INFO", "replication"]).await?.text())
}

fn field<'a>(info: &'a str, name: &str) -> Result<&'a str> {
    info.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .with_context(|| format!("no {name} in {info}"))
}
