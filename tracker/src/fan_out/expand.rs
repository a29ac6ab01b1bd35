//! Splitting due contexts as the models of their jobs say.
//!
//! Whoever sees such a context in a turn splits it: the script takes it out of where it waits, so that it is split once. A context that no
//! worker fits waits, until one comes or its start deadline is over.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tickwheel_core::error::Violation;
use tickwheel_core::id::{ContextId, WorkerId};
use tickwheel_core::job::JobSpec;
use tickwheel_core::model::Model;
use tickwheel_core::routing::{Profile, Tags, Units};
use tickwheel_store::fan::{Opening, Parts};
use tickwheel_store::record::Member;
use tickwheel_store::roster::WorkerView;
use tickwheel_store::{Error, Store};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::failed_work::FailedWork;
use crate::matching::Matching;
use crate::metrics::measure;
use crate::sessions::Sessions;

/// A context that no worker fits is looked at again after this.
pub(crate) const WAIT: Duration = Duration::from_millis(500);

/// Why a context is not split now.
enum Unsplit {
    /// No worker fits.
    Waits,
    /// It cannot be split: its attempt ends.
    Refused(String),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Expansion {
    store: Store,
    sessions: Arc<Sessions>,
    matching: Arc<Matching>,
    tasks: TaskTracker,
    /// Contexts that are being split here.
    under_way: Mutex<HashSet<ContextId>>,
    failed: FailedWork<ContextId>,
}

impl Expansion {
    pub(crate) fn new(
        store: Store,
        sessions: Arc<Sessions>,
        matching: Arc<Matching>,
        tasks: TaskTracker,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            sessions,
            matching,
            tasks,
            under_way: Mutex::default(),
            failed: FailedWork::default(),
        })
    }

    /// Splits `waiting` in the background, unless that is under way here already.
    pub(crate) fn expand(self: &Arc<Self>, waiting: Member) {
        let id = waiting.id.clone();
        if self.failed.rests(&id, Instant::now()) || !self.under_way.lock().insert(id.clone()) {
            return;
        }
        let expansion = Arc::clone(self);
        self.tasks.spawn(async move {
            let split = expansion.split(waiting).await;
            if let Some((times, error)) = expansion.failed.ended(id.clone(), split) {
                tracing::warn!(context = %id, times, %error, "a context was not split; a later turn tries again");
                measure::store_error(&error);
            }
            expansion.under_way.lock().remove(&id);
        });
    }

    async fn split(&self, waiting: Member) -> Result<(), Error> {
        let Some(job) = waiting.id.job() else {
            return Ok(());
        };
        let Some(view) = self.store.get_job(&job).await? else {
            // It ran when its job was deleted, and would be split anew: nothing says into what.
            return self.refuse(&waiting, ("job: it was deleted", true)).await;
        };
        let Some(workers) = self.workers(&waiting).await? else {
            return Ok(());
        };
        match parts(&view.spec, workers) {
            Ok(parts) => {
                let opening = Opening {
                    waiting,
                    options: view.spec.subtask,
                    reduce: view.spec.reduce,
                    reduce_on: view.spec.reduce_on,
                    parts,
                };
                let _opened_or_gone = self.store.open_fan(&opening).await?;
            }
            Err(Unsplit::Waits) => {}
            Err(Unsplit::Refused(message)) => self.refuse(&waiting, (&message, false)).await?,
        }
        Ok(())
    }

    async fn refuse(&self, waiting: &Member, message: (&str, bool)) -> Result<(), Error> {
        let random = rand::random_range(0..1_000_000);
        self.store.refuse_fan(waiting, random, message).await?;
        Ok(())
    }

    /// The live workers of the cluster that may run what `waiting` is split into, in the order of their ids: those with a stream here, and those
    /// that others write heartbeats of. `None` while it is not known which may.
    async fn workers(&self, waiting: &Member) -> Result<Option<Vec<WorkerId>>, Error> {
        let (group, handler) = (&waiting.rest.group, waiting.rest.handler.as_str());
        let placement = match waiting.rest.options.placement {
            Some(id) => {
                let partition = waiting.id.partition();
                let Some(placement) = self.matching.placement(partition, id).await else {
                    return Ok(None);
                };
                Some(placement)
            }
            None => None,
        };
        let mut offering = BTreeMap::new();
        for worker in self.store.list_workers(Some(group)).await? {
            if worker
                .report
                .handlers
                .iter()
                .any(|offered| offered == handler)
            {
                offering.insert(worker.id.clone(), profile(&worker));
            }
        }
        for session in self.sessions.all() {
            if session.offers(group, handler) {
                offering.insert(session.worker.clone(), Profile::clone(&session.profile()));
            } else {
                // It drains, or has refused the handler.
                offering.remove(&session.worker);
            }
        }
        let Some(placement) = placement else {
            return Ok(Some(offering.into_keys().collect()));
        };
        let offering: Vec<Profile> = offering.into_values().collect();
        let fitting = placement.fitting(&offering).into_iter();
        let mut fitting: Vec<WorkerId> = fitting.map(|worker| worker.id.clone()).collect();
        fitting.sort_unstable();
        Ok(Some(fitting))
    }
}

/// Who gets which part; `workers` are in the order of their ids.
fn parts(spec: &JobSpec, workers: Vec<WorkerId>) -> Result<Parts, Unsplit> {
    let refused = |violation: Violation| Unsplit::Refused(violation.to_string());
    match &spec.model {
        Model::Standalone => Err(Unsplit::Refused(
            "model: its job is not split any more".to_owned(),
        )),
        Model::Indexed(indexed) => Ok(Parts::Indexed(indexed.clone())),
        Model::Broadcast(_) | Model::Sharding(_) if workers.is_empty() => Err(Unsplit::Waits),
        Model::Broadcast(broadcast) => {
            let needed = broadcast.needed(workers.len()).map_err(refused)?;
            Ok(Parts::Broadcast(workers, needed))
        }
        Model::Sharding(sharding) => {
            let dealt = sharding.deal(&spec.name, &workers);
            let part = |(item, worker): &(&tickwheel_core::model::ShardItem, &WorkerId)| {
                (item.index, item.parameter.clone(), (*worker).clone())
            };
            Ok(Parts::Shards(dealt.iter().map(part).collect()))
        }
    }
}

/// What routing knows of a worker of another tracker, by its report.
fn profile(worker: &WorkerView) -> Profile {
    let report = &worker.report;
    let resources = report.resources.iter();
    Profile {
        id: worker.id.clone(),
        host: report.host.clone(),
        cpus: report.cpus,
        // Its own tracker has checked them.
        tags: Tags::parse(&report.tags).unwrap_or_default(),
        resources: Units::of(resources.map(|one| (one.name.clone(), one.total))),
    }
}
