//! What can be lost, under which failure, in words.

use tickwheel_core::Durability;

use super::{Server, Settings};
use crate::client::Topology;

/// The server that can lose most decides.
fn weakest(server: &Server) -> Settings {
    let rank = |node: &&Settings| match (
        node.append_only,
        node.append_fsync.as_deref(),
        node.snapshots,
    ) {
        (false, _, Some(false)) => 0,
        (false, _, None) => 1,
        (false, _, Some(true)) => 2,
        (true, Some("no"), _) => 3,
        (true, Some("always"), _) => 5,
        (true, _, _) => 4,
    };
    server
        .settings
        .iter()
        .min_by_key(rank)
        .cloned()
        .unwrap_or_default()
}

/// What is gone with the memory of a server that has no append-only file.
const fn of_memory(node: &Settings) -> &'static str {
    match node.snapshots {
        Some(false) => "everything: it keeps no append-only file and makes no snapshots",
        Some(true) => "everything since the last snapshot",
        None => "everything since the last snapshot, or all where it makes none",
    }
}

fn killed(node: &Settings) -> &'static str {
    if node.append_only {
        "nothing"
    } else {
        of_memory(node)
    }
}

fn power(node: &Settings, durability: Durability) -> &'static str {
    match (node.append_only, node.append_fsync.as_deref(), durability) {
        (false, _, _) => of_memory(node),
        (true, Some("always"), _) => "nothing",
        (true, _, Durability::Fsynced) => "nothing that was confirmed",
        (true, Some("no"), _) => "what the system had not written yet, up to half a minute",
        (true, _, _) => "up to about 1 s of what was confirmed",
    }
}

/// A whole clause, as there may be nothing that a failover could lose.
fn failover(server: &Server, durability: Durability) -> String {
    let replicas = |node: &Settings| node.replicas;
    let fewest = server.settings.iter().map(replicas).min().unwrap_or(0);
    let most = server.settings.iter().map(replicas).max().unwrap_or(0);
    if most == 0 {
        return "no failover is possible: there is no replica".to_owned();
    }
    let lost = match durability {
        Durability::Replicated(wanted) => format!(
            "nothing that was confirmed, when one of the {wanted} replicas that had it is promoted"
        ),
        Durability::Async | Durability::Fsynced => {
            "what the promoted replica had not received, mostly milliseconds".to_owned()
        }
    };
    let not_all = if fewest == 0 {
        "; a primary without a replica has none"
    } else {
        ""
    };
    format!("a failover loses {lost}{not_all}")
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
        (false, _) => match node.snapshots {
            Some(true) => "appendonly no".to_owned(),
            Some(false) => "appendonly no, save \"\"".to_owned(),
            None => "appendonly no, save unknown".to_owned(),
        },
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
        format!("  {}", failover(server, durability)),
        "  a full redis loses nothing: it refuses submissions until there is room".to_owned(),
    ]
}

/// All in one, for writes that wait for nothing.
fn sentence(server: &Server) -> String {
    let node = weakest(server);
    format!(
        "a killed redis loses {}; a power loss loses {}; {}",
        killed(&node),
        power(&node, Durability::Async),
        failover(server, Durability::Async)
    )
}
