//! How a script can have moved a context from one state to another.

use std::collections::HashSet;

use tickwheel_core::id::{AttemptNo, WorkerId};
use tickwheel_core::run::ContextState;
use tickwheel_core::time::TimestampMs;

use crate::arrows::{births_by, scripts_of};
use crate::run_state::{Event, Next, RunState};

/// More moves of one context than a script makes in one call.
const STEPS_MAX: usize = 6;

/// One arrow on the way, as [`crate::arrows::Arrow`] names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// The state before; `None`: there was no such context.
    pub from: Option<ContextState>,
    /// What happened.
    pub event: String,
    /// The state behind it.
    pub to: ContextState,
}

/// A context before and after a script call.
#[derive(Debug, Clone, Copy)]
pub struct Move<'a> {
    /// The script.
    pub script: &'a str,
    /// The state before; `None`: there was no such context.
    pub before: Option<&'a RunState>,
    /// The state after.
    pub after: &'a RunState,
    /// It had subtasks before the call, while its own attempt ran or waited.
    pub split: bool,
    /// How the attempt that ended in the call did, where something says so: `failed`, `timed_out` or `lost`.
    pub outcome: Option<&'a str>,
}

/// The shortest ways on which the script can have made the move, by the arrows that it owns; none: it must not make it.
#[must_use]
pub fn walks(seen: &Move<'_>) -> Vec<Vec<Step>> {
    let mut open: Vec<(RunState, Vec<Step>)> = match seen.before {
        Some(before) => vec![(before.clone(), Vec::new())],
        None => births(seen),
    };
    let mut known: HashSet<RunState> = HashSet::new();
    for _ in 0..=STEPS_MAX {
        let (there, on): (Vec<_>, Vec<_>) = open
            .into_iter()
            // A way without a step is none: something was seen to change.
            .partition(|(state, steps)| state == seen.after && !steps.is_empty());
        if !there.is_empty() {
            return there.into_iter().map(|(_, steps)| steps).collect();
        }
        known.extend(on.iter().map(|(state, _)| state.clone()));
        open = on
            .iter()
            .flat_map(|(state, steps)| following(seen, state, steps))
            .filter(|(state, _)| state == seen.after || !known.contains(state))
            .collect();
    }
    Vec::new()
}

fn births(seen: &Move<'_>) -> Vec<(RunState, Vec<Step>)> {
    let due = if let RunState::Scheduled { due } = seen.after {
        *due
    } else {
        TimestampMs::ZERO
    };
    let firsts = [RunState::submitted(due), RunState::Queued, RunState::Ready];
    let born = births_by(seen.script).filter_map(|(event, first)| {
        let state = firsts.iter().find(|state| state.word() == first)?.clone();
        let step = Step {
            from: None,
            event: event.to_owned(),
            to: first,
        };
        Some((state, vec![step]))
    });
    born.collect()
}

/// Where the script can bring a context in one move.
fn following(seen: &Move<'_>, state: &RunState, steps: &[Step]) -> Vec<(RunState, Vec<Step>)> {
    let events = possible(seen, state).into_iter();
    let owned = events.filter(|event| scripts_of(state.word(), event).contains(&seen.script));
    owned
        .filter(|event| seen.split || !of_subtasks(event))
        .filter(|event| told(event).is_none_or(|word| seen.outcome.is_none_or(|said| said == word)))
        .filter_map(|event| {
            let step = |to| Step {
                from: Some(state.word()),
                event: event.label(),
                to,
            };
            let (next, _) = state.clone().apply(event.clone()).ok()?;
            let mut steps = steps.to_vec();
            steps.push(step(next.word()));
            Some((next, steps))
        })
        .collect()
}

/// Whether it happens only to what has subtasks already.
fn of_subtasks(event: &Event) -> bool {
    [Event::Stop, Event::Finish].contains(event)
        || matches!(
            event,
            Event::Fan { .. } | Event::FallShort { .. } | Event::Stopped { .. }
        )
}

/// What the record of a failed attempt says of it.
fn told(event: &Event) -> Option<&'static str> {
    match event.name() {
        "fail" => Some("failed"),
        "time out" => Some("timed_out"),
        "lose lease" => Some("lost"),
        _ => None,
    }
}

/// The events that can happen to a context on its way to the state after, with what that state says of workers, attempts and times.
fn possible(seen: &Move<'_>, state: &RunState) -> Vec<Event> {
    let again = if let RunState::Retrying { at } = seen.after {
        *at
    } else {
        TimestampMs::ZERO
    };
    let nexts = [Next::At(again), Next::Now, Next::Never];
    let mut events = vec![
        Event::Due,
        Event::Admit,
        Event::Open,
        Event::Stop,
        Event::Stopped { timed_out: false },
        Event::Stopped { timed_out: true },
        Event::Finish,
        Event::Cancel,
        Event::Retry,
        Event::Expire,
    ];
    for next in nexts {
        events.extend([Event::Refuse { next }, Event::FallShort { next }]);
    }
    if let RunState::Leased {
        worker,
        attempt,
        expires,
    } = seen.after
    {
        events.extend(claims(worker, *attempt, *expires));
    }
    if let RunState::Leased { attempt, .. } = state {
        let attempt = *attempt;
        events.extend([
            Event::Release { attempt },
            Event::Succeed { attempt },
            Event::Fan { attempt },
            Event::ConfirmCancel { attempt },
        ]);
        for next in nexts {
            events.extend([
                Event::Fail { attempt, next },
                Event::TimeOut { attempt, next },
                Event::LoseLease { attempt, next },
            ]);
        }
    }
    events
}

fn claims(worker: &WorkerId, attempt: AttemptNo, expires: TimestampMs) -> [Event; 2] {
    [
        Event::Claim {
            worker: worker.clone(),
            attempt,
            expires,
        },
        Event::Renew { attempt, expires },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leased(attempt: u32, expires: u64) -> RunState {
        RunState::Leased {
            worker: WorkerId::new("w-1").unwrap(),
            attempt: AttemptNo::new(attempt),
            expires: TimestampMs::new(expires),
        }
    }

    fn way(script: &str, before: Option<&RunState>, after: &RunState) -> Vec<String> {
        let ways = walks(&Move {
            script,
            before,
            after,
            split: false,
            outcome: None,
        });
        let steps = ways.into_iter().map(|way| {
            let events: Vec<String> = way.into_iter().map(|step| step.event).collect();
            events.join(" > ")
        });
        steps.collect()
    }

    #[test]
    fn a_script_makes_several_moves_in_one_call() {
        let due = TimestampMs::new(7);
        let running = leased(1, 9);
        assert_eq!(
            way("wheel/turn", Some(&RunState::Scheduled { due }), &running),
            ["due > claim"]
        );
        assert_eq!(way("wheel/turn", None, &running), ["fire > claim"]);
        assert_eq!(
            way("wheel/submit", None, &RunState::Scheduled { due }),
            ["submit"]
        );
    }

    #[test]
    fn a_script_makes_no_move_of_another_one() {
        let none: [&str; 0] = [];
        assert_eq!(
            way("lease/settle", Some(&RunState::Ready), &leased(1, 9)),
            none
        );
        assert_eq!(
            way("wheel/turn", Some(&RunState::Succeeded), &RunState::Ready),
            none
        );
        assert_eq!(way("wheel/turn", Some(&leased(1, 9)), &leased(2, 9)), none);
    }

    #[test]
    fn what_has_no_subtasks_makes_none_of_their_moves() {
        let (before, after) = (
            leased(1, 9),
            RunState::Retrying {
                at: TimestampMs::new(20),
            },
        );
        let split = |split| {
            let seen = Move {
                script: "lease/reap",
                before: Some(&before),
                after: &after,
                split,
                outcome: Some("lost"),
            };
            walks(&seen).len()
        };
        assert_eq!((split(false), split(true)), (0, 1));
    }

    #[test]
    fn the_record_of_an_attempt_tells_what_ended_it() {
        let (before, after) = (leased(1, 9), RunState::Ready);
        assert_eq!(
            way("lease/reap", Some(&before), &after),
            [
                "time out, attempts left, no delay",
                "lose lease, attempts left, no delay"
            ]
        );
        let lost = Move {
            script: "lease/reap",
            before: Some(&before),
            after: &after,
            split: false,
            outcome: Some("lost"),
        };
        assert_eq!(walks(&lost).len(), 1);
    }
}
