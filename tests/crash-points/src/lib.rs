//! Named places at which a process under test dies as if it were killed there.
//!
//! Trackers and workers name them with `crash_point!("after_turn")`, which is nothing unless their feature `crash-points` is on. A process
//! that is started with `TICKWHEEL_CRASH_AT=after_turn` aborts the first time it comes by; with `after_turn:3` the third time. A name that
//! is not in [`POINTS`] does not compile; one that is in it and not in the code is found by the test that walks them all.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The environment variable that names the place.
pub const VARIABLE: &str = "TICKWHEEL_CRASH_AT";

/// Which process has a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    /// A tracker.
    Tracker,
    /// Whatever runs the worker SDK.
    Worker,
}

/// A place at which a process may die.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    /// As the macro and the variable name it.
    pub name: &'static str,
    /// Who comes by there.
    pub process: Process,
    /// What is done and what is not when it dies there.
    pub when: &'static str,
}

const fn tracker(name: &'static str, when: &'static str) -> Point {
    Point {
        name,
        process: Process::Tracker,
        when,
    }
}

const fn worker(name: &'static str, when: &'static str) -> Point {
    Point {
        name,
        process: Process::Worker,
        when,
    }
}

/// All of them, in the order of a context's way.
pub const POINTS: &[Point] = &[
    tracker(
        "before_submit_script",
        "contexts are accepted for reading, none is written",
    ),
    tracker(
        "after_submit_script",
        "contexts are written, their caller is not answered",
    ),
    tracker(
        "between_follower_and_apply",
        "the upstream knows a follower that is not registered",
    ),
    tracker(
        "after_apply_script",
        "a job is registered, its caller is not answered",
    ),
    tracker(
        "after_fire_script",
        "a job was run by hand, the caller is not answered",
    ),
    tracker(
        "after_cancel_script",
        "a context is cancelled, the caller is not answered",
    ),
    tracker(
        "after_turn",
        "contexts are claimed, none is on a worker's stream",
    ),
    tracker(
        "after_send",
        "claimed contexts are on the streams, what else the turn brought is not begun",
    ),
    tracker(
        "between_plan_and_arm",
        "due times are computed, the job has none",
    ),
    tracker("after_plan_script", "due times are laid into the job"),
    tracker(
        "before_accept_flush",
        "attempts are announced, their leases are the short ones",
    ),
    tracker(
        "after_accept_flush",
        "leases are prolonged, the workers do not know",
    ),
    tracker(
        "before_settle_script",
        "outcomes are reported, none is written",
    ),
    tracker(
        "after_settle_script",
        "outcomes are written, none is confirmed",
    ),
    tracker("after_confirm", "outcomes are written and confirmed"),
    tracker(
        "before_release",
        "attempts were refused, their contexts are held",
    ),
    tracker("after_release", "refused attempts are given back"),
    tracker(
        "before_outbox_fire",
        "an end is in the outbox, its follower is not fired",
    ),
    tracker(
        "between_outbox_fire_and_delivered",
        "a follower is fired, the end is in the outbox",
    ),
    tracker(
        "before_share",
        "a turn gave back what it did not use of a limit, nobody knows",
    ),
    tracker(
        "after_share",
        "a limit granted a partition some, its turn was not told",
    ),
    tracker("before_reap", "leases shall be looked at"),
    tracker(
        "after_reap",
        "leases are taken back, their workers are not told",
    ),
    tracker(
        "between_retire_and_reap",
        "a worker is forgotten, its leases go on",
    ),
    tracker("after_heartbeat", "the heartbeats are written"),
    worker("after_receive", "contexts have arrived, no handler runs"),
    worker(
        "before_accept",
        "a handler runs that no tracker was told of",
    ),
    worker("before_renew", "a lease is about to be prolonged"),
    worker("after_handler", "a handler has ended, nobody knows"),
    worker("before_report", "an outcome is about to be sent"),
    worker(
        "before_confirmation",
        "an outcome is written and confirmed, the worker has not read it",
    ),
];

/// Whether there is a point of this name; the macro asks when it is compiled.
#[must_use]
pub const fn is_listed(name: &str) -> bool {
    let mut rest = POINTS;
    while let [point, others @ ..] = rest {
        if equal(point.name.as_bytes(), name.as_bytes()) {
            return true;
        }
        rest = others;
    }
    false
}

const fn equal(mut left: &[u8], mut right: &[u8]) -> bool {
    while let ([l, left_rest @ ..], [r, right_rest @ ..]) = (left, right) {
        if *l != *r {
            return false;
        }
        (left, right) = (left_rest, right_rest);
    }
    left.is_empty() && right.is_empty()
}

/// Where this process dies, and how often it may come by before.
struct Doom {
    point: String,
    left: AtomicU64,
}

static DOOM: LazyLock<Option<Doom>> = LazyLock::new(|| doom(&std::env::var(VARIABLE).ok()?));

fn doom(given: &str) -> Option<Doom> {
    let (point, times) = given.split_once(':').unwrap_or((given, "1"));
    Some(Doom {
        point: point.to_owned(),
        left: AtomicU64::new(times.parse().ok()?),
    })
}

/// Aborts the process when it was started to die at `point`. The macro calls this.
pub fn reach(point: &str) {
    if let Some(doom) = DOOM.as_ref().filter(|doom| doom.point == point)
        && doom.left.fetch_sub(1, Ordering::Relaxed) == 1
    {
        std::process::abort();
    }
}

/// A place at which a process under test may die: `crash_point!("after_turn")`.
#[macro_export]
macro_rules! crash_point {
    ($name:literal) => {{
        const {
            assert!(
                $crate::is_listed($name),
                "this crash point is not in the list"
            )
        };
        $crate::reach($name);
    }};
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_known_and_unique() {
        let names: BTreeSet<&str> = POINTS.iter().map(|point| point.name).collect();
        assert_eq!(names.len(), POINTS.len());
        assert!(names.iter().all(|name| is_listed(name)));
        assert!(!is_listed("after_tur") && !is_listed("after_turns") && !is_listed(""));
    }

    #[test]
    fn the_variable_names_a_point_and_a_time() {
        let third = doom("after_turn:3").unwrap();
        assert_eq!(
            (third.point.as_str(), third.left.into_inner()),
            ("after_turn", 3)
        );
        let first = doom("after_turn").unwrap();
        assert_eq!(
            (first.point.as_str(), first.left.into_inner()),
            ("after_turn", 1)
        );
        assert!(doom("after_turn:soon").is_none());
    }
}
