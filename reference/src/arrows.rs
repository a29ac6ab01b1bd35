//! Every move of a context, and the scripts that make it: the table of docs/lifecycle.md. The simulation compares it with what it sees.

use tickwheel_core::id::{AttemptNo, WorkerId};
use tickwheel_core::run::ContextState;
use tickwheel_core::time::TimestampMs;

use crate::run_state::{Event, Next, RunState};

/// A move, and who makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrow {
    /// The state before; `None`: there was no such context.
    pub from: Option<ContextState>,
    /// What happens, with its branch.
    pub event: String,
    /// The state behind it.
    pub to: ContextState,
    /// The scripts that make it.
    pub scripts: &'static [&'static str],
}

/// Where an attempt ends.
const ENDINGS: &[&str] = &["lease/settle", "lease/reap"];
/// Where something that ran may have been told to stop before.
const STOPPED: &[&str] = &["lease/settle", "lease/reap", "lease/release"];
/// Where the end of a subtask is counted.
const COUNTS: &[&str] = &["lease/settle", "lease/reap", "lease/release", "fan/unpin"];
const FIRINGS: &[&str] = &["wheel/turn", "wheel/fire"];
/// A firing that replaces cancels what runs and what waits.
const CANCELS: &[&str] = &["context/cancel", "wheel/turn", "wheel/fire"];
/// What is cancelled while it waits: by its job's end, and by what comes in its place, as well.
const WAITING: &[&str] = &[
    "context/cancel",
    "wheel/turn",
    "wheel/fire",
    "wheel/replace",
    "job/delete",
];
const SUBMITS: &[&str] = &["wheel/submit", "wheel/replace"];
const TURN: &[&str] = &["wheel/turn"];

/// How a context comes into being, and what it is first.
const BIRTHS: &[(&str, ContextState, &[&str])] = &[
    ("submit", ContextState::Scheduled, SUBMITS),
    ("submit, due", ContextState::Ready, SUBMITS),
    ("fire", ContextState::Ready, FIRINGS),
    ("fire, overlap", ContextState::Queued, FIRINGS),
];

/// Who makes the moves out of a state, by the event's name.
const MOVES: &[(ContextState, &str, &[&str])] = &[
    (ContextState::Scheduled, "due", TURN),
    // One of a job is never scheduled.
    (
        ContextState::Scheduled,
        "cancel",
        &["context/cancel", "wheel/replace"],
    ),
    (
        ContextState::Queued,
        "admit",
        // Whatever lets a context of the job end, and a job that lets more of them run at once.
        &[
            "lease/settle",
            "lease/reap",
            "lease/release",
            "wheel/turn",
            "context/cancel",
            "fan/refuse",
            "fan/unpin",
            "job/apply",
        ],
    ),
    (
        ContextState::Queued,
        "cancel",
        &["context/cancel", "wheel/turn", "wheel/fire", "job/delete"],
    ),
    (ContextState::Queued, "expire", TURN),
    (ContextState::Ready, "claim", TURN),
    (ContextState::Ready, "split", &["fan/open"]),
    (ContextState::Ready, "cannot be split", &["fan/refuse"]),
    (ContextState::Ready, "stop subtasks", CANCELS),
    (ContextState::Ready, "cancel", WAITING),
    (ContextState::Ready, "expire", TURN),
    (ContextState::Running, "renew", &["lease/renew"]),
    (
        ContextState::Running,
        "release",
        &["lease/release", "lease/reclaim"],
    ),
    (ContextState::Running, "succeed", &["lease/settle"]),
    (
        ContextState::Running,
        "succeed, subtasks left",
        &["lease/settle"],
    ),
    (ContextState::Running, "stop subtasks", STOPPED),
    (ContextState::Running, "fail", &["lease/settle"]),
    (ContextState::Running, "time out", ENDINGS),
    (ContextState::Running, "lose lease", &["lease/reap"]),
    (ContextState::Running, "confirm cancel", STOPPED),
    (
        ContextState::Running,
        "cancel",
        // An attempt that takes longer than its timeout is told to stop as well.
        &["context/cancel", "wheel/turn", "wheel/fire", "lease/reap"],
    ),
    (ContextState::WaitingForSubtasks, "subtasks succeed", COUNTS),
    (ContextState::WaitingForSubtasks, "subtasks fail", COUNTS),
    (
        ContextState::WaitingForSubtasks,
        "stop subtasks",
        &[
            "context/cancel",
            "wheel/turn",
            "wheel/fire",
            "lease/settle",
            "lease/reap",
        ],
    ),
    (
        ContextState::WaitingForSubtasks,
        "subtasks stopped",
        STOPPED,
    ),
    (ContextState::WaitingForSubtasks, "cancel", CANCELS),
    (ContextState::Retrying, "due", TURN),
    (ContextState::Retrying, "stop subtasks", CANCELS),
    (ContextState::Retrying, "cancel", WAITING),
    (ContextState::Succeeded, "retry", &["context/retry"]),
    (ContextState::Failed, "retry", &["context/retry"]),
    (ContextState::TimedOut, "retry", &["context/retry"]),
    (ContextState::Cancelled, "retry", &["context/retry"]),
    (ContextState::Expired, "retry", &["context/retry"]),
];

/// The scripts in which `event` happens to a context that is `from`.
#[must_use]
pub fn scripts_of(from: ContextState, event: &Event) -> &'static [&'static str] {
    MOVES
        .iter()
        .find(|(state, name, _)| *state == from && *name == event.name())
        .map_or(&[], |(_, _, scripts)| scripts)
}

/// How a script can bring a context into being: the event's name, and what it is first.
pub fn births_by(script: &str) -> impl Iterator<Item = (&'static str, ContextState)> {
    BIRTHS
        .iter()
        .filter(move |(_, _, scripts)| scripts.contains(&script))
        .map(|(name, first, _)| (*name, *first))
}

/// Every arrow, births first, in the order of the states.
#[must_use]
pub fn arrows() -> Vec<Arrow> {
    let births = BIRTHS.iter().map(|(name, to, scripts)| Arrow {
        from: None,
        event: (*name).to_owned(),
        to: *to,
        scripts,
    });
    let moves = examples().into_iter().flat_map(|state| {
        let from = state.word();
        events(HELD).into_iter().filter_map(move |event| {
            let scripts = scripts_of(from, &event);
            let label = event.label();
            let (next, _) = state.clone().apply(event).ok()?;
            Some(Arrow {
                from: Some(from),
                event: label,
                to: next.word(),
                scripts,
            })
        })
    });
    let mut all: Vec<Arrow> = Vec::new();
    for arrow in births.chain(moves) {
        // Split ones have two states of one word.
        if !all.contains(&arrow) {
            all.push(arrow);
        }
    }
    all
}

/// The attempt that [`examples`] has running.
pub const HELD: AttemptNo = AttemptNo::new(2);
const SOON: TimestampMs = TimestampMs::new(5_000);

/// A state of each kind, in the order of the words; of a split one, that which goes on and that which stops.
#[must_use]
pub fn examples() -> Vec<RunState> {
    let leased = some_worker().map(|worker| RunState::Leased {
        worker,
        attempt: HELD,
        expires: SOON,
    });
    let states = [
        Some(RunState::Scheduled { due: SOON }),
        Some(RunState::Queued),
        Some(RunState::Ready),
        leased,
        Some(RunState::WaitingForSubtasks { stopping: false }),
        Some(RunState::WaitingForSubtasks { stopping: true }),
        Some(RunState::Retrying { at: SOON }),
        Some(RunState::Succeeded),
        Some(RunState::Failed),
        Some(RunState::TimedOut),
        Some(RunState::Cancelled),
        Some(RunState::Expired),
    ];
    states.into_iter().flatten().collect()
}

/// An event of each kind and branch, about `attempt`.
#[must_use]
pub fn events(attempt: AttemptNo) -> Vec<Event> {
    let mut events = vec![Event::Due, Event::Admit];
    events.extend(some_worker().map(|worker| Event::Claim {
        worker,
        attempt,
        expires: SOON,
    }));
    events.extend([
        Event::Renew {
            attempt,
            expires: SOON,
        },
        Event::Release { attempt },
        Event::Succeed { attempt },
        Event::Fan { attempt },
        Event::Open,
        Event::Stop,
        Event::Stopped { timed_out: false },
        Event::Stopped { timed_out: true },
        Event::Finish,
        Event::ConfirmCancel { attempt },
        Event::Cancel,
        Event::Retry,
        Event::Expire,
    ]);
    for next in [Next::At(SOON), Next::Now, Next::Never] {
        events.extend([
            Event::Refuse { next },
            Event::FallShort { next },
            Event::Fail { attempt, next },
            Event::TimeOut { attempt, next },
            Event::LoseLease { attempt, next },
        ]);
    }
    events
}

fn some_worker() -> Option<WorkerId> {
    WorkerId::new("w-1").ok()
}

#[cfg(test)]
mod tests;
