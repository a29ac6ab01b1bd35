//! Making a Redis Cluster of servers, and moving its slots while it is used.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::node::Node;
use crate::harness::wait::until;
use crate::harness::wire::{Value, Wire};

const SLOTS: usize = 16_384;
const WHOLE_WITHIN: Duration = Duration::from_secs(30);
/// Keys of one `MIGRATE`.
const KEYS_AT_ONCE: &str = "10";

/// Makes one cluster of empty nodes, with the slots in equal shares.
pub(super) async fn form(nodes: &[Node]) -> Result<()> {
    for (number, node) in nodes.iter().enumerate() {
        let mut wire = Wire::connect(node.port()).await?;
        let first = SLOTS * number / nodes.len();
        let last = SLOTS * (number + 1) / nodes.len() - 1;
        let (first, last) = (first.to_string(), last.to_string());
        wire.command(&["CLUSTER", "ADDSLOTSRANGE", &first, &last])
            .await?;
        // Epochs that differ from the start spare the nodes an election over who is who.
        let epoch = (number + 1).to_string();
        wire.command(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch])
            .await?;
    }
    let first = nodes.first().context("a node")?;
    let mut wire = Wire::connect(first.port()).await?;
    for node in nodes.iter().skip(1) {
        let (port, bus) = (node.port().to_string(), node.bus().to_string());
        wire.command(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus])
            .await?;
    }
    whole(nodes).await
}

/// Waits until each node sees every slot served by all of them.
pub(super) async fn whole(nodes: &[Node]) -> Result<()> {
    for node in nodes {
        until("the cluster is whole", WHOLE_WITHIN, async || {
            let info = Wire::connect(node.port())
                .await?
                .command(&["CLUSTER", "INFO"])
                .await?
                .text();
            let has = |line: &str| info.lines().any(|given| given.trim() == line);
            ensure!(has("cluster_state:ok"), "{info}");
            ensure!(has(&format!("cluster_size:{}", nodes.len())), "{info}");
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// Moves the slot of `key` from the node that has it to the one after it, as `redis-cli --cluster reshard` does.
pub(super) async fn move_slot(nodes: &[Node], key: &str) -> Result<usize> {
    let mut first = Wire::connect(nodes.first().context("a node")?.port()).await?;
    let slot = first.command(&["CLUSTER", "KEYSLOT", key]).await?.text();
    let owner = owner_of(&mut first, slot.parse()?).await?;
    let number = nodes.iter().position(|node| node.port() == owner);
    let number = number.context("a node of this cluster has the slot")?;
    let mut others = nodes.iter().cycle().skip(number);
    let (source, target) = (
        others.next().context("a node")?,
        others.next().context("another node")?,
    );
    let (source_id, target_id) = (id_of(source).await?, id_of(target).await?);
    let setslot = |state: &str, id: &str| {
        ["CLUSTER", "SETSLOT", &slot, state, id]
            .map(str::to_owned)
            .to_vec()
    };
    say(target, &setslot("IMPORTING", &source_id)).await?;
    say(source, &setslot("MIGRATING", &target_id)).await?;
    let mut wire = Wire::connect(source.port()).await?;
    let mut moved = 0;
    loop {
        let keys = wire
            .command(&["CLUSTER", "GETKEYSINSLOT", &slot, KEYS_AT_ONCE])
            .await?
            .list();
        if keys.is_empty() {
            break;
        }
        moved += keys.len();
        let port = target.port().to_string();
        let head = ["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
        let mut migrate = head.map(str::to_owned).to_vec();
        migrate.extend(keys.into_iter().map(Value::text));
        say(source, &migrate).await?;
    }
    // The new owner first, so that nobody is sent to a node that does not know that it is one. What the old owner said before may arrive
    // after this and undo it, so it is said until all agree.
    until("the nodes agree on a slot", WHOLE_WITHIN, async || {
        for node in [target, source].into_iter().chain(nodes) {
            let mut wire = Wire::connect(node.port()).await?;
            if owner_of(&mut wire, slot.parse()?).await.ok() != Some(target.port()) {
                say(node, &setslot("NODE", &target_id)).await?;
            }
        }
        for node in nodes {
            let mut wire = Wire::connect(node.port()).await?;
            let known = owner_of(&mut wire, slot.parse()?).await?;
            ensure!(known == target.port(), "{} has it at {known}", node.port());
        }
        Ok(())
    })
    .await?;
    Ok(moved)
}

async fn say(node: &Node, words: &[String]) -> Result<Value> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Wire::connect(node.port()).await?.command(&words).await
}

async fn id_of(node: &Node) -> Result<String> {
    let mut wire = Wire::connect(node.port()).await?;
    Ok(wire.command(&["CLUSTER", "MYID"]).await?.text())
}

/// The port of the primary that has a slot.
async fn owner_of(wire: &mut Wire, slot: usize) -> Result<u16> {
    for range in wire.command(&["CLUSTER", "SLOTS"]).await?.list() {
        let mut fields = range.list().into_iter();
        let mut number = || fields.next().map(Value::text).unwrap_or_default();
        let (first, last): (usize, usize) = (number().parse()?, number().parse()?);
        if (first..=last).contains(&slot) {
            let primary = fields.next().context("a primary")?.list();
            let port = primary.into_iter().nth(1).context("its port")?;
            return Ok(port.text().parse()?);
        }
    }
    anyhow::bail!("nobody has slot {slot}")
}
