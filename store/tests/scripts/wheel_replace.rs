//! wheel/replace, and what frees a dedup key: a key stands for one context, unless that was cancelled before it ever started.

use std::sync::LazyLock;
use std::time::Duration;

use crate::call::{Part, T};
use crate::harness::{fresh, job, name, partition};
use bytes::Bytes;
use tickwheel_core::id::{DedupKey, Namespace};
use tickwheel_core::job::{Overlap, Trigger};
use tickwheel_core::partition::partition_of;
use tickwheel_store::job::Plan;
use tickwheel_store::wheel::{Fire, Fired, KeyOwner, NewContext, When};

const W: (&str, &str, u64, &str) = ("w", "g", 9, "h");

static DEFAULT: LazyLock<Namespace> = LazyLock::new(Namespace::default);

async fn replace(part: &Part<'_>, now: u64, when: &str, unique: &str) -> String {
    let now = now.to_string();
    let args = [&now, when, unique, "g h 2 u=k body", "60000 k"];
    let answer = part.answer("wheel/replace", &args).await;
    assert_eq!(answer[..2], ["ACCEPTED", &now]);
    answer[2].clone()
}

async fn submit(part: &Part<'_>, now: u64, when: &str, unique: &str) -> Vec<String> {
    part.submit(now, &[[when, unique, "g h 2 u=k body", "60000 k"]])
        .await
}

async fn places(part: &Part<'_>, id: &str) -> Vec<String> {
    let state = part.state().await;
    let start = format!("{id} ");
    let zsets = state
        .zsets
        .iter()
        .filter(|(_, members)| members.keys().any(|one| one.starts_with(&start)));
    let mut places: Vec<String> = zsets.map(|(name, _)| name.clone()).collect();
    if state.hash("held").iter().any(|(held, _)| *held == id) {
        places.push("held".to_owned());
    }
    places
}

#[tokio::test]
async fn what_waits_is_replaced_and_what_runs_goes_on() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let id = |due: u64, unique: &str| format!("3.{due}.{unique}");
    assert_eq!(replace(&part, T, "+500", "a-1").await, "");
    let first = id(T + 500, "a-1");
    assert_eq!(places(&part, &first).await, ["wheel"]);
    // The same call again changes nothing.
    assert_eq!(replace(&part, T, "+500", "a-1").await, "");
    // In the wheel, then in its ready set.
    assert_eq!(replace(&part, T + 1, "+0", "a-2").await, first);
    let second = id(T + 1, "a-2");
    assert!(places(&part, &first).await.is_empty());
    assert_eq!(places(&part, &second).await, ["ready:g:h"]);
    assert_eq!(replace(&part, T + 2, "+0", "a-3").await, second);
    let third = id(T + 2, "a-3");
    let state = part.state().await;
    let ends = state.ends();
    assert_eq!(
        ends,
        [
            (
                first.as_str(),
                "cancelled",
                format!("replaced by {second}").as_str()
            ),
            (
                second.as_str(),
                "cancelled",
                format!("replaced by {third}").as_str()
            ),
        ]
    );
    // One that runs goes on, and the key is the new one's.
    assert_eq!(part.turn(T + 3, 9, &[W]).await.claims.len(), 1);
    assert_eq!(replace(&part, T + 3, "+0", "a-4").await, third);
    let fourth = id(T + 3, "a-4");
    assert_eq!(places(&part, &third).await, ["held"]);
    assert_eq!(part.state().await.strings["dedup:k"], fourth);
    // One that waits for its next attempt is replaced too.
    part.turn(T + 4, 9, &[W]).await;
    let failed = [[fourth.as_str(), "1", "retry_after", "0 5000 later"]];
    assert_eq!(part.settle(T + 5, &failed).await, "R");
    assert_eq!(replace(&part, T + 6, "+0", "a-5").await, fourth);
    assert!(places(&part, &fourth).await.is_empty());
    assert!(part.state().await.hash("retry").is_empty());
    assert_eq!(
        part.settle(T + 7, &[[&third, "1", "succeeded", ""]]).await,
        "S"
    );
}

#[tokio::test]
async fn a_key_is_free_again_when_its_context_is_cancelled_before_it_started() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    for (when, unique) in [("+500", "a-1"), ("+0", "a-2")] {
        assert!(submit(&part, T, when, unique).await.is_empty());
        assert!(
            submit(&part, T, when, unique).await.is_empty(),
            "the same call again"
        );
        let due = if when == "+0" { T } else { T + 500 };
        let id = format!("3.{due}.{unique}");
        assert_eq!(submit(&part, T, when, "b-1").await, ["1", id.as_str()]);
        assert_eq!(part.cancel(T, &id).await, ["ENDED"]);
        assert!(
            !part.state().await.strings.contains_key("dedup:k"),
            "{when}"
        );
    }
    // One that has started keeps it.
    assert!(submit(&part, T, "+0", "a-3").await.is_empty());
    part.turn(T, 9, &[W]).await;
    let id = format!("3.{T}.a-3");
    assert_eq!(part.cancel(T, &id).await[0], "RUNNING");
    part.settle(T, &[[&id, "1", "cancelled", "0 0 told"]]).await;
    assert_eq!(submit(&part, T, "+0", "b-1").await, ["1", id.as_str()]);
    // A cancelled one frees no key that stands for another.
    test.command(&["DEL", &part.key("dedup:k")]).await;
    assert!(submit(&part, T, "+900", "a-4").await.is_empty());
    test.command(&["SET", &part.key("dedup:k"), "3.1.x-1", "PX", "9000"])
        .await;
    assert_eq!(
        part.cancel(T, &format!("3.{}.a-4", T + 900)).await,
        ["ENDED"]
    );
    assert_eq!(part.state().await.strings["dedup:k"], "3.1.x-1");
}

#[tokio::test]
async fn runs_of_jobs_have_keys_of_their_own_job_that_are_freed_too() {
    let Some(test) = fresh().await else { return };
    let jobs = ["d/one", "d/two"];
    for name in jobs {
        let mut spec = job(name, Trigger::Manual);
        spec.overlap = Overlap::Queue(5);
        drop(test.store.apply_job(&spec, &Plan::default()).await.unwrap());
    }
    let key = DedupKey::new("order:7 @ shop").unwrap();
    let fire = async |job: &str, uniq: &str| {
        let fire = Fire {
            uniq: uniq.to_owned(),
            due: None,
            body: None,
            dedup: Some((key.clone(), Duration::from_secs(60))),
        };
        test.store.fire_job(&name(job), fire).await.unwrap()
    };
    let Fired::Started(first) = fire("d/one", "a-1").await else {
        panic!("it is ready")
    };
    assert!(matches!(fire("d/two", "a-2").await, Fired::Started(_)));
    assert_eq!(fire("d/one", "a-3").await, Fired::Duplicate(first.clone()));
    let found = test
        .store
        .context_of_key(&key, KeyOwner::Job(&name("d/one")))
        .await;
    assert_eq!(found.unwrap(), Some(first.clone()));
    assert_eq!(
        test.store
            .context_of_key(&key, KeyOwner::Namespace(&DEFAULT))
            .await
            .unwrap(),
        None
    );
    drop(test.store.cancel_context(&first).await.unwrap());
    let Fired::Started(second) = fire("d/one", "a-4").await else {
        panic!("the key is free")
    };
    // A job that is deleted with what waits frees the keys of that.
    let _ = test.store.delete_job(&name("d/one")).await.unwrap();
    let found = test
        .store
        .context_of_key(&key, KeyOwner::Job(&name("d/one")))
        .await;
    assert_eq!(found.unwrap(), None, "{second}");
    assert!(test.keys().await.iter().all(|key| !key.contains("order")));
}

#[tokio::test]
async fn each_namespace_has_keys_of_its_own() {
    let Some(test) = fresh().await else { return };
    let store = &test.store;
    let key = DedupKey::new("order-7").unwrap();
    let eu = Namespace::new("eu").unwrap();
    let context = |namespace: &Namespace, uniq: &str, due: u64| NewContext {
        when: When::Delay(Duration::from_secs(due)),
        rest: Bytes::from("g h 2 u=order-7 body"),
        namespace: namespace.clone(),
        uniq: uniq.to_owned(),
        dedup: Some((key.clone(), Duration::from_secs(60))),
        partition: partition_of("order-7", store.partitions()),
        placement: None,
    };
    let default = Namespace::default();
    let both = [context(&default, "a-1", 60), context(&eu, "a-2", 60)];
    let both = store.submit(&both).await.unwrap();
    assert!(both.iter().all(|one| !one.duplicate), "{both:?}");
    assert_eq!(
        (both[0].id.namespace(), both[1].id.namespace()),
        ("default", "eu")
    );
    let owners = [KeyOwner::Namespace(&default), KeyOwner::Namespace(&eu)];
    for (owner, one) in owners.into_iter().zip(&both) {
        let found = store.context_of_key(&key, owner).await.unwrap();
        assert_eq!(found.as_ref(), Some(&one.id));
    }
    let again = store.submit(&[context(&eu, "a-3", 60)]).await.unwrap();
    assert_eq!((again[0].duplicate, &again[0].id), (true, &both[1].id));
    // It replaces its own, and frees its own.
    let replaced = store.replace(&context(&eu, "a-4", 60)).await.unwrap();
    assert_eq!(replaced.before.as_ref(), Some(&both[1].id));
    drop(store.cancel_context(&replaced.id).await.unwrap());
    let [of_default, of_eu] = owners;
    assert_eq!(store.context_of_key(&key, of_eu).await.unwrap(), None);
    let found = store.context_of_key(&key, of_default).await.unwrap();
    assert_eq!(found.as_ref(), Some(&both[0].id));
    // It is read, listed, run and kept as any other.
    let now = store.submit(&[context(&eu, "a-5", 0)]).await.unwrap();
    let view = store.get_context(&now[0].id).await.unwrap().unwrap();
    assert_eq!((view.job, view.id.namespace()), (None, "eu"));
    let checked = store.check(crate::damage::good::FAST).await.unwrap();
    assert!(checked.is_clean(), "{:#?}", checked.findings);
}

#[tokio::test]
async fn keys_of_any_text_stand_for_one_context_each() {
    let Some(test) = fresh().await else { return };
    let long = "注".repeat(85);
    for (number, text) in (0_u32..).zip(["a:b", "a@b", "a b", "{x}:wheel", "注文 7", &long]) {
        let key = DedupKey::new(text).unwrap();
        let context = |uniq: String| NewContext {
            when: When::Delay(Duration::from_secs(60)),
            rest: Bytes::from(format!("g h 2 u={} body", key.name())),
            namespace: Namespace::default(),
            uniq,
            dedup: Some((key.clone(), Duration::from_secs(60))),
            partition: partition_of(text, test.store.partitions()),
            placement: None,
        };
        let first = test
            .store
            .submit(&[context(format!("a-{number}"))])
            .await
            .unwrap();
        assert!(!first[0].duplicate, "{text}");
        let again = test
            .store
            .submit(&[context(format!("b-{number}"))])
            .await
            .unwrap();
        assert_eq!(
            (again[0].duplicate, &again[0].id),
            (true, &first[0].id),
            "{text}"
        );
        let found = test
            .store
            .context_of_key(&key, KeyOwner::Namespace(&DEFAULT))
            .await
            .unwrap();
        assert_eq!(found.as_ref(), Some(&first[0].id));
        let replaced = test
            .store
            .replace(&context(format!("c-{number}")))
            .await
            .unwrap();
        assert_eq!(replaced.before.as_ref(), Some(&first[0].id));
        let view = test.store.get_context(&replaced.id).await.unwrap().unwrap();
        assert_eq!(view.body, "body");
    }
    let checked = test.store.check(crate::damage::good::FAST).await.unwrap();
    assert!(checked.is_clean(), "{:#?}", checked.findings);
}

#[tokio::test]
async fn every_bad_argument_is_refused_before_the_first_write() {
    let Some(test) = fresh().await else { return };
    let args = ["1000", "+5", "a-1", "g h 2 - body", "60000 k"];
    let changes = [
        (1, "soon", "now_ms"),
        (2, "later", "when"),
        (2, "-1", "when"),
        (3, "", "unique"),
        (4, "g h", "rest"),
        (5, "k", "dedup"),
        (6, "placements", "arguments"),
    ];
    test.assert_refused("wheel/replace", partition(3), &args, &changes)
        .await;
    assert_eq!(
        test.eval("wheel/replace", partition(3), &args)
            .await
            .unwrap(),
        ["ACCEPTED", "1000", ""]
    );
}
