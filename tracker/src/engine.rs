//! What the parts of a tracker share, and the operations that any of them may ask for.
//!
//! There is no state here that matters: everything a crash would take is in Redis.

use std::collections::HashSet;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use tickwheel_core::id::{ContextId, JobName, TrackerId, WorkerId};
use tickwheel_core::partition::PartitionId;
use tickwheel_core::run::StateWord;
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::v1::{CancelAttempt, TrackerMessage, cancel_attempt::Reason};
use tickwheel_store::Store;
use tickwheel_store::lease::{AttemptRef, Holding};
use tickwheel_store::record::Upstream;
use tickwheel_store::roster::TrackerSign;
use tickwheel_store::wheel::{Fired, OutboxEntry, WorkerCancel};
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::fan_out::fan::Mapped;
use crate::limits::Limits;
use crate::lock::lock;
use crate::matching::lanes::Lanes;
use crate::matching::reservations::Reserved;
use crate::membership::absence::Absence;
use crate::membership::departed::Departed;
use crate::metrics::measure;
use crate::outcomes::coalesce::Coalescer;
use crate::outcomes::notes::Notes;
use crate::outcomes::resolve::Unknown;
use crate::outcomes::settle::{Renewing, Reported};
use crate::outcomes::waits::Waits;
use crate::planning;
use crate::seldom::Seldom;
use crate::sessions::{Session, Sessions, Slot};
use crate::wheel::draws::Draws;
use crate::wheel::pace::Pace;
use crate::wheel::retries::{Retries, Work};
use crate::wheel::stuck::Stuck;

/// Batched calls under way at once. The pipeline hides the round trip; more would only make the batches smaller.
const CALLS_MAX: usize = 4;

/// The shared middle of a tracker.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) tracker_id: TrackerId,
    pub(crate) url: String,
    pub(crate) sessions: Sessions,
    pub(crate) lanes: Lanes,
    pub(crate) limits: Limits,
    pub(crate) roster: ArcSwap<Vec<TrackerSign>>,
    pub(crate) roster_changed: Notify,
    pub(crate) departed: Departed,
    /// Whether trackers that workers lost are dialled, to see whether they are there.
    pub(crate) probes: bool,
    pub(crate) absence: Absence,
    pub(crate) draws: Draws,
    /// Background work that a graceful stop waits for.
    pub(crate) tasks: TaskTracker,
    pub(crate) notes: Notes,
    /// Work that failed lately.
    pub(crate) retries: Retries,
    /// Callers that wait for ends of contexts.
    pub(crate) waits: Waits,
    /// Partitions whose visits fail.
    pub(crate) stuck: Stuck,
    /// Offers that a script could not read are told of this often.
    pub(crate) unread_offers: Seldom,
    /// Where the next beat begins to sign for workers, when there are too many for one.
    pub(crate) signed: AtomicUsize,
    unwritten: Seldom,
    settling: Vec<Coalescer<Reported>>,
    resolving: Vec<Coalescer<Unknown>>,
    renewing: Vec<Coalescer<Renewing>>,
    releasing: Vec<Coalescer<(Holding, Option<Slot>)>>,
    splitting: Vec<Coalescer<Mapped>>,
    /// Pages of results that are read at once.
    pub(crate) reading: Semaphore,
    planning: Mutex<HashSet<JobName>>,
    /// Contexts that are being split here.
    pub(crate) opening: Mutex<HashSet<ContextId>>,
}

/// Between two lines about the same kind of trouble, of whatever partition.
const LINE_EVERY: Duration = Duration::from_secs(1);
/// Between two looks at whether something is written.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

fn per_partition<T: Send + 'static>(store: &Store, calls: &Arc<Semaphore>) -> Vec<Coalescer<T>> {
    let pace = Arc::new(Mutex::new(Pace::new(Instant::now())));
    store
        .partitions()
        .partitions()
        .map(|_| Coalescer::new(Arc::clone(calls), Arc::clone(&pace)))
        .collect()
}

impl Engine {
    pub(crate) fn new(config: Config, store: Store, tracker_id: TrackerId, url: String) -> Self {
        let calls = Arc::new(Semaphore::new(CALLS_MAX));
        Self {
            config,
            stuck: Stuck::default(),
            unread_offers: Seldom::new(LINE_EVERY),
            signed: AtomicUsize::new(0),
            unwritten: Seldom::new(LINE_EVERY),
            settling: per_partition(&store, &calls),
            resolving: per_partition(&store, &calls),
            renewing: per_partition(&store, &calls),
            releasing: per_partition(&store, &calls),
            splitting: per_partition(&store, &calls),
            reading: Semaphore::new(CALLS_MAX),
            store,
            draws: Draws::of(&tracker_id),
            tracker_id,
            url,
            sessions: Sessions::default(),
            lanes: Lanes::default(),
            limits: Limits::default(),
            roster: ArcSwap::default(),
            roster_changed: Notify::new(),
            departed: Departed::default(),
            probes: true,
            absence: Absence::default(),
            tasks: TaskTracker::new(),
            notes: Notes::default(),
            retries: Retries::default(),
            waits: Waits::default(),
            planning: Mutex::default(),
            opening: Mutex::default(),
        }
    }

    /// Settles what a worker reported; its confirmations follow when Redis has it.
    pub(crate) fn settle(self: &Arc<Self>, partition: PartitionId, reports: Vec<Reported>) {
        let Some(coalescer) = self.settling.get(usize::from(partition.as_u16())) else {
            return;
        };
        let engine = Arc::clone(self);
        coalescer.push(reports, &self.tasks, move |batch| {
            crate::outcomes::settle::write(Arc::clone(&engine), partition, batch)
        });
    }

    /// Tells what became of attempts that are not held.
    pub(crate) fn resolve(self: &Arc<Self>, partition: PartitionId, unknown: Vec<Unknown>) {
        let Some(coalescer) = self.resolving.get(usize::from(partition.as_u16())) else {
            return;
        };
        let engine = Arc::clone(self);
        coalescer.push(unknown, &self.tasks, move |batch| {
            crate::outcomes::resolve::write(Arc::clone(&engine), partition, batch)
        });
    }

    /// A batch was not written: counts it, and lets `line` say so once in a second, with the number of those that were not said.
    pub(crate) fn unwritten(&self, error: &tickwheel_store::Error, line: impl FnOnce(u64)) {
        measure::store_error(error);
        if let Some(unsaid) = self.unwritten.next(Instant::now()) {
            line(unsaid);
        }
    }

    /// Makes subtasks of a page of items; its confirmation follows when Redis has it.
    pub(crate) fn split(self: &Arc<Self>, mapped: Mapped) {
        let partition = mapped.partition();
        let Some(coalescer) = self.splitting.get(usize::from(partition.as_u16())) else {
            return;
        };
        let engine = Arc::clone(self);
        coalescer.push([mapped], &self.tasks, move |batch| {
            crate::fan_out::fan::write(Arc::clone(&engine), batch)
        });
    }

    /// Prolongs the lease of an attempt; the worker is told when it is lost or cancelled.
    pub(crate) fn renew(self: &Arc<Self>, session: &Arc<Session>, attempt: AttemptRef) {
        let partition = attempt.context.partition();
        let Some(coalescer) = self.renewing.get(usize::from(partition.as_u16())) else {
            return;
        };
        let engine = Arc::clone(self);
        let renewing = Renewing {
            session: Arc::clone(session),
            attempt,
            slot: session.in_flight.begin(),
        };
        coalescer.push([renewing], &self.tasks, move |batch| {
            crate::outcomes::settle::renew(Arc::clone(&engine), partition, batch)
        });
    }

    /// Waits until every announcement that came so far is in Redis, or its call has failed.
    pub(crate) async fn announcements_written(&self) {
        for coalescer in &self.renewing {
            let mark = coalescer.mark();
            while !coalescer.has_written(mark) {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }

    /// Gives an attempt back that did not start, if the worker that it was claimed for holds it; `slot` is that of the stream which said so.
    /// If Redis does not answer, the dispatch lease ends soon.
    pub(crate) fn release(self: &Arc<Self>, holding: Holding, slot: Option<Slot>) {
        let partition = holding.attempt.context.partition();
        let Some(coalescer) = self.releasing.get(usize::from(partition.as_u16())) else {
            return;
        };
        let engine = Arc::clone(self);
        coalescer.push([(holding, slot)], &self.tasks, move |batch: Vec<_>| {
            let engine = Arc::clone(&engine);
            async move {
                let (batch, _slots): (Vec<Holding>, Vec<Option<Slot>>) = batch.into_iter().unzip();
                crash_point!("before_release");
                match engine.store.release(partition, &batch).await {
                    Ok(released) => measure::foreign("release", released.foreign),
                    Err(error) => {
                        let count = batch.len();
                        engine.unwritten(&error, |unsaid| {
                            tracing::warn!(%partition, count, %error, unsaid, "release failed; the dispatch leases end by themselves");
                        });
                    }
                }
                crash_point!("after_release");
            }
        });
    }

    /// Lays in more due times of a job; one at a time for each job.
    pub(crate) fn replan(self: &Arc<Self>, job: JobName, now: TimestampMs) {
        let work = Work::Plan(job.clone());
        if self.retries.rests(&work, Instant::now()) || !lock(&self.planning).insert(job.clone()) {
            return;
        }
        let engine = Arc::clone(self);
        self.tasks.spawn(async move {
            let planned = planning::replan(&engine.store, &job, now).await;
            let unreachable = planned.as_ref().is_err_and(crate::Error::is_retryable);
            if let Some((times, error)) = engine.tried(work, planned, unreachable) {
                tracing::warn!(%job, times, %error, "planning failed; its entry comes back to some tracker");
            }
            lock(&engine.planning).remove(&job);
        });
    }

    /// What a follower is told of the end that it follows.
    async fn upstream(&self, entry: &OutboxEntry) -> Result<Upstream, tickwheel_store::Error> {
        let read = if entry.state == StateWord::Succeeded {
            Ok(None)
        } else {
            self.store.get_context(&entry.upstream).await
        };
        let error = match read {
            // One that runs again by now has no error any more.
            Ok(view) => view.map(|view| view.error).unwrap_or_default(),
            Err(error) if error.is_retryable() => return Err(error),
            // What cannot be read must not keep its follower from running.
            Err(error) => {
                tracing::warn!(follower = %entry.follower, %error, "what a follower follows cannot be read");
                String::new()
            }
        };
        Ok(Upstream {
            context: entry.upstream.clone(),
            state: entry.state,
            error,
        })
    }

    /// Fires the followers of contexts that ended, then takes the entries out of the outbox. A crash between repeats the first, which
    /// is idempotent.
    pub(crate) fn deliver(self: &Arc<Self>, partition: PartitionId, entries: Vec<OutboxEntry>) {
        let engine = Arc::clone(self);
        self.tasks.spawn(async move {
            crash_point!("before_outbox_fire");
            let mut delivered = Vec::with_capacity(entries.len());
            for entry in entries {
                let work = Work::Deliver(entry.follower.clone());
                if engine.retries.rests(&work, Instant::now()) {
                    continue;
                }
                let upstream = engine.upstream(&entry).await;
                let fired = match upstream {
                    Ok(upstream) => engine.store.fire_after(&entry.follower, &upstream).await,
                    Err(error) => Err(error),
                };
                match fired {
                    Ok(Fired::Started(_) | Fired::Queued(_) | Fired::Duplicate(_) | Fired::Skipped(_) | Fired::NoJob) => {
                        engine.retries.done(&work);
                        delivered.push(entry);
                    }
                    Err(error) => {
                        let unreachable = error.is_retryable();
                        if let Some((times, error)) = engine.tried(work, Err(error), unreachable) {
                            measure::store_error(&error);
                            tracing::warn!(follower = %entry.follower, times, %error, "a follower was not fired; it is tried again");
                        }
                    }
                }
            }
            crash_point!("between_outbox_fire_and_delivered");
            if let Err(error) = engine.store.delivered(partition, &delivered).await {
                engine.unwritten(&error, |unsaid| {
                    tracing::warn!(%partition, %error, unsaid, "an outbox was not cleared; its followers are asked again");
                });
            }
        });
    }

    /// Looks at the running contexts of a partition, in the background; leases of `evicted` workers end now. While leases may be over that
    /// nobody could prolong, it waits.
    pub(crate) fn reap(self: &Arc<Self>, partition: PartitionId, evicted: Vec<WorkerId>) {
        let work = Work::Reap(partition);
        if evicted.is_empty() && self.retries.rests(&work, Instant::now()) {
            return;
        }
        let engine = Arc::clone(self);
        self.tasks.spawn(async move {
            while let Some(until) = engine.absence.grace(Instant::now()) {
                tokio::time::sleep_until(until).await;
            }
            crash_point!("before_reap");
            let random = rand::random_range(0..1_000_000);
            match engine.store.reap(partition, &evicted, engine.config.dispatch_lease, random).await {
                Ok(reaped) => {
                    crash_point!("after_reap");
                    engine.retries.done(&work);
                    measure::reaped(&reaped);
                    for lost in reaped.lost {
                        tracing::warn!(context = %lost.attempt.context, attempt = %lost.attempt.attempt, worker = %lost.worker,
                            retrying = lost.retrying, "lease lost");
                        let AttemptRef { context, attempt } = lost.attempt;
                        engine.tell_cancel(&WorkerCancel { worker: lost.worker, context, attempt, reason: "FENCED".to_owned() });
                    }
                }
                Err(error) => {
                    measure::store_error(&error);
                    let unreachable = error.is_retryable();
                    if let Some((times, error)) = engine.tried(work, Err(error), unreachable) {
                        tracing::warn!(%partition, times, %error, "lease scan failed; the wheel brings the next one");
                    }
                }
            }
        });
    }

    /// Takes down how some work ended. When it failed and a line may say so: how often in a row, and why.
    pub(crate) fn tried<E>(
        &self,
        work: Work,
        ended: Result<(), E>,
        unreachable: bool,
    ) -> Option<(u32, E)> {
        match ended {
            Ok(()) => {
                self.retries.done(&work);
                None
            }
            Err(error) => {
                let times = self.retries.failed(work, unreachable, Instant::now())?;
                Some((times, error))
            }
        }
    }

    /// Returns the permits that a turn reserved and did not use, and has what waits for permits looked at again: a turn that ran
    /// beside it may have found them taken.
    pub(crate) fn return_permits(&self, reserved: Reserved, used: &[u32]) {
        if reserved.give_back(used) {
            self.sessions.capacity.notify_one();
        }
    }

    /// Passes a cancellation on to its worker, when the worker has a stream here.
    pub(crate) fn tell_cancel(&self, cancel: &WorkerCancel) {
        let Some(session) = self.sessions.get(&cancel.worker) else {
            return;
        };
        let attempt = CancelAttempt {
            context_id: cancel.context.as_str().to_owned(),
            attempt: cancel.attempt.as_u32(),
            reason: reason_of(&cancel.reason).into(),
        };
        // A stream that just ended: the next renewal tells the worker.
        session
            .send(TrackerMessage {
                cancel: vec![attempt],
                ..TrackerMessage::default()
            })
            .ok();
    }

    /// The partitions that this tracker turns.
    pub(crate) fn owned(&self) -> Vec<PartitionId> {
        self.turned_by(&self.tracker_id)
    }

    /// The partitions that `tracker` turns, by the present roster.
    pub(crate) fn turned_by(&self, tracker: &TrackerId) -> Vec<PartitionId> {
        let roster = self.roster.load();
        let mut ids: Vec<TrackerId> = roster.iter().map(|sign| sign.id.clone()).collect();
        if !ids.contains(&self.tracker_id) {
            ids.push(self.tracker_id.clone());
        }
        let owner = |partition: &PartitionId| {
            tickwheel_core::partition::owner(*partition, &ids) == Some(tracker)
        };
        self.store.partitions().partitions().filter(owner).collect()
    }
}

/// The wire's word for a reason of the scripts.
pub(crate) fn reason_of(word: &str) -> Reason {
    match word {
        "REQUESTED" => Reason::Requested,
        "TIMED_OUT" => Reason::TimedOut,
        "REPLACED" => Reason::Replaced,
        _ => Reason::Fenced,
    }
}
