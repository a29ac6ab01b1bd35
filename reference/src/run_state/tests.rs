//! Every state × event pair, and the invariants of a move.

use super::*;
use crate::arrows::{HELD, events, examples};

/// Every legal move: from, event, to.
fn moves() -> Vec<(RunState, Event, RunState)> {
    let mut found = Vec::new();
    for state in examples() {
        for event in events(HELD) {
            if let Ok((next, _)) = state.clone().apply(event.clone()) {
                found.push((state.clone(), event, next));
            }
        }
    }
    found
}

#[test]
fn each_pair_of_state_and_event_leads_where_the_table_says() {
    // One row per state, one column per event in the order of `events`; a dot is illegal.
    let table = "
        scheduled | ready . . . . . . . . . . . . cancelled . .  . . . . .  . . . . .  . . . . .
        queued    | . ready . . . . . . . . . . . cancelled . expired  . . . . .  . . . . .  . . . . .
        ready     | . . running . . . . waiting_for_subtasks waiting_for_subtasks . . . . cancelled . expired  retrying . . . .  ready . . . .  failed . . . .
        running   | . . . running ready succeeded waiting_for_subtasks . waiting_for_subtasks . . . cancelled running . .  . . retrying retrying .  . . ready ready ready  . . failed timed_out failed
        waiting_for_subtasks    | . . . . . . . . waiting_for_subtasks . . succeeded . cancelled . .  . retrying . . .  . ready . . .  . failed . . .
        waiting_for_subtasks    | . . . . . . . . . cancelled timed_out succeeded . . . .  . retrying . . .  . ready . . .  . failed . . .
        retrying  | ready . . . . . . . waiting_for_subtasks . . . . cancelled . .  . . . . .  . . . . .  . . . . .
        succeeded | . . . . . . . . . . . . . . ready .  . . . . .  . . . . .  . . . . .
        failed    | . . . . . . . . . . . . . . ready .  . . . . .  . . . . .  . . . . .
        timed_out | . . . . . . . . . . . . . . ready .  . . . . .  . . . . .  . . . . .
        cancelled | . . . . . . . . . . . . . . ready .  . . . . .  . . . . .  . . . . .
        expired   | . . . . . . . . . . . . . . ready .  . . . . .  . . . . .  . . . . .";
    let rows: Vec<&str> = table
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    assert_eq!(rows.len(), examples().len());
    for (state, row) in examples().into_iter().zip(rows) {
        let (word, cells) = row.split_once('|').unwrap();
        assert_eq!(state.word().as_str(), word.trim());
        let cells: Vec<&str> = cells.split_whitespace().collect();
        let events = events(HELD);
        assert_eq!(cells.len(), events.len());
        for (event, expected) in events.into_iter().zip(cells) {
            let name = event.label();
            let got = state.clone().apply(event);
            let got = got.as_ref().map_or(".", |(next, _)| next.word().as_str());
            assert_eq!(got, expected, "{word} × {name}");
        }
    }
}

#[test]
fn a_move_leaves_the_old_place_and_enters_the_new_one() {
    for (from, event, to) in moves() {
        let (_, actions) = from.clone().apply(event.clone()).unwrap();
        let left: Vec<Place> = actions
            .iter()
            .filter_map(|action| {
                if let Action::Leave(place) = action {
                    Some(*place)
                } else {
                    None
                }
            })
            .collect();
        let entered: Vec<Place> = actions
            .iter()
            .filter_map(|action| {
                if let Action::Enter(place) = action {
                    Some(*place)
                } else {
                    None
                }
            })
            .collect();
        let stays = from.word() == ContextState::Running && to.word() == ContextState::Running;
        let expected = if stays {
            (None, None)
        } else {
            (from.place(), to.place())
        };
        assert_eq!(left, Vec::from_iter(expected.0), "{from:?} × {event:?}");
        assert_eq!(entered, Vec::from_iter(expected.1), "{from:?} × {event:?}");
        let recorded = actions.contains(&Action::Record(to.word()));
        assert_eq!(
            recorded,
            to.word().is_settled() && !stays,
            "{from:?} × {event:?}"
        );
    }
}

#[test]
fn an_older_or_newer_attempt_changes_nothing_and_is_told_so() {
    for stale in [1, 3] {
        for event in events(AttemptNo::new(stale)) {
            let Some(given) = event.fence() else { continue };
            let answer = examples()[3].clone().apply(event);
            assert_eq!(answer, Err(Illegal::Stale { held: HELD, given }));
        }
    }
}

#[test]
fn cancelling_a_running_context_asks_its_worker_and_keeps_the_lease() {
    let (state, actions) = examples()[3].clone().apply(Event::Cancel).unwrap();
    assert_eq!(state, examples()[3]);
    let worker = WorkerId::new("w-1").unwrap();
    assert_eq!(
        actions,
        [Action::AskCancel {
            worker,
            attempt: HELD
        }]
    );
}

#[test]
fn an_end_out_of_the_queue_frees_nothing() {
    let (_, actions) = RunState::Queued.apply(Event::Cancel).unwrap();
    assert!(!actions.contains(&Action::FreeOverlap));
    let (_, actions) = RunState::Ready.apply(Event::Cancel).unwrap();
    assert!(actions.contains(&Action::FreeOverlap));
}
