//! The life of a context: its states, what moves it between them, and what has to be done on the way.
//!
//! [`RunState::apply`] is the only code that makes a state out of another. The scripts do the same in Redis; which
//! script owns which arrow stands in `docs/lifecycle.md`, written by the tests of this module.

mod event;

pub use event::{Action, Event, Illegal, Place};

use crate::id::{AttemptNo, WorkerId};
use crate::overlap::OverlapDecision;
use crate::time::TimestampMs;
use crate::word::word_enum;

word_enum! {
    /// The word of a state, as scripts, records and APIs carry it.
    StateWord {
        /// In the wheel, not due yet.
        Scheduled = "scheduled",
        /// Due, waiting for an earlier context of its job.
        Queued = "queued",
        /// Due, waiting for a permit.
        Ready = "ready",
        /// A worker has the lease.
        Running = "running",
        /// Split: its own attempt is over, its subtasks are not.
        Fanned = "fanned",
        /// In the wheel, waiting for its next attempt.
        Retrying = "retrying",
        /// Ended well.
        Succeeded = "succeeded",
        /// Attempts are used up, or its lease was lost and it must run at most once.
        Failed = "failed",
        /// The last attempt took longer than its timeout.
        TimedOut = "timed_out",
        /// Ended on request.
        Cancelled = "cancelled",
        /// Not started by its start deadline.
        Expired = "expired",
    }
}

impl StateWord {
    /// Whether the context has ended.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        match self {
            Self::Scheduled
            | Self::Queued
            | Self::Ready
            | Self::Running
            | Self::Fanned
            | Self::Retrying => false,
            Self::Succeeded | Self::Failed | Self::TimedOut | Self::Cancelled | Self::Expired => {
                true
            }
        }
    }
}

/// Where a context is in its life, with the data of that place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RunState {
    /// In the wheel, not due yet.
    Scheduled {
        /// When it is due.
        due: TimestampMs,
    },
    /// Due, waiting for an earlier context of its job.
    Queued,
    /// Due, waiting for a permit.
    Ready,
    /// A worker has the lease.
    Leased {
        /// Which worker.
        worker: WorkerId,
        /// The fencing token of the lease.
        attempt: AttemptNo,
        /// Until when the lease holds.
        expires: TimestampMs,
    },
    /// Split: its own attempt is over, its subtasks are not.
    Fanned,
    /// In the wheel, waiting for its next attempt.
    Retrying {
        /// When it is due again.
        at: TimestampMs,
    },
    /// Ended well.
    Succeeded,
    /// Attempts are used up, or its lease was lost and it must run at most once.
    Failed,
    /// The last attempt took longer than its timeout.
    TimedOut,
    /// Ended on request.
    Cancelled,
    /// Not started by its start deadline.
    Expired,
}

impl RunState {
    /// A context submitted for `due`.
    #[must_use]
    pub const fn submitted(due: TimestampMs) -> Self {
        Self::Scheduled { due }
    }

    /// The context of a firing; `None` when the overlap policy lets it pass.
    #[must_use]
    pub const fn fired(decision: OverlapDecision) -> Option<Self> {
        match decision {
            OverlapDecision::Start => Some(Self::Ready),
            OverlapDecision::Queue | OverlapDecision::Replace => Some(Self::Queued),
            OverlapDecision::Skip(_) => None,
        }
    }

    /// The word of the state.
    #[must_use]
    pub const fn word(&self) -> StateWord {
        match self {
            Self::Scheduled { .. } => StateWord::Scheduled,
            Self::Queued => StateWord::Queued,
            Self::Ready => StateWord::Ready,
            Self::Leased { .. } => StateWord::Running,
            Self::Fanned => StateWord::Fanned,
            Self::Retrying { .. } => StateWord::Retrying,
            Self::Succeeded => StateWord::Succeeded,
            Self::Failed => StateWord::Failed,
            Self::TimedOut => StateWord::TimedOut,
            Self::Cancelled => StateWord::Cancelled,
            Self::Expired => StateWord::Expired,
        }
    }

    /// The one place a context in this state is in (W1); `None` once it is settled.
    #[must_use]
    pub const fn place(&self) -> Option<Place> {
        match self {
            Self::Scheduled { .. } | Self::Retrying { .. } => Some(Place::Wheel),
            Self::Queued => Some(Place::Queue),
            Self::Ready => Some(Place::Ready),
            Self::Leased { .. } => Some(Place::Held),
            Self::Fanned => Some(Place::Fan),
            Self::Succeeded | Self::Failed | Self::TimedOut | Self::Cancelled | Self::Expired => {
                None
            }
        }
    }

    /// The state after `event`, and what has to be done, in order.
    ///
    /// # Errors
    /// [`Illegal::Stale`] when the event carries another attempt than the one that holds the lease (W2),
    /// [`Illegal::NotAllowed`] when nothing like it happens in this state. Either way nothing changes.
    pub fn apply(self, event: Event) -> Result<(Self, Vec<Action>), Illegal> {
        if let Self::Leased {
            worker,
            attempt,
            expires,
        } = self
        {
            return apply_leased(worker, attempt, expires, &event);
        }
        match (&self, event) {
            (Self::Scheduled { .. } | Self::Retrying { .. }, Event::Due)
            | (Self::Queued, Event::Admit) => Ok(self.moves_to(Self::Ready)),
            (
                Self::Ready,
                Event::Claim {
                    worker,
                    attempt,
                    expires,
                },
            ) => Ok(self.moves_to(Self::Leased {
                worker,
                attempt,
                expires,
            })),
            (Self::Queued | Self::Ready, Event::Expire) => Ok(self.moves_to(Self::Expired)),
            (Self::Ready, Event::Open) => Ok(self.moves_to(Self::Fanned)),
            (Self::Fanned, Event::Finish) => Ok(self.moves_to(Self::Succeeded)),
            (Self::Ready, Event::Refuse { retry_at })
            | (Self::Fanned, Event::FallShort { retry_at }) => {
                Ok(self.moves_to(retry_at.map_or(Self::Failed, |at| Self::Retrying { at })))
            }
            (
                Self::Scheduled { .. }
                | Self::Queued
                | Self::Ready
                | Self::Fanned
                | Self::Retrying { .. },
                Event::Cancel,
            ) => Ok(self.moves_to(Self::Cancelled)),
            (Self::Failed | Self::TimedOut | Self::Expired, Event::Retry) => Ok((
                Self::Ready,
                vec![Action::Unbury, Action::Enter(Place::Ready)],
            )),
            (_, event) => Err(Illegal::NotAllowed {
                state: self.word(),
                event: event.name(),
            }),
        }
    }

    /// The move to `next`: out of the old place, into the new one, or to an end with all that follows from it.
    fn moves_to(&self, next: Self) -> (Self, Vec<Action>) {
        let mut actions: Vec<Action> = self.place().map(Action::Leave).into_iter().collect();
        match (next.place(), next.word()) {
            (Some(place), _) => actions.push(Action::Enter(place)),
            (None, word) => {
                actions.push(Action::Record(word));
                if next.is_buried() {
                    actions.push(Action::Bury);
                }
                // What waits in the queue takes no room, so its end makes none.
                if *self != Self::Queued {
                    actions.push(Action::FreeOverlap);
                }
            }
        }
        (next, actions)
    }

    /// Whether the end is kept for inspection and a retry by hand.
    const fn is_buried(&self) -> bool {
        match self {
            Self::Failed | Self::TimedOut | Self::Expired => true,
            Self::Scheduled { .. }
            | Self::Queued
            | Self::Ready
            | Self::Leased { .. }
            | Self::Fanned
            | Self::Retrying { .. }
            | Self::Succeeded
            | Self::Cancelled => false,
        }
    }
}

/// [`RunState::apply`] for the state whose events carry a fence.
fn apply_leased(
    worker: WorkerId,
    attempt: AttemptNo,
    expires: TimestampMs,
    event: &Event,
) -> Result<(RunState, Vec<Action>), Illegal> {
    if let Some(given) = event.fence()
        && given != attempt
    {
        return Err(Illegal::Stale {
            held: attempt,
            given,
        });
    }
    let leased = |worker, expires| RunState::Leased {
        worker,
        attempt,
        expires,
    };
    let to = |next: RunState| Ok(leased(worker.clone(), expires).moves_to(next));
    let again = |at: Option<TimestampMs>, end| to(at.map_or(end, |at| RunState::Retrying { at }));
    match event {
        Event::Renew { expires, .. } => Ok((leased(worker, *expires), Vec::new())),
        Event::Release { .. } => to(RunState::Ready),
        Event::Succeed { .. } => to(RunState::Succeeded),
        Event::Fan { .. } => to(RunState::Fanned),
        Event::Fail { retry_at, .. } | Event::LoseLease { retry_at, .. } => {
            again(*retry_at, RunState::Failed)
        }
        Event::TimeOut { retry_at, .. } => again(*retry_at, RunState::TimedOut),
        Event::ConfirmCancel { .. } => to(RunState::Cancelled),
        Event::Cancel => {
            let ask = Action::AskCancel {
                worker: worker.clone(),
                attempt,
            };
            Ok((leased(worker, expires), vec![ask]))
        }
        Event::Due
        | Event::Admit
        | Event::Claim { .. }
        | Event::Open
        | Event::Refuse { .. }
        | Event::Finish
        | Event::FallShort { .. }
        | Event::Retry
        | Event::Expire => Err(Illegal::NotAllowed {
            state: StateWord::Running,
            event: event.name(),
        }),
    }
}

#[cfg(test)]
mod tests;
