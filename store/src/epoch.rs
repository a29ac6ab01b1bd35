//! Recognising an older store: an old primary that came back, a backup that was restored under a running cluster.
//!
//! Every hash tag has a count of the servers that have answered for it. Whoever finds another server than the one noted (by its run id)
//! counts on. A guard remembers the highest count it saw; a store with a lower one lacks what happened since, and is refused until a
//! newer one answers, a person adopts it (`tickwheel store adopt`), or the guard's process is restarted.
//!
//! A copy that was made in the life of the same server, a backup of yesterday, has the same count. It is told by what it lacks: the signs
//! of life of trackers are counted in the store as well, and one that lacks more of them than a crash loses is an older one.
//!
//! A store that is emptied under its connections breaks none of them. Each heartbeat therefore answers with the meta record and the count, and
//! what is not as it was has the guard look at once, as after a broken connection (`identity.rs`).
//!
//! On a Redis Cluster each partition counts for itself, as each primary may be an old one by itself. Scripts: `lua/tracker/epoch.lua`.

use std::collections::HashMap;
use std::time::Duration;

use fred::interfaces::EventInterface;
use fred::types::Value;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;

use crate::client::Node;
use crate::error::Error;
use crate::identity::{Age, Identity, Likeness};
use crate::reply::Reply;
use crate::script::EPOCH;
use crate::store::Store;

/// A refused or unreachable store is asked again after this.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// Keeps calls from an older store; ends when dropped.
#[derive(Debug)]
pub struct Guard(JoinHandle<()>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a guard has seen of the store.
#[derive(Debug, Default)]
struct Seen {
    identity: Option<Identity>,
    /// The highest count of each hash tag, with its server.
    epochs: HashMap<String, (u64, String)>,
}

impl Store {
    /// From now on, calls on this store and its clones wait after a broken connection until the server that answers then is known to be
    /// no older than what was seen before, and are refused with [`Error::Unusable`] when it is older. So are they when a heartbeat finds that the
    /// store was emptied or is another one.
    ///
    /// Calls that were on their way when the connection broke are not held back.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn guard(&self) -> Result<Guard, Error> {
        let store = self.clone();
        let mut reconnects = store.redis.client().reconnect_rx();
        let mut breaks = store.redis.client().error_rx();
        let mut seen = Seen::default();
        store.recognise(&mut seen).await?;
        Ok(Guard(tokio::spawn(async move {
            loop {
                let gone = tokio::select! {
                    again = reconnects.recv() => matches!(again, Err(RecvError::Closed)),
                    broken = breaks.recv() => matches!(broken, Err(RecvError::Closed)),
                    () = store.redis.fence().alarmed() => false,
                };
                if gone {
                    return;
                }
                store.redis.fence().doubt();
                // One break is told several times. What is told from here on is looked at again.
                while reconnects.try_recv().is_ok() || breaks.try_recv().is_ok() {}
                while !store.look_again(&mut seen).await {
                    tokio::time::sleep(ASK_AGAIN).await;
                }
            }
        })))
    }

    /// True when the store is recognised.
    async fn look_again(&self, seen: &mut Seen) -> bool {
        match self.recognise(seen).await {
            Ok(None) => {
                self.redis.fence().open();
                true
            }
            Ok(Some(older)) => {
                if self.redis.fence().refuse(older.clone()) {
                    tracing::error!("{older}");
                }
                false
            }
            Err(error) => {
                tracing::debug!(%error, "the store cannot be recognised yet");
                false
            }
        }
    }

    /// Asks which store it is, and every hash tag how new it is; answers with what is not as it was, in words.
    async fn recognise(&self, seen: &mut Seen) -> Result<Option<String>, Error> {
        let found = self.identity().await?;
        let heartbeats = self.heartbeats().await?;
        if let Some(known) = &seen.identity {
            match known.compare(&found, &self.keys.meta()) {
                Likeness::Same => {
                    if let Some(missing) = self.redis.fence().lacks(heartbeats) {
                        return Ok(Some(self.lacking(missing)));
                    }
                }
                Likeness::Adopted => {
                    tracing::warn!(
                        "another store answers than before, and was adopted: going on with what it holds"
                    );
                    seen.epochs.clear();
                }
                Likeness::Other(reason) => return Ok(Some(reason)),
            }
        }
        let tags = self
            .partitions
            .partitions()
            .map(|partition| self.keys.epoch(partition));
        let mut run_ids: HashMap<Node, String> = HashMap::new();
        for key in std::iter::once(self.keys.cluster_epoch()).chain(tags) {
            let node = self.redis.primary_of(&key);
            let run_id = match run_ids.get(&node) {
                Some(run_id) => run_id.clone(),
                None => {
                    let info = self.redis.info(&node, "server").await?;
                    let run_id = crate::client::field(&info, "run_id").to_owned();
                    run_ids.insert(node, run_id.clone());
                    run_id
                }
            };
            let (number, primary) = seen.epochs.get(&key).cloned().unwrap_or_default();
            let args = [number.to_string(), primary.clone(), run_id];
            let args = args.into_iter().map(Value::from).collect();
            let value = self
                .redis
                .call_unfenced(&EPOCH, vec![key.clone()], args)
                .await?;
            let (status, mut reply) = Reply::open(EPOCH.name(), value)?;
            let counted = (reply.number()?, reply.text()?);
            if status == "OLDER" {
                return Ok(Some(format!(
                    "this redis holds an older copy of the store and is refused: `{key}` counts {} (server {}), and {number} (server \
                     {primary}) was seen before; bring the newer one back, or go on with this one and lose what it does not \
                     have: `tickwheel store adopt`",
                    counted.0, counted.1
                )));
            }
            seen.epochs.insert(key, counted);
        }
        let newest = seen.epochs.get(&self.keys.cluster_epoch());
        let newest = newest.map_or(0, |(number, _)| *number);
        let age = Age {
            epoch: newest,
            heartbeats,
        };
        self.redis.fence().know(found.clone(), age);
        seen.identity = Some(found);
        Ok(None)
    }

    /// How many heartbeats of trackers the store has; `None` where that cannot be read.
    async fn heartbeats(&self) -> Result<Option<u64>, Error> {
        let words = vec![self.keys.cluster_epoch(), "heartbeats".to_owned()];
        let found: Option<String> = self.redis.read("HGET", words).await?;
        Ok(Age::heartbeats(found.as_deref()))
    }

    /// Why a store is refused that lacks so many of them.
    fn lacking(&self, missing: u64) -> String {
        format!(
            "this redis holds an older copy of the store and is refused: {missing} heartbeats of trackers that it had confirmed are not in \
             `{}`, and with them what was accepted since; bring the newer one back, or go on with this one and lose what it does not have: \
             `tickwheel store adopt`",
            self.keys.cluster_epoch()
        )
    }
}
