//! A worker as the wire describes one: it takes what it is sent, runs it, tells, asks again, and drops what it has lost.
//!
//! Written for the simulation, so that a worker's rules are stated twice: the SDK has them, and this has them again in a page.

mod forge;
mod split;
mod state;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use parking_lot::{Mutex, MutexGuard};
use tickwheel_proto::protocol::CAPABILITIES;
use tickwheel_proto::v1::cancel_attempt::Reason;
use tickwheel_proto::v1::confirmation::Verdict;
use tickwheel_proto::v1::rejection::Reason as Refusal;
use tickwheel_proto::v1::settlement::Outcome;
use tickwheel_proto::v1::{
    Assignment, Credit, Heartbeat, Hello, Rejection, Settlement, TrackerMessage, WorkerMessage,
};
use tickwheel_tests::harness::Run;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::placements;
use crate::streams::{self, Ends};
use crate::work::Work;
use crate::world::{Node, while_frozen, with};
use state::{Kept, Key, Link, Running, State, live, primary, reference, route};

/// A worker that runs longer than this says so.
const ACCEPT_AFTER: Duration = Duration::from_millis(250);
/// Between two looks at what time brings about.
const KEEP_EVERY: Duration = Duration::from_millis(200);
/// An outcome is sent again after this.
const CONFIRM_PATIENCE: Duration = Duration::from_secs(2);

/// One worker process.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) node: Node,
    pub(crate) number: u64,
    id: String,
    tag: &'static str,
    group: &'static str,
    permits: u32,
    state: Mutex<State>,
}

impl Worker {
    /// Starts one; it looks for trackers by itself.
    pub(crate) fn start(number: u64, group: &'static str, permits: u32) -> Arc<Self> {
        let id = format!("w{number}");
        let node = with(|world| world.add_process(id.clone()));
        let worker = Arc::new(Self {
            node,
            number,
            id,
            tag: placements::tag(number),
            group,
            permits,
            state: Mutex::default(),
        });
        let (fleet, keeper, heartbeats) = (
            Arc::clone(&worker),
            Arc::clone(&worker),
            Arc::clone(&worker),
        );
        worker.spawn(async move { fleet.find_trackers().await });
        worker.spawn(async move { keeper.keep().await });
        worker.spawn(async move { heartbeats.heartbeat().await });
        worker
    }

    /// Ends the process without a word.
    pub(crate) fn kill(&self) {
        with(|world| world.kill(self.node));
        let mut tasks = std::mem::take(&mut self.state().tasks);
        tasks.abort_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut state = self.state();
        while state.tasks.try_join_next().is_some() {}
        state.tasks.spawn(task);
    }

    /// Keeps a stream to every tracker there is.
    async fn find_trackers(self: Arc<Self>) {
        loop {
            while_frozen(self.node).await;
            for tracker in with(|world| world.living("t")) {
                let known = self
                    .state()
                    .links
                    .values()
                    .any(|link| link.tracker == tracker);
                if !known && let Some(ends) = streams::open(self.node, tracker) {
                    let worker = Arc::clone(&self);
                    self.spawn(async move { worker.listen(tracker, ends).await });
                }
            }
            sleep(Duration::from_millis(300)).await;
        }
    }

    async fn listen(self: Arc<Self>, tracker: Node, ends: Ends) {
        let Ends { out, mut incoming } = ends;
        let (index, running) = {
            let mut state = self.state();
            let index = state.next_link;
            state.next_link += 1;
            let link = Link {
                tracker,
                out: out.clone(),
                received: 0,
                live: false,
            };
            state.links.insert(index, link);
            (index, state.running.keys().map(reference).collect())
        };
        let hello = Hello {
            worker_id: self.id.clone(),
            group: self.group.to_owned(),
            handlers: vec!["h".to_owned(), "i".to_owned()],
            permits: self.permits,
            tags: vec![self.tag.to_owned()],
            resources: placements::resources(),
            running,
            capabilities: CAPABILITIES.map(ToOwned::to_owned).into(),
            ..Hello::default()
        };
        out.send(WorkerMessage {
            hello: Some(hello),
            ..WorkerMessage::default()
        })
        .ok();
        while let Some(message) = incoming.next().await {
            while_frozen(self.node).await;
            self.take(index, message);
        }
        let mut state = self.state();
        state.links.remove(&index);
        for running in state
            .running
            .values_mut()
            .filter(|running| running.link == index)
        {
            running.renew_at = Instant::now();
        }
    }

    fn take(self: &Arc<Self>, index: usize, message: TrackerMessage) {
        let now = Instant::now();
        if message.welcome.is_some()
            && let Some(link) = self.state().links.get_mut(&index)
        {
            link.live = true;
        }
        for confirmation in message.confirm {
            self.confirmed(
                (confirmation.context_id.clone(), confirmation.attempt),
                confirmation.verdict(),
            );
        }
        for cancel in message.cancel {
            let mut state = self.state();
            if let Some(running) = state
                .running
                .get_mut(&(cancel.context_id.clone(), cancel.attempt))
            {
                running.cancelled.get_or_insert(cancel.reason());
                if cancel.reason() == Reason::Fenced {
                    running.cancelled = Some(Reason::Fenced);
                }
                running.cancel.notify_one();
            }
        }
        for renewed in message.renewed {
            let mut state = self.state();
            if let Some(running) = state
                .running
                .get_mut(&(renewed.context_id, renewed.attempt))
            {
                let asked = running.asked.take().unwrap_or(now);
                running.lease = Duration::from_millis(renewed.lease_ms);
                running.lease_until = running.lease_until.max(asked + running.lease);
                running.renew_at = asked + running.lease / 3;
            }
        }
        for confirmation in message.split {
            self.split(confirmation);
        }
        let mut frame = WorkerMessage::default();
        for assignment in message.dispatch {
            self.assign(index, assignment, &mut frame);
        }
        self.send(index, frame);
    }

    fn confirmed(&self, key: Key, verdict: Verdict) {
        if verdict == Verdict::Unavailable {
            // It is kept, and sent again like one that was never answered.
            return;
        }
        self.must_be_refused(&key, verdict);
        if verdict == Verdict::Settled {
            with(|world| world.checks.settled_by(&key.0, key.1));
        }
        let mut state = self.state();
        if state.kept.remove(&key).is_some() {
            state.done.push_back(key);
            if state.done.len() > 1_000 {
                state.done.pop_front();
            }
        } else if verdict == Verdict::Stale
            && let Some(running) = state.running.get_mut(&key)
        {
            running.cancelled = Some(Reason::Fenced);
            running.cancel.notify_one();
        }
    }

    fn assign(self: &Arc<Self>, index: usize, assignment: Assignment, frame: &mut WorkerMessage) {
        let key = (assignment.context_id.clone(), assignment.attempt);
        let mut state = self.state();
        if let Some(link) = state.links.get_mut(&index) {
            link.received += 1;
        }
        if state.running.contains_key(&key) || state.done.contains(&key) {
            return;
        }
        if let Some(kept) = state.kept.get_mut(&key) {
            frame.settle.push(kept.settlement.clone());
            return;
        }
        let takes = placements::taken(&assignment);
        if self.free(&state) == 0 || !placements::fits(takes, state.units()) {
            frame.rejected.push(Rejection {
                context_id: key.0,
                attempt: key.1,
                reason: Refusal::Busy.into(),
                handler: String::new(),
            });
            return;
        }
        let now = Instant::now();
        let lease = Duration::from_millis(assignment.lease_ms);
        let cancel = Arc::new(Notify::new());
        state.running.insert(
            key.clone(),
            Running {
                link: index,
                arrived: now,
                lease_until: now + lease,
                lease,
                asked: None,
                told: false,
                renew_at: now,
                units: takes,
                cancelled: None,
                cancel: Arc::clone(&cancel),
            },
        );
        drop(state);
        let worker = Arc::clone(self);
        self.spawn(async move { worker.run(key, assignment, cancel).await });
    }

    /// The handler.
    async fn run(self: Arc<Self>, key: Key, assignment: Assignment, cancel: Arc<Notify>) {
        while_frozen(self.node).await;
        Self::must_not_run(&assignment);
        let index = with(|world| {
            let start_ms = world.now_ms();
            world.note(|| format!("{} runs {} attempt {}", self.id, key.0, key.1));
            world.runs.push(Run {
                context: key.0.clone(),
                attempt: key.1,
                worker: self.id.clone(),
                handler: assignment.handler.clone(),
                due_ms: assignment.due_ms,
                start_ms,
                start_us: 0,
                end_ms: None,
                outcome: String::new(),
            });
            world.runs.len() - 1
        });
        let work = Work::read(&assignment.body);
        let maps = work.items() > 0 && Self::may_map(assignment.subtask.as_ref());
        let timeout = Duration::from_millis(assignment.timeout_ms);
        let ends_by_itself = async {
            sleep(work.takes()).await;
            !maps || self.map(&key, work).await
        };
        let times_out = async {
            if timeout.is_zero() {
                std::future::pending::<()>().await;
            }
            sleep(timeout).await;
        };
        let told = async {
            cancel.notified().await;
            if work.is_deaf() {
                std::future::pending::<()>().await;
            }
        };
        let outcome = tokio::select! {
            biased;
            () = told => None,
            mapped = ends_by_itself => Some(if mapped { work.outcome(assignment.failures) } else { Outcome::Failed }),
            () = times_out => Some(Outcome::TimedOut),
        };
        while_frozen(self.node).await;
        with(|world| {
            let now = world.now_ms();
            let run = &mut world.runs[index];
            if run.end_ms.is_none() {
                run.end_ms = Some(now);
                run.outcome = format!("{outcome:?}");
            }
        });
        self.ended(key, outcome, work);
    }

    fn ended(&self, key: Key, outcome: Option<Outcome>, work: Work) {
        let mut state = self.state();
        let Some(running) = state.running.remove(&key) else {
            return;
        };
        let outcome = match (running.cancelled, outcome) {
            (Some(Reason::Fenced), _) => None,
            (Some(Reason::TimedOut), _) => Some(Outcome::TimedOut),
            (_, Some(outcome)) => Some(outcome),
            (Some(_), None) => Some(Outcome::Cancelled),
            (None, None) => None,
        };
        if let Some(outcome) = outcome {
            let settlement = Settlement {
                context_id: key.0.clone(),
                attempt: key.1,
                outcome: outcome.into(),
                error: "of a simulation".to_owned(),
                error_type: String::new(),
                result: bytes::Bytes::new(),
                retry_after_ms: work.retry_after_ms(),
                ran_us: 0,
            };
            let link = route(&state, running.link);
            let kept = Kept {
                settlement: settlement.clone(),
                link: link.unwrap_or(running.link),
                sent: Instant::now(),
            };
            state.kept.insert(key, kept);
            drop(state);
            if let Some(link) = link {
                self.send(
                    link,
                    WorkerMessage {
                        settle: vec![settlement],
                        ..WorkerMessage::default()
                    },
                );
            }
            self.tell_credit(link);
        } else {
            drop(state);
            self.tell_credit(None);
        }
    }

    /// Tells the other trackers how much is free now.
    fn tell_credit(&self, but: Option<usize>) {
        let links: Vec<usize> = self.state().links.keys().copied().collect();
        for link in links.into_iter().filter(|link| Some(*link) != but) {
            self.send(link, WorkerMessage::default());
        }
    }

    fn free(&self, state: &State) -> u32 {
        self.permits
            .saturating_sub(u32::try_from(state.running.len()).unwrap_or(u32::MAX))
    }

    /// Sends a frame with what is free now.
    fn send(&self, index: usize, mut frame: WorkerMessage) {
        let state = self.state();
        let Some(link) = state.links.get(&index).filter(|link| link.live) else {
            return;
        };
        frame.credit = Some(Credit {
            free: self.free(&state),
            received: link.received,
        });
        frame.units = Some(placements::free(state.units()));
        link.out.send(frame).ok();
    }

    async fn heartbeat(self: Arc<Self>) {
        loop {
            while_frozen(self.node).await;
            let links: Vec<usize> = self.state().links.keys().copied().collect();
            let primary_link = primary(&self.state());
            for link in links {
                let heartbeat = Heartbeat {
                    primary: primary_link == Some(link),
                    report: None,
                    ..Heartbeat::default()
                };
                self.send(
                    link,
                    WorkerMessage {
                        heartbeat: Some(heartbeat),
                        ..WorkerMessage::default()
                    },
                );
            }
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// Announces, renews, gives up what is lost, and asks again.
    async fn keep(self: Arc<Self>) {
        loop {
            sleep(KEEP_EVERY).await;
            while_frozen(self.node).await;
            for (link, frame) in self.due() {
                self.send(link, frame);
            }
            self.forge();
        }
    }

    fn due(&self) -> BTreeMap<usize, WorkerMessage> {
        let now = Instant::now();
        let mut frames: BTreeMap<usize, WorkerMessage> = BTreeMap::new();
        let mut state = self.state();
        let primary_link = primary(&state);
        let live: Vec<usize> = live(&state).collect();
        let usable = |link: usize| live.contains(&link).then_some(link).or(primary_link);
        let State { running, kept, .. } = &mut *state;
        for (key, running) in running.iter_mut() {
            if running.lease_until <= now {
                // Somebody else may run it: it stops, and says nothing.
                running.cancelled = Some(Reason::Fenced);
                running.cancel.notify_one();
                continue;
            }
            let first = !running.told;
            let is_due = if first {
                running.arrived + ACCEPT_AFTER.min(running.lease / 2) <= now
            } else {
                running.renew_at <= now
            };
            let Some(link) = usable(running.link).filter(|_| is_due) else {
                continue;
            };
            running.told = true;
            running.asked.get_or_insert(now);
            running.renew_at = now + running.lease / 3;
            let frame = frames.entry(link).or_default();
            frame.renew.push(reference(key));
        }
        for kept in kept
            .values_mut()
            .filter(|kept| kept.sent + CONFIRM_PATIENCE <= now)
        {
            // Another tracker than the one that does not answer, if there is one.
            let other = live.iter().copied().find(|link| *link != kept.link);
            if let Some(link) = other.or_else(|| usable(kept.link)) {
                (kept.sent, kept.link) = (now, link);
                frames
                    .entry(link)
                    .or_default()
                    .settle
                    .push(kept.settlement.clone());
            }
        }
        frames
    }

    /// Its group.
    pub(crate) fn group(&self) -> &'static str {
        self.group
    }

    /// What runs, and outcomes that nobody has confirmed.
    pub(crate) fn unconfirmed(&self) -> usize {
        let state = self.state();
        state.kept.len() + state.running.len()
    }
}
