//! Asking single servers: a cluster has several primaries, each with settings of its own.

use fred::interfaces::{ClientLike, ClusterInterface};
use fred::types::config::Server;
use fred::types::scan::{ScanResult, Scanner};
use fred::types::{ClusterHash, CustomCommand, Key, Value};
use futures::StreamExt;
use futures::stream::BoxStream;

use super::Redis;
use super::setup::Topology;
use crate::error::Error;

/// A primary.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Node(Option<Server>);

impl std::fmt::Display for Node {
    /// `host:port` on a cluster; otherwise nothing, as there is only one.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Some(server) => write!(f, "{server}"),
            None => Ok(()),
        }
    }
}

impl Redis {
    /// The primaries as the client knows them now.
    pub(crate) fn primaries(&self) -> Vec<Node> {
        if self.topology != Topology::Cluster {
            return vec![Node(None)];
        }
        let state = self.client.cached_cluster_state();
        let servers = state.map(|state| state.unique_primary_nodes());
        let servers = servers.into_iter().flatten();
        servers.map(|server| Node(Some(server))).collect()
    }

    /// The primary that has `key`.
    pub(crate) fn primary_of(&self, key: &str) -> Node {
        if self.topology != Topology::Cluster {
            return Node(None);
        }
        let slot = fred::util::redis_keyslot(key.as_bytes());
        let state = self.client.cached_cluster_state();
        Node(state.and_then(|state| state.get_server(slot).cloned()))
    }

    /// Sends one plain command to one primary.
    pub(crate) async fn ask(&self, node: &Node, words: &[&'static str]) -> Result<Value, Error> {
        let (name, args) = words.split_first().unwrap_or((&"PING", &[]));
        let command = CustomCommand::new_static(name, ClusterHash::Random, false);
        let args: Vec<Value> = args
            .iter()
            .map(|word| Value::from_static_str(word))
            .collect();
        let answer = match &node.0 {
            Some(server) => {
                let client = self.client.with_cluster_node(server.clone());
                client.custom(command, args).await
            }
            None => self.client.custom(command, args).await,
        };
        answer.map_err(|error| Error::from_redis("settings", error, ToOwned::to_owned))
    }

    /// Every key that matches `pattern`, page by page, on every primary. One that is there from the first page to the last comes at least
    /// once.
    pub(crate) fn scan(
        &self,
        pattern: String,
        count: u32,
    ) -> BoxStream<'_, Result<Vec<String>, Error>> {
        let page = |found: Result<ScanResult, fred::error::Error>| {
            let mut found =
                found.map_err(|error| Error::from_redis("scan", error, ToOwned::to_owned))?;
            let keys = found.take_results().unwrap_or_default();
            found.next();
            let text = |key: &Key| String::from_utf8_lossy(key.as_bytes()).into_owned();
            Ok(keys.iter().map(text).collect())
        };
        if self.topology == Topology::Cluster {
            let pages = self.client.scan_cluster(pattern, Some(count), None);
            pages.map(page).boxed()
        } else {
            let pages = self.client.scan(pattern, Some(count), None);
            pages.map(page).boxed()
        }
    }

    /// A section of a server's `INFO`, as its lines `name:value`.
    pub(crate) async fn info(&self, node: &Node, section: &'static str) -> Result<String, Error> {
        let answer = self.ask(node, &["INFO", section]).await?;
        Ok(answer.into_string().unwrap_or_default())
    }
}
