//! A primary, a replica, and a sentinel that fails over from one to the other.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::node::Node;
use super::{Launch, Layout, RedisServer};
use crate::harness::wait::until;
use crate::harness::wire::Wire;

const LIMIT: Duration = Duration::from_secs(20);

/// Three servers.
#[derive(Debug)]
pub struct Sentinel {
    /// Killed by the test.
    pub primary: RedisServer,
    /// Promoted.
    pub replica: RedisServer,
    sentinel: Node,
}

impl Sentinel {
    /// Starts them, each with a folder in `dir`. `None` where no redis-server is installed.
    ///
    /// # Errors
    /// When one does not start.
    pub async fn start(dir: &Path) -> Result<Option<Self>> {
        let folder = |name: &str| dir.join(name);
        for name in ["primary", "replica", "sentinel"] {
            tokio::fs::create_dir_all(folder(name)).await?;
        }
        let launch = Launch {
            layout: Layout::Single,
            ..Launch::default()
        };
        let Some(primary) = RedisServer::launch(&folder("primary"), launch).await? else {
            return Ok(None);
        };
        let replica = primary.replica(&folder("replica")).await?;
        until("the replica is in step", LIMIT, async || {
            let info = primary
                .wire()
                .await?
                .command(&["INFO", "replication"])
                .await?;
            ensure!(
                info.clone().text().contains("state=online"),
                "{}",
                info.text()
            );
            Ok(())
        })
        .await?;
        // A sentinel keeps what it learns in its configuration file, which it is started with.
        let config = folder("sentinel").join("sentinel.conf");
        let port = primary.port();
        let text = format!(
            "sentinel monitor main 127.0.0.1 {port} 1\n\
             sentinel down-after-milliseconds main 1000\n\
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

    /// Where trackers learn who is the primary.
    #[must_use]
    pub fn url(&self) -> String {
        format!(
            "redis-sentinel://127.0.0.1:{}?sentinelServiceName=main",
            self.sentinel.port()
        )
    }
}
