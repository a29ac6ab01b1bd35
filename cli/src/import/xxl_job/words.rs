//! The words of xxl-job's strategies, and ours.

use serde_json::{Value, json};

use crate::import::draft::{Draft, Reason};

const ORDER: Reason = Reason {
    why: "executors go by the order of their addresses, workers by the order of their ids, which begin with their names",
    todo: "name the workers in `routing.list`, the first one first",
};

const LAST: Reason = Reason {
    why: "no policy picks the last of the workers",
    todo: "name the workers in `routing.list`, the wanted one first",
};

const SCOPE: Reason = Reason {
    why: "xxl-job looks at the runs on one executor, here a job overlaps with itself wherever its runs are",
    todo: "write `parallel` with a limit, if as many as there were executors may run at once",
};

const QUEUE: Reason = Reason {
    why: "what waits has a bound here, and firings beyond it are left out",
    todo: "raise `overlap.limit`, up to 100000",
};

const BROADCAST: Reason = Reason {
    why: "the parts of a broadcast belong to one run, which fails when one of them does",
    todo: "read index and total from `ctx.shard()`, and write `quorum`, if some of them are enough",
};

/// Writes which worker runs it; a broadcast has them all, and is written with what holds for its parts.
pub(super) fn route(word: &str, draft: &mut Draft) {
    let policy = match word {
        // Who says nothing gets the first one.
        "" | "FIRST" | "FAILOVER" => {
            draft.differs("executor_route_strategy", word, "routing: failover", &ORDER);
            "failover"
        }
        "LAST" => {
            draft.differs("executor_route_strategy", word, "routing: failover", &LAST);
            "failover"
        }
        "ROUND" => "round_robin",
        "RANDOM" => "random",
        "CONSISTENT_HASH" => "consistent_hash",
        "LEAST_FREQUENTLY_USED" => "least_frequently_used",
        "LEAST_RECENTLY_USED" => "least_recently_used",
        "BUSYOVER" => {
            draft.differs(
                "executor_route_strategy",
                word,
                "routing: busy_transfer",
                &ORDER,
            );
            "busy_transfer"
        }
        "SHARDING_BROADCAST" => {
            draft.differs(
                "executor_route_strategy",
                word,
                "model: broadcast",
                &BROADCAST,
            );
            return;
        }
        other => {
            draft.refuse(format!(
                "executor_route_strategy is no word of xxl-job: {other}"
            ));
            return;
        }
    };
    draft.set("routing", json!(policy));
}

/// Writes what a firing does while an earlier run is active.
pub(super) fn block(word: &str, route: &str, draft: &mut Draft) {
    let overlap: Value = match word {
        "" | "SERIAL_EXECUTION" => {
            draft.differs(
                "executor_block_strategy",
                word,
                "overlap: queue, limit 1000",
                &QUEUE,
            );
            json!({ "policy": "queue", "limit": 1_000 })
        }
        "DISCARD_LATER" => json!("discard"),
        "COVER_EARLY" => json!("replace"),
        other => {
            draft.refuse(format!(
                "executor_block_strategy is no word of xxl-job: {other}"
            ));
            return;
        }
    };
    // Those always come to the same executor, so that nothing overlaps elsewhere.
    if !["", "FIRST", "LAST", "CONSISTENT_HASH", "SHARDING_BROADCAST"].contains(&route) {
        draft.differs(
            "executor_block_strategy",
            "for each executor",
            "for the whole cluster",
            &SCOPE,
        );
    }
    draft.set("overlap", overlap);
}

/// Writes what becomes of a firing that came too late; both systems call it late after five seconds.
pub(super) fn misfire(word: &str, draft: &mut Draft) {
    match word {
        "" | "DO_NOTHING" => draft.set("misfire", json!("skip")),
        "FIRE_ONCE_NOW" => draft.set("misfire", json!("fire_once")),
        other => draft.refuse(format!("misfire_strategy is no word of xxl-job: {other}")),
    }
}
