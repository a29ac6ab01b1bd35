//! The Redis of one test: one server, or a Redis Cluster of three primaries, on free ports of the loopback, with its data in the test's
//! directory.
//!
//! `TICKWHEEL_REDIS_SERVER` names another program than redis-server, `TICKWHEEL_REDIS_TOPOLOGY` chooses `single` or `cluster` for the
//! tests that take either, `TICKWHEEL_REDIS_ACL=1` has trackers log in as the user of `deploy/redis/users.acl`.

mod cluster;
mod launch;
mod node;
mod secure;
mod sentinel;
mod users;

use std::path::Path;

use anyhow::{Result, ensure};

use super::wire::Wire;
pub use launch::{Launch, Layout, free_port};
use node::Node;
pub use secure::{Clients, SecureRedis};
pub use sentinel::Sentinel;

/// Primaries of a cluster.
const PRIMARIES: usize = 3;

/// Running servers; killed when dropped.
#[derive(Debug)]
pub struct RedisServer {
    nodes: Vec<Node>,
    layout: Layout,
    /// Trackers are the user that is shipped.
    as_user: bool,
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

    /// Starts what `launch` says. `None` where no redis-server is installed.
    ///
    /// # Errors
    /// When an installed server does not start, or none is installed where one is required.
    pub async fn launch(dir: &Path, launch: Launch) -> Result<Option<Self>> {
        if !node::installed().await {
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
        let (layout, as_user) = (launch.layout, launch.as_user);
        let nodes = match layout {
            Layout::Single => vec![Node::start(dir, launch).await?],
            Layout::Cluster => {
                let mut nodes = Vec::new();
                for number in 0..PRIMARIES {
                    let dir = dir.join(format!("node-{number}"));
                    tokio::fs::create_dir_all(&dir).await?;
                    nodes.push(Node::start(&dir, launch.clone()).await?);
                }
                cluster::form(&nodes).await?;
                nodes
            }
        };
        Ok(Some(Self {
            nodes,
            layout,
            as_user,
        }))
    }

    /// Starts a replica of this server, which must be a single one, with its data in `dir`.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn replica(&self, dir: &Path) -> Result<Self> {
        let port = self.port().to_string();
        let launch = Launch {
            layout: Layout::Single,
            as_user: self.as_user,
            arguments: vec!["--replicaof".to_owned(), format!("127.0.0.1 {port}")],
            ..Launch::default()
        };
        let as_user = launch.as_user;
        let nodes = vec![Node::start(dir, launch).await?];
        Ok(Self {
            nodes,
            layout: Layout::Single,
            as_user,
        })
    }

    /// What the servers form together.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The port of the first one.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.nodes.first().map_or(0, Node::port)
    }

    /// The ports of all.
    #[must_use]
    pub fn ports(&self) -> Vec<u16> {
        self.nodes.iter().map(Node::port).collect()
    }

    /// What stands in front of the host in a URL of trackers.
    fn user(&self) -> &'static str {
        if self.as_user { users::TRACKERS } else { "" }
    }

    /// Where trackers reach it.
    #[must_use]
    pub fn url(&self) -> String {
        let mut addresses = self
            .ports()
            .into_iter()
            .map(|port| format!("127.0.0.1:{port}"));
        let first = addresses.next().unwrap_or_default();
        let user = self.user();
        match self.layout {
            Layout::Single => format!("redis://{user}{first}"),
            Layout::Cluster => {
                let others: Vec<String> = addresses.map(|other| format!("node={other}")).collect();
                format!("redis-cluster://{user}{first}?{}", others.join("&"))
            }
        }
    }

    /// What the servers refused to trackers that log in as the user that is shipped; what they ask and do without is not in it.
    ///
    /// # Errors
    /// When one does not answer.
    pub async fn refused(&self) -> Result<Vec<String>> {
        users::refused(&self.ports()).await
    }

    /// A connection for plain commands; on a cluster it goes where the keys of a command are.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn wire(&self) -> Result<Wire> {
        Wire::connect(self.port()).await
    }

    /// Sends each a signal, say `STOP` or `CONT`.
    ///
    /// # Errors
    /// When one had ended before.
    pub async fn signal(&self, signal: &str) -> Result<()> {
        for node in &self.nodes {
            node.signal(signal).await?;
        }
        Ok(())
    }

    /// Ends them without warning.
    ///
    /// # Errors
    /// When one had ended before.
    pub async fn kill(&mut self) -> Result<()> {
        for node in &mut self.nodes {
            node.kill().await?;
        }
        Ok(())
    }

    /// Starts them again after [`kill`](Self::kill), on the same ports and data.
    ///
    /// # Errors
    /// When one does not start.
    pub async fn restart(&mut self) -> Result<()> {
        for node in &mut self.nodes {
            node.restart().await?;
        }
        if self.layout == Layout::Cluster {
            cluster::whole(&self.nodes).await?;
        }
        Ok(())
    }

    /// Moves the hash slot of `key` to the next node of the cluster while everybody uses it; answers with the keys that moved.
    ///
    /// # Errors
    /// When a node refuses.
    pub async fn move_slot_of(&self, key: &str) -> Result<usize> {
        cluster::move_slot(&self.nodes, key).await
    }
}

#[expect(
    clippy::print_stderr,
    reason = "whoever runs the tests must see that they did nothing"
)]
fn say_skipped() {
    eprintln!("SKIPPED: redis-server is not installed; this end-to-end test did nothing");
}
