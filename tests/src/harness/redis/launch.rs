//! What a server is started with.

use anyhow::{Context as _, Result};

use super::users;

/// What the servers form together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One server.
    Single,
    /// A Redis Cluster of three primaries.
    Cluster,
}

impl Default for Layout {
    /// As the environment has it.
    fn default() -> Self {
        match std::env::var("TICKWHEEL_REDIS_TOPOLOGY").as_deref() {
            Ok("cluster") => Self::Cluster,
            Ok(_) | Err(_) => Self::Single,
        }
    }
}

/// What a server is started with besides its port.
#[derive(Debug, Clone)]
pub struct Launch {
    /// It keeps an append-only file.
    pub durable: bool,
    /// What the servers form together.
    pub layout: Layout,
    /// Variables of its environment.
    pub environment: Vec<(String, String)>,
    /// More arguments, say `--maxmemory`.
    pub arguments: Vec<String>,
    /// Trackers log in as the user of `deploy/redis/users.acl`.
    pub as_user: bool,
}

impl Default for Launch {
    /// As the environment has it.
    fn default() -> Self {
        Self {
            durable: false,
            layout: Layout::default(),
            environment: Vec::new(),
            arguments: Vec::new(),
            as_user: users::wanted(),
        }
    }
}

/// A port of the loopback that nobody listens on.
///
/// # Errors
/// When the system has none.
pub fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).context("a free port")?;
    Ok(listener.local_addr()?.port())
}
