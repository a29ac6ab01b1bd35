//! What can be lost, under which failure, in words.

use tickwheel_core::Durability;

use super::{Server, Settings};
use crate::client::Topology;

/// The server that can lose most decides.
fn weakest(server: &Server) -> Settings {
    let rank = |node: &&Settings| match (node.append_only, node.append_fsync.as_deref()) {
        (false, _) => 0,
        (true, Some("no")) => 1,
        (true, Some("always")) => 3,
        (true, _) => 2,
    };
    server
        .settings
        .iter()
        .min_by_key(rank)
        .cloned()
        .unwrap_or_default()
}

fn killed(node: &Settings) -> &'static str {
    if node.append_only {
        "nothing"
    } else {
        "everything since the last snapshot"
    }
}

fn power(node: &Settings, durability: Durability) -> &'static str {
    match (node.append_only, node.append_fsync.as_deref(), durability) {
        (false, _, _) => "everything since the last snapshot",
        (true, Some("always"), _) => "nothing",
        (true, _, Durability::Fsynced) => "nothing that was confirmed",
        (true, Some("no"), _) => "what the system had not written yet, up to half a minute",
        (true, _, _) => "up to about 1 s of what was confirmed",
    }
}

fn failover(server: &Server, node: &Settings, durability: Durability) -> String {
    match (server.topology, durability) {
        (_, Durability::Replicated(replicas)) => {
            format!(
                "nothing that was confirmed, when one of the {replicas} replicas that had it is promoted"
            )
        }
        (Topology::Single, _) if node.replicas == 0 => {
            "there is no replica to fail over to".to_owned()
        }
        (Topology::Single | Topology::Sentinel | Topology::Cluster, _) => {
            "what the promoted replica had not received, mostly milliseconds".to_owned()
        }
    }
}

impl Server {
    /// What can be lost and under which failure, one failure on a line, for writes of the mode `durability`.
    #[must_use]
    pub fn losses(&self, durability: Durability) -> Vec<String> {
        lines(self, durability)
    }

    /// What can be lost of writes that wait for nothing, in one sentence.
    #[must_use]
    pub fn durability(&self) -> String {
        if self.settings.is_empty() {
            return "none: this is no server".to_owned();
        }
        sentence(self)
    }
}

/// One failure on a line.
fn lines(server: &Server, durability: Durability) -> Vec<String> {
    let node = weakest(server);
    let topology = match server.topology {
        Topology::Single => "one server".to_owned(),
        Topology::Sentinel => "a primary named by sentinels".to_owned(),
        Topology::Cluster => format!("a cluster of {} primaries", server.settings.len()),
    };
    let file = match (node.append_only, &node.append_fsync) {
        (false, _) => "appendonly no".to_owned(),
        (true, None) => "appendonly yes, appendfsync unknown".to_owned(),
        (true, Some(fsync)) => format!("appendonly yes, appendfsync {fsync}"),
    };
    let fewest = server.settings.iter().map(|node| node.replicas).min();
    vec![
        format!(
            "{}, {topology}, {} replicas each, {file}, durability {durability}:",
            server.version,
            fewest.unwrap_or(0)
        ),
        format!("  a killed redis loses {}", killed(&node)),
        format!(
            "  a power loss of its machine loses {}",
            power(&node, durability)
        ),
        format!("  a failover loses {}", failover(server, &node, durability)),
        "  a full redis loses nothing: it refuses submissions until there is room".to_owned(),
    ]
}

/// All in one, for writes that wait for nothing.
fn sentence(server: &Server) -> String {
    let node = weakest(server);
    format!(
        "a killed redis loses {}; a power loss loses {}; a failover loses {}",
        killed(&node),
        power(&node, Durability::Async),
        failover(server, &node, Durability::Async)
    )
}
