//! What can happen to a context, what follows from it, and what may not happen.

use tickwheel_core::id::{AttemptNo, WorkerId};
use tickwheel_core::run::ContextState;
use tickwheel_core::time::TimestampMs;

/// What follows an attempt that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Next {
    /// Another one, then.
    At(TimestampMs),
    /// Another one, without a delay.
    Now,
    /// None: attempts are used up, the failure was final, or the context must run at most once.
    Never,
}

/// Something that happens to a context. Decisions (when to retry, until when a lease holds) are made before and carried
/// along, so applying an event needs no clock and no chance.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Event {
    /// Its time in the wheel has come.
    Due,
    /// The context it waited for has ended.
    Admit,
    /// A tracker takes it for a worker.
    Claim {
        /// Which worker.
        worker: WorkerId,
        /// The next attempt number.
        attempt: AttemptNo,
        /// Until when the lease holds.
        expires: TimestampMs,
    },
    /// The worker accepted it, or is still at it.
    Renew {
        /// The attempt that asks.
        attempt: AttemptNo,
        /// Until when the lease holds now.
        expires: TimestampMs,
    },
    /// The worker rejected it: busy, unknown handler, draining. No failure.
    Release {
        /// The rejected attempt.
        attempt: AttemptNo,
    },
    /// The handler ended well.
    Succeed {
        /// The settled attempt.
        attempt: AttemptNo,
    },
    /// The handler ended well, and has mapped subtasks that have not ended.
    Fan {
        /// The settled attempt.
        attempt: AttemptNo,
    },
    /// A tracker splits it as its job's model says.
    Open,
    /// It cannot be split, say because fewer workers live than have to succeed: an attempt of it ends.
    Refuse {
        /// When it is tried again.
        next: Next,
    },
    /// How it ends is decided while subtasks run: these are told to stop, and the others go.
    Stop,
    /// The last of those that were told to has stopped, of a context that was cancelled or whose attempt timed out.
    Stopped {
        /// Its last attempt took longer than its timeout.
        timed_out: bool,
    },
    /// Its subtasks, and its reduce, have ended as they should, or enough of them.
    Finish,
    /// They have not: too many failed, or the reduce did.
    FallShort {
        /// When everything is split anew.
        next: Next,
    },
    /// The handler failed.
    Fail {
        /// The settled attempt.
        attempt: AttemptNo,
        /// When it is tried again.
        next: Next,
    },
    /// The attempt took longer than its timeout.
    TimeOut {
        /// The attempt.
        attempt: AttemptNo,
        /// When it is tried again.
        next: Next,
    },
    /// The lease expired.
    LoseLease {
        /// The attempt that held it.
        attempt: AttemptNo,
        /// When it is tried again: without a delay, or never.
        next: Next,
    },
    /// A running attempt has obeyed a cancellation, or its grace is over.
    ConfirmCancel {
        /// The attempt.
        attempt: AttemptNo,
    },
    /// Somebody wants it ended.
    Cancel,
    /// Somebody wants an ended one to run again: a dead one, or one of a job, which runs what its job says by then.
    Retry,
    /// Its start deadline has passed.
    Expire,
}

impl Event {
    /// The verb, as documents and errors name it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Admit => "admit",
            Self::Claim { .. } => "claim",
            Self::Renew { .. } => "renew",
            Self::Release { .. } => "release",
            Self::Succeed { .. } => "succeed",
            Self::Fan { .. } => "succeed, subtasks left",
            Self::Open => "split",
            Self::Refuse { .. } => "cannot be split",
            Self::Stop => "stop subtasks",
            Self::Stopped { .. } => "subtasks stopped",
            Self::Finish => "subtasks succeed",
            Self::FallShort { .. } => "subtasks fail",
            Self::Fail { .. } => "fail",
            Self::TimeOut { .. } => "time out",
            Self::LoseLease { .. } => "lose lease",
            Self::ConfirmCancel { .. } => "confirm cancel",
            Self::Cancel => "cancel",
            Self::Retry => "retry",
            Self::Expire => "expire",
        }
    }

    /// What follows, for an event that ends an attempt without success.
    #[must_use]
    pub const fn next(&self) -> Option<Next> {
        match self {
            Self::Refuse { next }
            | Self::FallShort { next }
            | Self::Fail { next, .. }
            | Self::TimeOut { next, .. }
            | Self::LoseLease { next, .. } => Some(*next),
            Self::Due
            | Self::Admit
            | Self::Claim { .. }
            | Self::Renew { .. }
            | Self::Release { .. }
            | Self::Succeed { .. }
            | Self::Fan { .. }
            | Self::Open
            | Self::Stop
            | Self::Stopped { .. }
            | Self::Finish
            | Self::ConfirmCancel { .. }
            | Self::Cancel
            | Self::Retry
            | Self::Expire => None,
        }
    }

    /// The verb with its branch, as the lifecycle document has it.
    #[must_use]
    pub fn label(&self) -> String {
        let branch = match self.next() {
            None => return self.name().to_owned(),
            Some(Next::At(_)) => "attempts left",
            Some(Next::Now) => "attempts left, no delay",
            Some(Next::Never) => "used up",
        };
        format!("{}, {branch}", self.name())
    }

    /// The attempt whose lease it is about; an older one changes nothing (W2).
    #[must_use]
    pub const fn fence(&self) -> Option<AttemptNo> {
        match self {
            Self::Renew { attempt, .. }
            | Self::Release { attempt }
            | Self::Succeed { attempt }
            | Self::Fan { attempt }
            | Self::Fail { attempt, .. }
            | Self::TimeOut { attempt, .. }
            | Self::LoseLease { attempt, .. }
            | Self::ConfirmCancel { attempt } => Some(*attempt),
            Self::Due
            | Self::Admit
            | Self::Claim { .. }
            | Self::Open
            | Self::Refuse { .. }
            | Self::Stop
            | Self::Stopped { .. }
            | Self::Finish
            | Self::FallShort { .. }
            | Self::Cancel
            | Self::Retry
            | Self::Expire => None,
        }
    }
}

/// Where a context is kept; it is in one of them until it is settled (W1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// The sorted set of due times.
    Wheel,
    /// The overlap queue of its job.
    Queue,
    /// The ready set of its group and handler.
    Ready,
    /// The hash of running contexts.
    Held,
    /// The hash of its subtasks' counts.
    Fan,
}

/// What follows from an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Action {
    /// Take it out of this place.
    Leave(Place),
    /// Put it into this place.
    Enter(Place),
    /// Tell the worker to stop; the context stays leased until it does or the grace is over.
    AskCancel {
        /// Which worker.
        worker: WorkerId,
        /// Which attempt.
        attempt: AttemptNo,
    },
    /// Write the end into the events and the job's runs, and tell the job's followers.
    Record(ContextState),
    /// Keep it among the dead, for inspection and a retry by hand.
    Bury,
    /// Take it out of the dead.
    Unbury,
    /// One active context of its job less: admit the next one from the overlap queue.
    FreeOverlap,
}

/// Why an event changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Illegal {
    /// It carries another attempt than the one that holds the lease.
    #[error("attempt {given} is stale, attempt {held} holds the lease")]
    Stale {
        /// The attempt that holds the lease.
        held: AttemptNo,
        /// The attempt of the event.
        given: AttemptNo,
    },
    /// Nothing like it happens in this state.
    #[error("a {state} context cannot {event}")]
    NotAllowed {
        /// The state.
        state: ContextState,
        /// The event's verb.
        event: &'static str,
    },
}
