//! Operations on single contexts: get, list, retry, note. Scripts: `lua/context/`.

mod attempt;
mod attempt_log;
mod count;
mod ends;
mod get;
mod list;
mod log;
mod retry;
mod tail;

use bytes::Bytes;
use fred::types::Value;
use tickwheel_core::access::Sight;
use tickwheel_core::id::{AttemptNo, ContextId, GroupName, HandlerName, JobName, WorkerId};
use tickwheel_core::job::{ContextOptions, Priority};
use tickwheel_core::routing::PlacementId;
use tickwheel_core::run::ContextState;
use tickwheel_core::time::TimestampMs;

pub use attempt::PastAttempt;
pub use attempt_log::{Appended, AttemptLog, Line, Progress};
pub use ends::{Ends, EndsCursor, EventMark};
pub(crate) use list::{Answer, Ask, ITEMS_MAX, Lists, Section};
pub use list::{
    ContextFilter, ContextList, Horizon, LOOK_MAX, ListOrder, Looked, MergedList, PageBounds,
};
pub use log::{LogLine, LogPage};
pub use tail::{Tail, TailMark};

use crate::error::Error;
use crate::record::{Dead, Held, Member, Rest, Settled, Upstream, error_type};
use crate::reply::Reply;
use crate::script::Script;
use crate::store::Store;

/// A context wherever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextView {
    /// Identity.
    pub id: ContextId,
    /// The job it belongs to.
    pub job: Option<JobName>,
    /// The workers it is for. `None` where its end does not tell.
    pub group: Option<GroupName>,
    /// Its handler; `None` as for `group`.
    pub handler: Option<HandlerName>,
    /// Its options with its priority; `None` for an ended context of which only the end is known.
    pub options: Option<ContextOptions>,
    /// Where it may run, and who takes it; `None` where any worker of its group will do, and as for `options`.
    pub placement: Option<PlacementId>,
    /// When it was due first.
    pub due: TimestampMs,
    /// Where it is in its life.
    pub state: ContextState,
    /// Its highest attempt so far; none before the first.
    pub attempt: AttemptNo,
    /// Attempts that failed, timed out or lost their lease.
    pub failures: u32,
    /// Who runs it, or ran its last attempt.
    pub worker: Option<WorkerId>,
    /// When that attempt was claimed.
    pub claimed: Option<TimestampMs>,
    /// When it ended.
    pub ended: Option<TimestampMs>,
    /// Why it ended without success.
    pub error: String,
    /// The class of that error, as its worker named it; empty where none did.
    pub error_type: String,
    /// What its handler is given; empty when only its end is known.
    pub body: Bytes,
    /// Its body had so many bytes, which was too much to be kept behind its end.
    pub body_dropped: Option<u64>,
    /// What its handler returned, as long as its record and the budget of results keep it.
    pub result: Bytes,
    /// Percent and message, kept as its log is.
    pub progress: Option<(u8, String)>,
    /// The newest lines of its log, about 128 KiB, with the oldest of them first.
    pub log: Vec<LogLine>,
    /// The log has older lines.
    pub log_cut: bool,
    /// Its attempts that ended without success, the oldest first; the newest 20, kept for a day. Not of subtasks.
    pub attempts: Vec<PastAttempt>,
    /// The end that fired it; `None` where none did, and of an ended context of which only the end is known.
    pub upstream: Option<Upstream>,
    /// When it is tried again.
    pub next_attempt: Option<TimestampMs>,
    /// When its lease ends unless renewed.
    pub lease_expires: Option<TimestampMs>,
    /// Why its worker is being told to stop.
    pub cancel: Option<String>,
}

impl ContextView {
    /// Whether somebody who sees so much sees it.
    #[must_use]
    pub fn is_in(&self, sight: &Sight) -> bool {
        let group = self.group.as_ref().map(GroupName::as_str);
        let handler = self.handler.as_ref().map(HandlerName::as_str);
        sight.has_context(&self.id, group, handler)
    }

    /// Which of the waiting contexts of its group goes first.
    #[must_use]
    pub fn priority(&self) -> Option<Priority> {
        self.options.map(|options| options.priority)
    }

    fn new(id: ContextId, state: ContextState) -> Self {
        Self {
            job: id.job(),
            due: id.due(),
            id,
            group: None,
            handler: None,
            options: None,
            placement: None,
            state,
            attempt: AttemptNo::NONE,
            failures: 0,
            worker: None,
            claimed: None,
            ended: None,
            error: String::new(),
            error_type: String::new(),
            body: Bytes::new(),
            body_dropped: None,
            result: Bytes::new(),
            progress: None,
            log: Vec::new(),
            log_cut: false,
            attempts: Vec::new(),
            upstream: None,
            next_attempt: None,
            lease_expires: None,
            cancel: None,
        }
    }

    fn with_rest(mut self, rest: Rest) -> Self {
        self.options = Some(rest.options.with_priority(rest.priority));
        self.placement = rest.options.placement;
        self.upstream = rest.options.upstream;
        self.body_dropped = rest.options.body_dropped;
        self.group = Some(rest.group);
        self.handler = Some(rest.handler);
        self.body = rest.body;
        self
    }

    fn of_member(member: Member, state: ContextState) -> Self {
        let view = Self {
            attempt: member.attempt,
            failures: member.failures,
            ..Self::new(member.id, state)
        };
        view.with_rest(member.rest)
    }

    fn of_held(id: ContextId, held: Held) -> Self {
        let view = Self {
            attempt: held.attempt,
            failures: held.failures,
            worker: Some(held.worker),
            claimed: Some(held.claimed),
            lease_expires: Some(held.expires),
            cancel: held.cancel.map(|cancel| cancel.reason),
            ..Self::new(id, ContextState::Running)
        };
        view.with_rest(held.rest)
    }

    fn of_settled(settled: Settled) -> Self {
        let (error_type, error) = error_type::split(&settled.message);
        Self {
            group: settled.group,
            handler: settled.handler,
            attempt: settled.attempt,
            failures: settled.failures,
            worker: settled.worker,
            claimed: settled.claimed,
            ended: Some(settled.ended),
            error,
            error_type,
            ..Self::new(settled.id, settled.state.word())
        }
    }

    /// One that is kept among the dead: how it ended, and what it was.
    pub(crate) fn of_dead(dead: Dead) -> Self {
        let view = Self {
            failures: dead.failures,
            ..Self::of_settled(dead.settled)
        };
        match dead.rest {
            Some(rest) => view.with_rest(rest),
            None => view,
        }
    }

    /// A live context from the place, the text and the score that scripts give.
    fn of_place(
        script: &'static str,
        id: ContextId,
        place: &str,
        text: Bytes,
        score: Option<u64>,
    ) -> Result<Self, Error> {
        let state = match place {
            "held" => return Ok(Self::of_held(id, Held::parse(text)?)),
            "wheel" => ContextState::Scheduled,
            "retry" => ContextState::Retrying,
            "ready" | "parts" => ContextState::Ready,
            "waiting_for_subtasks" => ContextState::WaitingForSubtasks,
            "queue" => ContextState::Queued,
            other => return Err(Error::contract(script, other)),
        };
        let mut view = Self::of_member(Member::parse(text)?, state);
        if state == ContextState::Retrying {
            view.next_attempt = score.map(TimestampMs::new);
        }
        Ok(view)
    }
}

impl Store {
    /// Calls a script on the partition of `context`.
    async fn call_context(
        &self,
        script: &'static Script,
        context: &ContextId,
        args: Vec<Value>,
    ) -> Result<(String, Reply), Error> {
        let partition = self.known(context.partition(), context.as_str())?;
        let value = self
            .redis
            .call(script, vec![self.keys.wheel(partition)], args)
            .await?;
        Reply::open(script.name(), value)
    }
}

fn no_context(context: &ContextId) -> Error {
    Error::NotFound {
        kind: "context",
        id: context.to_string(),
    }
}
