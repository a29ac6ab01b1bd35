//! One worker's stream, as this tracker sees it: what it offers, what it can take, and the way to it.
//!
//! Nothing here matters after a crash: what a worker runs is in Redis, and the worker says it again when it connects elsewhere.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::{Mutex, MutexGuard};
use tickwheel_core::bounds::AMOUNT_MAX;
use tickwheel_core::id::{GroupName, WorkerId};
use tickwheel_core::routing::{Figures, Profile, Units};
use tickwheel_proto::v1::{self as wire, Assignment, Heartbeat, Hello, Resource, TrackerMessage};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::credit::Credit;
use super::faults::Faults;
use super::handlers::Handlers;
use super::in_flight::InFlight;
use super::report::Measured;
use super::units::UnitCredit;
use crate::access::Caller;
use crate::metrics::measure;

/// Frames on the way to one worker. What is outstanding is bounded by its permits, so only confirmations and the like queue up.
pub(crate) const FRAMES_MAX: usize = 1024;

/// Pages of results, of up to a mebibyte, that are on the way to one worker.
const FETCHES_MAX: usize = 4;
/// Frames that wait for a worker which reads what it is sent.
const FRAMES_FEW: usize = 8;
/// Between two looks at whether they are few.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Resources that an SDK measures, beside those that a Hello names.
const MEASURED: [&str; 3] = ["cpu", "memory", "disk"];

/// A frame for a worker, or the status that ends its stream. Channels have places for many as they are made, so what stands in one is small.
pub(crate) type Frame = Box<Result<TrackerMessage, Status>>;

/// A worker's stream.
#[derive(Debug)]
pub(crate) struct Session {
    /// The worker; unique per process start.
    pub(crate) worker: WorkerId,
    /// Its group.
    pub(crate) group: GroupName,
    /// What it said of itself.
    pub(crate) hello: Hello,
    /// The same, as routing reads it, with what its heartbeats say of its resources.
    profile: ArcSwap<Profile>,
    /// The names of the resources that it may tell of.
    nameable: Units,
    resources: Mutex<Vec<Resource>>,
    units: Mutex<UnitCredit>,
    handlers: Mutex<Arc<Handlers>>,
    /// What it reported and what is not done yet.
    pub(crate) in_flight: Arc<InFlight>,
    faults: Faults,
    /// Pages of results that are read for it at once.
    pub(crate) fetching: Semaphore,
    credit: Mutex<Credit>,
    heartbeat: Mutex<HeartbeatState>,
    draining: AtomicBool,
    /// Somebody said that it takes no more work.
    drained: AtomicBool,
    /// Contexts sent since its figures last changed.
    unmeasured: AtomicU32,
    frames: mpsc::Sender<Frame>,
    caller: Caller,
    /// Cancelled when nothing more may be heard of it.
    expelled: CancellationToken,
}

/// What the last heartbeats said.
#[derive(Debug, Clone, Default)]
pub(crate) struct HeartbeatState {
    /// This tracker writes the worker's heartbeats.
    pub(crate) primary: bool,
    /// When the last one came.
    pub(crate) at: Option<Instant>,
    /// Its latest figures.
    pub(crate) report: Option<Measured>,
    /// When the figures were last written to Redis.
    pub(crate) written: Option<Instant>,
}

impl Session {
    pub(crate) fn new(
        profile: Profile,
        group: GroupName,
        mut hello: Hello,
        (frames, in_flight): (mpsc::Sender<Frame>, InFlight),
        caller: Caller,
    ) -> Self {
        let running = u32::try_from(std::mem::take(&mut hello.running).len());
        let credit = Credit::new(hello.permits.saturating_sub(running.unwrap_or(u32::MAX)));
        let handlers = Handlers::new(std::mem::take(&mut hello.handlers));
        let measured = MEASURED.map(|name| (name.to_owned(), 0));
        let declared = profile.resources.iter();
        let declared = declared.map(|(name, _)| (name.to_owned(), 0));
        Self {
            nameable: Units::of(declared.chain(measured)),
            worker: profile.id.clone(),
            group,
            hello,
            profile: ArcSwap::from_pointee(profile),
            resources: Mutex::default(),
            units: Mutex::default(),
            handlers: Mutex::new(Arc::new(handlers)),
            in_flight: Arc::new(in_flight),
            faults: Faults::default(),
            fetching: Semaphore::new(FETCHES_MAX),
            credit: Mutex::new(credit),
            heartbeat: Mutex::default(),
            draining: AtomicBool::new(false),
            drained: AtomicBool::new(false),
            unmeasured: AtomicU32::new(0),
            frames,
            caller,
            expelled: CancellationToken::new(),
        }
    }

    /// Hands a frame over; it comes back when the stream has ended or does not keep up.
    #[expect(
        clippy::result_large_err,
        reason = "the frame is the point of the error"
    )]
    pub(crate) fn send(&self, frame: TrackerMessage) -> Result<(), TrackerMessage> {
        self.frames
            .try_send(Box::new(Ok(frame)))
            .map_err(|refused| refused.into_inner().unwrap_or_default())
    }

    /// Waits until the worker has read most of what was sent to it, or its stream has ended.
    pub(crate) async fn sent_soon(&self) {
        while !self.frames.is_closed() && self.frames.capacity() + FRAMES_FEW < FRAMES_MAX {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// An item of the stream could not be read, because `why`.
    pub(crate) fn fault(&self, item: &'static str, why: impl std::fmt::Display) {
        measure::item_refused(item);
        if let Some(unsaid) = self.faults.add() {
            tracing::warn!(worker = %self.worker, %why, unsaid, "a {item} could not be read");
        }
    }

    /// An item of the stream means nothing here, because `why`: it is passed over, and says nothing against the stream.
    pub(crate) fn passed_over(&self, item: &'static str, why: impl std::fmt::Display) {
        measure::item_refused(item);
        if let Some(unsaid) = self.faults.line() {
            tracing::warn!(worker = %self.worker, %why, unsaid, "a {item} is passed over");
        }
    }

    /// Whether the stream goes on.
    ///
    /// # Errors
    /// The status that ends it, after too many items that could not be read.
    pub(crate) fn is_sound(&self) -> Result<(), Status> {
        self.faults.verdict()
    }

    /// Ends the stream once the frames before were sent.
    pub(crate) fn end(&self, status: Status) {
        // A full or closed channel ends the stream as well: its receiver is dropped with the server.
        self.frames.try_send(Box::new(Err(status))).ok();
    }

    /// Whether its worker understands this beyond the core of the protocol.
    pub(crate) fn understands(&self, capability: &str) -> bool {
        let known = &self.hello.capabilities;
        known.iter().any(|word| word == capability)
    }

    /// Who its worker showed that it is.
    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Nothing more is heard of the worker, whatever it sends, and it is told so if it listens.
    pub(crate) fn expel(&self) {
        self.expelled.cancel();
    }

    /// What is heard next, until the worker may not stay: then `None`.
    pub(crate) async fn unless_expelled<T>(&self, next: impl Future<Output = T>) -> Option<T> {
        self.expelled.run_until_cancelled(next).await
    }

    pub(crate) fn credit(&self) -> MutexGuard<'_, Credit> {
        self.credit.lock()
    }

    pub(crate) fn heartbeat(&self) -> MutexGuard<'_, HeartbeatState> {
        self.heartbeat.lock()
    }

    /// Who it is, as routing reads it.
    pub(crate) fn profile(&self) -> Arc<Profile> {
        self.profile.load_full()
    }

    /// What of its resources may be promised.
    pub(crate) fn units(&self) -> MutexGuard<'_, UnitCredit> {
        self.units.lock()
    }

    /// Its resources, by its last heartbeat.
    pub(crate) fn resources(&self) -> Vec<Resource> {
        self.resources.lock().clone()
    }

    /// Sends contexts; what they take of its resources counts from now on.
    #[expect(
        clippy::result_large_err,
        reason = "the frame is the point of the error"
    )]
    pub(crate) fn send_contexts(&self, frame: TrackerMessage) -> Result<(), TrackerMessage> {
        let takes = |assignment: &Assignment| {
            let needs = assignment.requires.iter();
            (!assignment.requires.is_empty())
                .then(|| Units::of(needs.map(|(name, amount)| (name.clone(), *amount))))
        };
        let takes: Vec<Option<Units>> = frame.dispatch.iter().map(takes).collect();
        // Under the lock, so that the numbers follow the order of the frames.
        let mut units = self.units();
        self.send(frame)?;
        units.send(takes.iter().map(Option::as_ref));
        Ok(())
    }

    /// The worker said what of its resources is free. What it did not introduce is left out and counted.
    pub(crate) fn heard_units(&self, units: Option<wire::Units>, received: u64) {
        let free = units.map(|units| {
            let (known, left_out) = self.nameable.known_of(units.amounts);
            measure::values_dropped("resource", left_out);
            known
        });
        self.units().update(free, received);
    }

    fn learn_resources(&self, mut resources: Vec<Resource>) {
        let before = resources.len();
        let mut seen = BTreeSet::new();
        resources.retain(|one| {
            self.nameable.iter().any(|(name, _)| name == one.name) && seen.insert(one.name.clone())
        });
        measure::values_dropped("resource", before - resources.len());
        for one in &mut resources {
            for amount in [&mut one.total, &mut one.used, &mut one.reserved] {
                *amount = (*amount).min(AMOUNT_MAX);
            }
        }
        let totals = resources.iter();
        let totals = Units::of(totals.map(|one| (one.name.clone(), one.total)));
        let profile = self.profile();
        if profile.resources != totals {
            self.profile.store(Arc::new(Profile {
                resources: totals,
                ..Profile::clone(&profile)
            }));
        }
        *self.resources.lock() = resources;
    }

    /// The worker said how it does.
    pub(crate) fn heard(&self, heartbeat: Heartbeat) {
        if !heartbeat.resources.is_empty() {
            self.learn_resources(heartbeat.resources);
        }
        let mut known = self.heartbeat();
        known.primary = heartbeat.primary;
        known.at = Some(Instant::now());
        if let Some(report) = heartbeat.report {
            let (report, wrong) = Measured::of(report);
            measure::values_dropped("figure", wrong);
            let figures = |report: &Measured| (report.cpu_load, report.memory_used);
            if known.report.as_ref().map(figures) != Some(figures(&report)) {
                self.unmeasured.store(0, Ordering::Relaxed);
            }
            known.report = Some(report);
        }
    }

    /// Contexts were sent to it.
    pub(crate) fn sent(&self, contexts: u32) {
        self.unmeasured.fetch_add(contexts, Ordering::Relaxed);
    }

    /// How it does, by its last word and what was sent to it since.
    pub(crate) fn figures(&self) -> Figures {
        let report = self.heartbeat().report.unwrap_or_default();
        let credit = *self.credit();
        let free = credit.available() + credit.in_hand();
        Figures {
            running: self.hello.permits.saturating_sub(free),
            unmeasured: self.unmeasured.load(Ordering::Relaxed),
            cpu_load: report.cpu_load.map(f64::from),
            cpus: report.cpus.max(self.hello.cpus),
            memory_used: report.memory_used,
            memory_total: report.memory_total,
            response_ms: report.response_ms.map(f64::from),
        }
    }

    /// The handlers it offers.
    pub(crate) fn handlers(&self) -> Arc<Handlers> {
        Arc::clone(&self.handlers.lock())
    }

    /// True when it takes contexts of this group and handler.
    pub(crate) fn offers(&self, group: &GroupName, handler: &str) -> bool {
        self.group == *group && !self.is_draining() && self.handlers.lock().has(handler)
    }

    /// Takes other handlers for what it offers. Only [`super::Sessions`] calls it, so that what is looked up by handlers agrees.
    pub(super) fn set_handlers(&self, handlers: Arc<Handlers>) {
        *self.handlers.lock() = handlers;
    }

    /// Whether it is given no more work: its worker is about to leave, or somebody said so.
    pub(crate) fn is_draining(&self) -> bool {
        self.is_leaving() || self.drained.load(Ordering::Relaxed)
    }

    /// Whether its worker is about to leave.
    pub(crate) fn is_leaving(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Somebody said that it takes no more work, or takes some again.
    pub(crate) fn set_drained(&self, drained: bool) {
        self.drained.store(drained, Ordering::Relaxed);
    }

    pub(crate) fn set_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
}

/// A worker with a stream that nobody reads.
#[cfg(test)]
pub(crate) fn transport(name: &str, group: &str, handlers: &[&str], permits: u32) -> Arc<Session> {
    let hello = Hello {
        worker_id: name.to_owned(),
        group: group.to_owned(),
        handlers: handlers.iter().map(|&handler| handler.to_owned()).collect(),
        permits,
        ..Hello::default()
    };
    let (profile, group, hello) = super::checked(hello).expect("a Hello that follows the rules");
    let (frames, _) = mpsc::channel(FRAMES_MAX);
    let frames = (frames, InFlight::default());
    let session = Session::new(profile, group, hello, frames, Caller::anybody());
    Arc::new(session)
}
