//! Waiting until what was written has come as far as its caller was promised: to replicas (`WAIT`), or to the disk (`WAITAOF`).
//!
//! Both commands speak of what their own connection wrote, on the node that it wrote to. So:
//!
//! ```text
//! one connection for each node, used for nothing else:   script ──▶ mark ──▶ WAIT
//! ```
//!
//! The mark is a small write behind the script's. Without it a repeated call that writes nothing (its key was taken) would be confirmed
//! although what it found there is on the primary only. A connection that was made anew in between proves nothing, and neither does one
//! to another node: the call is then written, but not confirmed.
//!
//! A `WAIT` holds its connection, so calls gather: whoever comes while one is under way shares the next one.

mod promising;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::{ClientLike, ClusterInterface, EventInterface};
use fred::types::config::Server;
use fred::types::{ClusterHash, CustomCommand, Value};
use parking_lot::Mutex;
use tickwheel_core::Durability;
use tokio::sync::broadcast::error::TryRecvError;

use super::calling::{self, Ways};
use super::setup::Topology;
use crate::error::Error;
use crate::script::{MARK, Script};
use crate::words::plain;

/// Longest wait for replicas or a disk.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(5);

/// What a server does for its disk before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Fsync {
    /// Nothing that one could wait for.
    Never = 0,
    /// It can be waited for: `WAITAOF`.
    OnRequest = 1,
    /// Every answer comes after it: `appendfsync always`.
    Always = 2,
}

/// What the settings were when they were looked at last.
#[derive(Debug, Default)]
pub(crate) struct FsyncCell(AtomicU8);

impl FsyncCell {
    fn get(&self) -> Fsync {
        match self.0.load(Ordering::Relaxed) {
            2 => Fsync::Always,
            1 => Fsync::OnRequest,
            _ => Fsync::Never,
        }
    }
}

/// How far a handle's writes have come when it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Promise {
    pub(crate) durability: Durability,
    /// No longer than this.
    pub(crate) wait: Duration,
}

/// Calls that share one wait.
#[derive(Debug, Default)]
struct Round {
    /// The last number that was given out; a call takes one when its script has run.
    last: AtomicU64,
    /// The last number whose wait has ended, and what is missing since, in words.
    ended: tokio::sync::Mutex<(u64, Option<String>)>,
}

/// Rounds by node and by what is waited for.
type Rounds = HashMap<(Option<Server>, Durability), Arc<Round>>;

/// The connections for confirmed calls.
#[derive(Debug)]
pub(super) struct Confirmer {
    client: Client,
    topology: Topology,
    ways: Arc<Ways>,
    rounds: Mutex<Rounds>,
}

impl Confirmer {
    /// Calls `script`, and waits for what it wrote: its reply, and behind that [`Error::Unconfirmed`] when what was promised is not known to
    /// be true.
    ///
    /// # Errors
    /// As the script's.
    pub(super) async fn call(
        &self,
        script: &'static Script,
        (keys, args): (Vec<String>, Vec<Value>),
        promise: Promise,
    ) -> Result<(Value, Result<(), Error>), Error> {
        let mut connections = self.client.reconnect_rx();
        let key = keys.first().cloned().unwrap_or_default();
        let value = calling::run(
            &self.client,
            (self.topology, &self.ways),
            script,
            (keys, args),
        )
        .await?;
        let mut missing = self.gather(key, promise).await;
        if !matches!(connections.try_recv(), Err(TryRecvError::Empty)) {
            missing = Some("the connection broke before it was confirmed".to_owned());
        }
        let confirmed = match missing {
            None => Ok(()),
            Some(missing) => Err(Error::Unconfirmed {
                durability: promise.durability,
                missing,
                contexts: Vec::new(),
            }),
        };
        Ok((value, confirmed))
    }

    /// Waits with whoever else does; answers with what is missing.
    async fn gather(&self, key: String, promise: Promise) -> Option<String> {
        let round = self.round(&key, promise.durability);
        let number = round.last.fetch_add(1, Ordering::SeqCst) + 1;
        let mut ended = round.ended.lock().await;
        if ended.0 < number {
            // Whoever has a number by now has written.
            let last = round.last.load(Ordering::SeqCst);
            *ended = (last, self.wait(key, promise).await.err());
        }
        ended.1.clone()
    }

    fn round(&self, key: &str, durability: Durability) -> Arc<Round> {
        let slot = fred::util::redis_keyslot(key.as_bytes());
        let state = self.client.cached_cluster_state();
        let node = state.and_then(|state| state.get_server(slot).cloned());
        let mut rounds = self.rounds.lock();
        Arc::clone(rounds.entry((node, durability)).or_default())
    }

    /// `Err` says in words what is missing.
    async fn wait(&self, key: String, promise: Promise) -> Result<(), String> {
        let slot = fred::util::redis_keyslot(key.as_bytes());
        calling::run(
            &self.client,
            (self.topology, &self.ways),
            &MARK,
            (vec![key], Vec::new()),
        )
        .await
        .map_err(|error| error.to_string())?;
        let limit = promise.wait.min(WAIT_MAX).as_millis().to_string();
        let (name, args) = match promise.durability {
            Durability::Replicated(replicas) => ("WAIT", vec![replicas.to_string(), limit]),
            Durability::Fsynced => ("WAITAOF", vec!["1".to_owned(), "0".to_owned(), limit]),
            Durability::Async => return Ok(()),
        };
        let command = CustomCommand::new_static(name, ClusterHash::Custom(slot), false);
        let answer: Result<Value, _> = self.client.custom(command, args).await;
        let answer = answer.map_err(|error| plain(error.details()))?;
        // WAIT answers with the replicas, WAITAOF with the disks here and those of replicas.
        let count = if let Value::Array(counts) = &answer {
            counts.first().and_then(Value::as_u64)
        } else {
            answer.as_u64()
        };
        let reached = count.unwrap_or(0);
        match promise.durability {
            Durability::Replicated(replicas) if reached < u64::from(replicas.get()) => {
                Err(format!(
                    "{reached} of {replicas} replicas had it after {} ms",
                    promise.wait.as_millis()
                ))
            }
            Durability::Fsynced if reached < 1 => Err(format!(
                "it was not on the disk after {} ms",
                promise.wait.as_millis()
            )),
            Durability::Async | Durability::Replicated(_) | Durability::Fsynced => Ok(()),
        }
    }
}
