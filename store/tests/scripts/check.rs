//! Every kind of damage is named, repaired by its script, and gone afterwards; a good partition is called good.

use crate::damage::cases::{Case, of_contexts, of_jobs};
use crate::damage::good;
use crate::damage::good::{FAST, Good, command, good, kinds};
use crate::harness::{Harness, alone, partition};
use tickwheel_store::check::Kind;
use tickwheel_store::repair::Repaired;

async fn fresh_good(test: &Harness) -> Good {
    test.command(&["FLUSHALL"]).await;
    let good = good(test).await;
    let checked = test.store.check(FAST).await.unwrap();
    assert!(
        checked.is_clean(),
        "a good partition is called broken: {:#?}",
        checked.findings
    );
    good
}

/// Damages, checks, repairs, checks again, and has every script called once more in vain.
async fn run(test: &Harness, case: &Case) {
    for text in &case.damage {
        command(test, text).await;
    }
    let what = &case.damage;
    let before = test.dump().await;
    let checked = test.store.check(FAST).await.unwrap();
    assert!(
        kinds(&checked).contains(&case.kind),
        "{what:?} is no {}: {:#?}",
        case.kind,
        checked.findings
    );
    assert_eq!(test.dump().await, before, "a check writes nothing");
    let repairs = test.store.repair(FAST).await.unwrap();
    let named: Vec<_> = repairs
        .repairs
        .iter()
        .filter(|repair| repair.finding.kind == case.kind)
        .collect();
    assert!(!named.is_empty(), "{what:?}: {repairs:#?}");
    if let Some(undo) = &case.undo {
        assert!(
            named.iter().all(|repair| repair.outcome == Repaired::Left),
            "{what:?}: {named:#?}"
        );
        command(test, undo).await;
    } else {
        assert!(
            repairs.after.is_clean(),
            "{what:?} is not repaired: {:#?}",
            repairs.after.findings
        );
        assert!(
            named
                .iter()
                .any(|repair| matches!(repair.outcome, Repaired::Done(_))),
            "{what:?}: {named:#?}"
        );
    }
    let after = test.store.check(FAST).await.unwrap();
    assert!(after.is_clean(), "{what:?}: {:#?}", after.findings);
    let healed = test.dump().await;
    for repair in &repairs.repairs {
        let again = test.store.repair_one(&repair.finding).await.unwrap();
        assert!(
            matches!(again, Repaired::Clean | Repaired::Left),
            "{what:?}: {:?} does {again:?} again",
            repair.finding
        );
    }
    assert_eq!(test.dump().await, healed, "{what:?}");
}

#[tokio::test]
async fn damage_to_contexts_is_named_and_repaired() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    for index in 0..of_contexts(&fresh_good(&test).await).len() {
        let good = fresh_good(&test).await;
        Box::pin(run(&test, &of_contexts(&good)[index])).await;
    }
}

#[tokio::test]
async fn damage_to_jobs_and_keys_is_named_and_repaired() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    for index in 0..of_jobs(&fresh_good(&test).await).len() {
        let good = fresh_good(&test).await;
        Box::pin(run(&test, &of_jobs(&good)[index])).await;
    }
}

#[tokio::test]
async fn one_damage_is_not_called_by_another_name() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    fresh_good(&test).await;
    good::fire(&test, "a/follower", "m-9").await;
    command(&test, "HDEL|B:backlog|default work").await;
    let checked = test.store.check(FAST).await.unwrap();
    assert_eq!(kinds(&checked), [Kind::Backlog], "{:#?}", checked.findings);
}

#[test]
fn the_page_for_operators_has_every_kind_with_its_meaning() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md");
    let page = std::fs::read_to_string(page).unwrap();
    for kind in Kind::ALL {
        let by = kind
            .repair()
            .map_or("a person".to_owned(), |script| format!("`{script}`"));
        let row = format!(
            "| `{kind}` | {} | {} | {by} |",
            kind.invariant(),
            kind.sentence()
        );
        assert!(page.contains(&row), "docs/operations.md lacks: {row}");
    }
}

#[tokio::test]
async fn every_kind_of_damage_has_a_case() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let good = fresh_good(&test).await;
    let tried: Vec<Kind> = of_contexts(&good)
        .iter()
        .chain(&of_jobs(&good))
        .map(|case| case.kind)
        .collect();
    let missing: Vec<&Kind> = Kind::ALL
        .iter()
        .filter(|kind| !tried.contains(kind))
        .collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}

#[tokio::test]
async fn a_call_costs_little_however_much_there_is() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let contexts: Vec<String> = (1..=32)
        .flat_map(|i| {
            let id = format!("0.9000000000000.a-{i}");
            let head = format!("{id} 0:0 g h 2 - ");
            [id, "wheel".to_owned(), "9000000000000".to_owned(), head]
        })
        .collect();
    let mut args = vec!["", "0", "32"];
    args.extend(contexts.iter().map(String::as_str));
    for size in [100_u32, 1_000, 100_000] {
        let fill = format!(
            "for i = 1, {size} do redis.call('ZADD', KEYS[1], 9e12, '0.9000000000000.a-' .. i .. ' 0:0 g h 2 - x') end"
        );
        test.text(&["EVAL", &fill, "1", &test.key(partition(0), "wheel")])
            .await;
        let cost = test.cost("check/contexts", partition(0), &args).await;
        assert!(
            cost <= 5 + 32 * 32,
            "{cost} commands with {size} of one due time"
        );
        let page = ["", "wheel", "0", "100"];
        assert_eq!(test.cost("check/page", partition(0), &page).await, 2);
    }
    let checked = test.store.check(FAST).await.unwrap();
    assert!(checked.is_clean(), "{:#?}", checked.findings);
    assert!(checked.entries >= 100_000, "{checked:?}");
}
