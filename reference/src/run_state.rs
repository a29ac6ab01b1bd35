//! The life of a context: its states, what moves it between them, and what has to be done on the way.
//!
//! [`RunState::apply`] is what the scripts do in Redis, once more. The simulation holds each script call against it.

mod event;

pub use event::{Action, Event, Illegal, Next, Place};

use tickwheel_core::id::{AttemptNo, WorkerId};
use tickwheel_core::run::ContextState;
use tickwheel_core::time::TimestampMs;

use crate::overlap::OverlapDecision;

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
    WaitingForSubtasks {
        /// How it ends is decided: nothing more is claimed, and what runs is told to stop.
        stopping: bool,
    },
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
    pub const fn word(&self) -> ContextState {
        match self {
            Self::Scheduled { .. } => ContextState::Scheduled,
            Self::Queued => ContextState::Queued,
            Self::Ready => ContextState::Ready,
            Self::Leased { .. } => ContextState::Running,
            Self::WaitingForSubtasks { .. } => ContextState::WaitingForSubtasks,
            Self::Retrying { .. } => ContextState::Retrying,
            Self::Succeeded => ContextState::Succeeded,
            Self::Failed => ContextState::Failed,
            Self::TimedOut => ContextState::TimedOut,
            Self::Cancelled => ContextState::Cancelled,
            Self::Expired => ContextState::Expired,
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
            Self::WaitingForSubtasks { .. } => Some(Place::Fan),
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
            (Self::Ready, Event::Open) => {
                Ok(self.moves_to(Self::WaitingForSubtasks { stopping: false }))
            }
            (
                Self::Ready | Self::Retrying { .. } | Self::WaitingForSubtasks { stopping: false },
                Event::Stop,
            ) => Ok(self.moves_to(Self::WaitingForSubtasks { stopping: true })),
            (Self::WaitingForSubtasks { .. }, Event::Finish) => Ok(self.moves_to(Self::Succeeded)),
            (Self::WaitingForSubtasks { stopping: true }, Event::Stopped { timed_out }) => Ok(self
                .moves_to(if timed_out {
                    Self::TimedOut
                } else {
                    Self::Cancelled
                })),
            (Self::Ready, Event::Refuse { next })
            | (Self::WaitingForSubtasks { .. }, Event::FallShort { next }) => {
                Ok(self.moves_to(Self::after(next, Self::Failed)))
            }
            (
                Self::Scheduled { .. }
                | Self::Queued
                | Self::Ready
                | Self::WaitingForSubtasks { stopping: false }
                | Self::Retrying { .. },
                Event::Cancel,
            ) => Ok(self.moves_to(Self::Cancelled)),
            (Self::Failed | Self::TimedOut | Self::Expired, Event::Retry) => Ok((
                Self::Ready,
                vec![Action::Unbury, Action::Enter(Place::Ready)],
            )),
            (Self::Succeeded | Self::Cancelled, Event::Retry) => {
                Ok((Self::Ready, vec![Action::Enter(Place::Ready)]))
            }
            (_, event) => Err(Illegal::NotAllowed {
                state: self.word(),
                event: event.name(),
            }),
        }
    }

    /// Where a context is once an attempt of it did not succeed: `end` when that was the last.
    fn after(next: Next, end: Self) -> Self {
        match next {
            Next::At(at) => Self::Retrying { at },
            Next::Now => Self::Ready,
            Next::Never => end,
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
            | Self::WaitingForSubtasks { .. }
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
    match event {
        Event::Renew { expires, .. } => Ok((leased(worker, *expires), Vec::new())),
        Event::Release { .. } => to(RunState::Ready),
        Event::Succeed { .. } => to(RunState::Succeeded),
        Event::Fan { .. } => to(RunState::WaitingForSubtasks { stopping: false }),
        Event::Stop => to(RunState::WaitingForSubtasks { stopping: true }),
        // It waited long enough for its lease to end.
        Event::LoseLease {
            next: Next::At(_), ..
        } => Err(Illegal::NotAllowed {
            state: ContextState::Running,
            event: event.name(),
        }),
        Event::Fail { next, .. } | Event::LoseLease { next, .. } => {
            to(RunState::after(*next, RunState::Failed))
        }
        Event::TimeOut { next, .. } => to(RunState::after(*next, RunState::TimedOut)),
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
        | Event::Stopped { .. }
        | Event::Retry
        | Event::Expire => Err(Illegal::NotAllowed {
            state: ContextState::Running,
            event: event.name(),
        }),
    }
}

#[cfg(test)]
mod tests;
