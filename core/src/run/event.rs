//! What can happen to a context, what follows from it, and what may not happen.

use crate::id::{AttemptNo, WorkerId};
use crate::run::StateWord;
use crate::time::TimestampMs;

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
        /// When it is tried again; `None`: attempts are used up, or its job was deleted.
        retry_at: Option<TimestampMs>,
    },
    /// Its subtasks, and its reduce, have ended as they should.
    Finish,
    /// They have not: too many failed, or the reduce did.
    FallShort {
        /// When everything is split anew; `None`: attempts are used up.
        retry_at: Option<TimestampMs>,
    },
    /// The handler failed.
    Fail {
        /// The settled attempt.
        attempt: AttemptNo,
        /// When it is tried again; `None`: attempts are used up.
        retry_at: Option<TimestampMs>,
    },
    /// The attempt took longer than its timeout.
    TimeOut {
        /// The attempt.
        attempt: AttemptNo,
        /// When it is tried again; `None`: attempts are used up.
        retry_at: Option<TimestampMs>,
    },
    /// The lease expired.
    LoseLease {
        /// The attempt that held it.
        attempt: AttemptNo,
        /// When it is tried again; `None`: attempts are used up, or it must run at most once.
        retry_at: Option<TimestampMs>,
    },
    /// A running attempt has obeyed a cancellation, or its grace is over.
    ConfirmCancel {
        /// The attempt.
        attempt: AttemptNo,
    },
    /// Somebody wants it ended.
    Cancel,
    /// Somebody wants a dead one tried again.
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

    /// The scripts in which it happens.
    #[must_use]
    pub const fn owners(&self) -> &'static [&'static str] {
        match self {
            Self::Due | Self::Claim { .. } | Self::Expire => &["wheel/turn"],
            Self::Admit => &["lease/settle", "lease/reap", "context/cancel", "wheel/turn"],
            Self::Renew { .. } => &["lease/renew"],
            Self::Release { .. } => &["lease/release", "lease/reclaim"],
            Self::Succeed { .. } | Self::Fan { .. } | Self::Fail { .. } => &["lease/settle"],
            Self::Open => &["fan/open"],
            Self::Refuse { .. } => &["fan/refuse"],
            Self::Finish => &["lease/settle", "lease/reap"],
            Self::FallShort { .. } => {
                &["lease/settle", "lease/reap", "context/cancel", "fan/unpin"]
            }
            Self::TimeOut { .. } | Self::ConfirmCancel { .. } => &["lease/settle", "lease/reap"],
            Self::LoseLease { .. } => &["lease/reap"],
            // A replacing firing cancels what runs and what waits.
            Self::Cancel => &["context/cancel", "wheel/turn", "wheel/fire"],
            Self::Retry => &["context/retry"],
        }
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
    Record(StateWord),
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
        state: StateWord,
        /// The event's verb.
        event: &'static str,
    },
}
