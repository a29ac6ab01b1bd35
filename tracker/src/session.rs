//! One worker's stream, as this tracker sees it: what it offers, what it can take, and the way to it.
//!
//! Nothing here matters after a crash: what a worker runs is in Redis, and the worker says it again when it connects elsewhere.

mod credit;
mod sessions;
mod units;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use tickwheel_core::id::{GroupName, WorkerId};
use tickwheel_core::routing::{Figures, Profile, Units};
use tickwheel_proto::v1::{Assignment, Beat, Hello, Report, Resource, TrackerMessage};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tonic::Status;

pub(crate) use credit::Credit;
pub(crate) use sessions::{Reserved, Sessions, Wanted};
use units::UnitCredit;

/// Frames on the way to one worker. What is outstanding is bounded by its permits, so only confirmations and the like queue up.
pub(crate) const FRAMES_MAX: usize = 1024;

/// A frame for a worker, or the status that ends its stream.
pub(crate) type Frame = Result<TrackerMessage, Status>;

/// A worker's stream.
#[derive(Debug)]
pub(crate) struct Session {
    /// The worker; unique per process start.
    pub(crate) worker: WorkerId,
    /// Its group.
    pub(crate) group: GroupName,
    /// What it said of itself.
    pub(crate) hello: Hello,
    /// The same, as routing reads it, with what its beats say of its resources.
    profile: ArcSwap<Profile>,
    resources: Mutex<Vec<Resource>>,
    units: Mutex<UnitCredit>,
    handlers: Mutex<Vec<String>>,
    credit: Mutex<Credit>,
    beat: Mutex<BeatState>,
    draining: AtomicBool,
    /// Contexts sent since its figures last changed.
    unmeasured: AtomicU32,
    frames: mpsc::Sender<Frame>,
}

/// What the last beats said.
#[derive(Debug, Clone, Default)]
pub(crate) struct BeatState {
    /// This tracker writes the worker's signs of life.
    pub(crate) home: bool,
    /// When it last beat.
    pub(crate) at: Option<Instant>,
    /// Its latest figures.
    pub(crate) report: Option<Report>,
    /// When the figures were last written to Redis.
    pub(crate) written: Option<Instant>,
}

/// A lock of plain data: a panic elsewhere leaves nothing half-done in it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    pub(crate) fn new(
        profile: Profile,
        group: GroupName,
        hello: Hello,
        frames: mpsc::Sender<Frame>,
    ) -> Self {
        let running = u32::try_from(hello.running.len()).unwrap_or(u32::MAX);
        let credit = Credit::new(hello.permits.saturating_sub(running));
        let handlers = Mutex::new(hello.handlers.clone());
        Self {
            worker: profile.id.clone(),
            group,
            hello,
            profile: ArcSwap::from_pointee(profile),
            resources: Mutex::default(),
            units: Mutex::default(),
            handlers,
            credit: Mutex::new(credit),
            beat: Mutex::default(),
            draining: AtomicBool::new(false),
            unmeasured: AtomicU32::new(0),
            frames,
        }
    }

    /// Hands a frame over; it comes back when the stream has ended or does not keep up.
    #[expect(
        clippy::result_large_err,
        reason = "the frame is the point of the error"
    )]
    pub(crate) fn send(&self, frame: TrackerMessage) -> Result<(), TrackerMessage> {
        self.frames
            .try_send(Ok(frame))
            .map_err(|refused| refused.into_inner().unwrap_or_default())
    }

    /// Ends the stream once the frames before were sent.
    pub(crate) fn end(&self, status: Status) {
        // A full or closed channel ends the stream as well: its receiver is dropped with the server.
        self.frames.try_send(Err(status)).ok();
    }

    pub(crate) fn credit(&self) -> MutexGuard<'_, Credit> {
        lock(&self.credit)
    }

    pub(crate) fn beat(&self) -> MutexGuard<'_, BeatState> {
        lock(&self.beat)
    }

    /// Who it is, as routing reads it.
    pub(crate) fn profile(&self) -> Arc<Profile> {
        self.profile.load_full()
    }

    /// What of its resources may be promised.
    pub(crate) fn units(&self) -> MutexGuard<'_, UnitCredit> {
        lock(&self.units)
    }

    /// Its resources, by its last beat.
    pub(crate) fn resources(&self) -> Vec<Resource> {
        lock(&self.resources).clone()
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

    fn learn_resources(&self, resources: Vec<Resource>) {
        let totals = resources.iter();
        let totals = Units::of(totals.map(|one| (one.name.clone(), one.total)));
        let profile = self.profile();
        if profile.resources != totals {
            self.profile.store(Arc::new(Profile {
                resources: totals,
                ..Profile::clone(&profile)
            }));
        }
        *lock(&self.resources) = resources;
    }

    /// The worker said how it does.
    pub(crate) fn heard(&self, beat: Beat) {
        if !beat.resources.is_empty() {
            self.learn_resources(beat.resources);
        }
        let mut known = self.beat();
        known.home = beat.home;
        known.at = Some(Instant::now());
        let measured = |report: &Report| (report.cpu_load.to_bits(), report.memory_used_bytes);
        if let Some(report) = beat.report {
            if known.report.as_ref().map(measured) != Some(measured(&report)) {
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
        let report = self.beat().report.unwrap_or_default();
        let credit = *self.credit();
        let free = credit.available() + credit.in_hand();
        Figures {
            running: self.hello.permits.saturating_sub(free),
            unmeasured: self.unmeasured.load(Ordering::Relaxed),
            cpu_load: f64::from(report.cpu_load),
            cpus: report.cpus.max(self.hello.cpus),
            memory_used: report.memory_used_bytes,
            memory_total: report.memory_total_bytes,
            response_ms: report.response_ms.map(f64::from),
        }
    }

    /// The handlers it offers, comma-separated.
    pub(crate) fn handlers(&self) -> String {
        lock(&self.handlers).join(",")
    }

    /// True when it takes contexts of this group and handler.
    pub(crate) fn offers(&self, group: &GroupName, handler: &str) -> bool {
        self.group == *group
            && !self.is_draining()
            && lock(&self.handlers)
                .iter()
                .any(|offered| offered == handler)
    }

    /// The worker refused this handler: it is not offered again on this stream.
    pub(crate) fn withdraw(&self, handler: &str) {
        lock(&self.handlers).retain(|offered| offered != handler);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    pub(crate) fn set_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
}
