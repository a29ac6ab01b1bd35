//! The moves that docs/lifecycle.md declares beside those that were seen.

use std::collections::BTreeSet;

use tickwheel_reference::arrows::{Arrow, arrows};

use crate::case::Outcome;

/// Declared moves that a search may do without, and why. What is seen in fewer than one seed of a hundred is here as well.
const MAY_STAY_UNSEEN: &[(&str, &[&str])] = &[
    (
        "the load submits nothing that replaces: store/tests/scripts/wheel_submit.rs does",
        &[
            "--submit--> scheduled by wheel/replace",
            "--submit, due--> ready by wheel/replace",
            "scheduled --cancel--> cancelled by wheel/replace",
            "ready --cancel--> cancelled by wheel/replace",
            "retrying --cancel--> cancelled by wheel/replace",
        ],
    ),
    (
        "the simulated workers name no lost tracker: store/tests/scripts/lease_reclaim.rs does",
        &["running --release--> ready by lease/reclaim"],
    ),
    (
        "the load asks for no back-off of 0, it is only drawn by chance: store/tests/scripts/lease_settle.rs asks for it",
        &[
            "ready --cannot be split, attempts left, no delay--> ready by fan/refuse",
            "running --fail, attempts left, no delay--> ready by lease/settle",
            "running --time out, attempts left, no delay--> ready by lease/settle",
            "running --time out, attempts left, no delay--> ready by lease/reap",
            "waiting_for_subtasks --subtasks fail, attempts left, no delay--> ready by lease/settle",
            "waiting_for_subtasks --subtasks fail, attempts left, no delay--> ready by lease/reap",
            "waiting_for_subtasks --subtasks fail, attempts left, no delay--> ready by lease/release",
            "waiting_for_subtasks --subtasks fail, attempts left, no delay--> ready by fan/unpin",
        ],
    ),
    (
        "broadcasts are seldom refused, and seldom lose the worker that the last part is for: store/tests/scripts/fan_open.rs",
        &[
            "ready --cannot be split, attempts left--> retrying by fan/refuse",
            "ready --cannot be split, used up--> failed by fan/refuse",
            "queued --admit--> ready by fan/refuse",
            "queued --admit--> ready by fan/unpin",
            "waiting_for_subtasks --subtasks succeed--> succeeded by fan/unpin",
            "waiting_for_subtasks --subtasks fail, used up--> failed by fan/unpin",
        ],
    ),
    (
        "the last subtask of a root is seldom one that its worker refused",
        &[
            "queued --admit--> ready by lease/release",
            "running --stop subtasks--> waiting_for_subtasks by lease/release",
            "running --confirm cancel--> cancelled by lease/release",
            "waiting_for_subtasks --subtasks succeed--> succeeded by lease/release",
            "waiting_for_subtasks --subtasks fail, attempts left--> retrying by lease/release",
            "waiting_for_subtasks --subtasks fail, used up--> failed by lease/release",
            "waiting_for_subtasks --subtasks stopped--> cancelled by lease/release",
            "waiting_for_subtasks --subtasks stopped--> timed_out by lease/release",
        ],
    ),
    (
        "few roots end while some of their subtasks run, and fewer between two attempts of their own",
        &[
            "ready --stop subtasks--> waiting_for_subtasks by context/cancel",
            "ready --stop subtasks--> waiting_for_subtasks by wheel/turn",
            "ready --stop subtasks--> waiting_for_subtasks by wheel/fire",
            "waiting_for_subtasks --stop subtasks--> waiting_for_subtasks by context/cancel",
            "waiting_for_subtasks --stop subtasks--> waiting_for_subtasks by wheel/fire",
            "waiting_for_subtasks --stop subtasks--> waiting_for_subtasks by lease/reap",
            "waiting_for_subtasks --subtasks stopped--> timed_out by lease/settle",
            "waiting_for_subtasks --subtasks stopped--> timed_out by lease/reap",
            "waiting_for_subtasks --cancel--> cancelled by context/cancel",
            "waiting_for_subtasks --cancel--> cancelled by wheel/fire",
            "retrying --stop subtasks--> waiting_for_subtasks by context/cancel",
            "retrying --stop subtasks--> waiting_for_subtasks by wheel/turn",
            "retrying --stop subtasks--> waiting_for_subtasks by wheel/fire",
        ],
    ),
    (
        "callers seldom cancel a context by its id, or have an ended one run again; few jobs are changed or deleted while contexts wait",
        &[
            "queued --admit--> ready by context/cancel",
            "queued --admit--> ready by job/apply",
            "queued --cancel--> cancelled by context/cancel",
            "queued --cancel--> cancelled by wheel/fire",
            "retrying --cancel--> cancelled by job/delete",
            "retrying --cancel--> cancelled by wheel/fire",
            "succeeded --retry--> ready by context/retry",
            "cancelled --retry--> ready by context/retry",
            "timed_out --retry--> ready by context/retry",
            "expired --retry--> ready by context/retry",
        ],
    ),
];

/// Declared moves that nobody was seen to make and that have no reason for it, and reasons for moves that nobody declares.
#[expect(clippy::print_stdout, reason = "a search says what it came to")]
pub(crate) fn unexplained(outcomes: &[Outcome]) -> Vec<String> {
    let seen: BTreeSet<String> = outcomes
        .iter()
        .flat_map(|outcome| &outcome.walked)
        .map(|(step, script)| {
            let arrow = Arrow {
                from: step.from,
                event: step.event.clone(),
                to: step.to,
                scripts: &[],
            };
            words(&arrow, script)
        })
        .collect();
    let declared: BTreeSet<String> = arrows()
        .iter()
        .flat_map(|arrow| arrow.scripts.iter().map(|script| words(arrow, script)))
        .collect();
    let excused: BTreeSet<String> = MAY_STAY_UNSEEN
        .iter()
        .flat_map(|(_, moves)| moves.iter().map(|one| (*one).to_owned()))
        .collect();
    println!(
        "{} of {} declared moves were seen",
        declared.intersection(&seen).count(),
        declared.len()
    );
    let unseen = declared
        .difference(&seen)
        .filter(|one| !excused.contains(*one));
    let unknown = excused.difference(&declared);
    unseen
        .map(|one| format!("not seen: {one}"))
        .chain(unknown.map(|one| format!("not declared: {one}")))
        .collect()
}

fn words(arrow: &Arrow, script: &str) -> String {
    let from = arrow
        .from
        .map(|from| format!("{from} "))
        .unwrap_or_default();
    format!("{from}--{}--> {} by {script}", arrow.event, arrow.to)
}
