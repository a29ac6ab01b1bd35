//! What a context that is split by its handler leaves in Redis.

use bytes::Bytes;
use tickwheel_core::ReduceOn;
use tickwheel_core::id::HandlerName;
use tickwheel_core::job::ContextOptions;
use tickwheel_store::fan::{Split, Splitting};
use tickwheel_store::lease::{Outcome, Verdict};
use tickwheel_store::wheel::Claim;

use super::turns::{ID, settlement, turn_all};
use crate::harness::Harness;

/// One of each key, with the names of the page.
pub(crate) async fn seed(test: &Harness) {
    let keys = ["fan:", "parts:invoice:", "results:"].map(|key| format!("{{tw:6}}:{key}{ID}"));
    for words in [
        ["HSET", "{tw:6}:fans", ID, "map"].as_slice(),
        &["HSET", &keys[0], "model", "map"],
        &["RPUSH", &keys[1], "0 0:0 item"],
        &["RPUSH", &keys[2], "1 s done"],
    ] {
        test.command(words).await;
    }
}

/// Has an attempt map two items, the first of which fails.
pub(crate) async fn map(test: &Harness, claim: &Claim) {
    let handler = HandlerName::new("work").unwrap();
    let page = Splitting {
        mapper: claim.holding(),
        offset: 0,
        handler: Some((handler, ContextOptions::default())),
        parallelism: 1,
        reduce: None,
        reduce_on: ReduceOn::Ended,
        mapped: false,
        items: vec![Bytes::from_static(b"item"); 2],
    };
    let taken = test.store.split(&page).await.unwrap();
    assert_eq!(taken, Split::Taken(2));
    for claim in turn_all(test).await {
        let outcome = match claim.member.id.subtask() {
            Some(_) => Outcome::Fatal("boom".to_owned()),
            None => Outcome::Succeeded(Bytes::new()),
        };
        let ended = settlement(&claim, outcome);
        let home = claim.member.id.partition();
        let settled = test.store.settle(home, &[ended]).await.unwrap();
        assert_eq!(settled, [Verdict::Settled]);
    }
}
