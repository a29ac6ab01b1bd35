//! Requests of several callers in one call of wheel/submit.

use std::time::Duration;

use tickwheel_core::id::{DedupKey, Namespace};
use tickwheel_store::Error;
use tickwheel_store::wheel::{NewContext, SubmittedContext, When};

use crate::harness::{Harness, alone, fresh, partition};

fn context(uniq: &str, key: Option<&str>) -> NewContext {
    NewContext {
        when: When::Delay(Duration::from_secs(60)),
        rest: "g h 2 - x".into(),
        namespace: Namespace::default(),
        uniq: uniq.to_owned(),
        dedup: key.map(|key| (DedupKey::new(key).unwrap(), Duration::from_secs(60))),
        partition: partition(0),
        placement: None,
    }
}

async fn lying(test: &Harness) -> String {
    test.text(&["ZCARD", &test.key(partition(2), "wheel")])
        .await
}

/// Of each, the last part of its id, and whether it is a duplicate.
fn told(submitted: &[SubmittedContext]) -> Vec<(&str, bool)> {
    let told = submitted.iter().map(|one| {
        let uniq = one.id.as_str().rsplit('.').next().unwrap();
        (uniq, one.duplicate)
    });
    told.collect()
}

#[tokio::test]
async fn each_request_is_told_what_became_of_its_own() {
    let Some(test) = fresh().await else { return };
    let requests = || {
        vec![
            vec![context("a-1", Some("k"))],
            vec![context("a-2", None), context("a-3", Some("k"))],
            vec![context("a-4", Some("l"))],
        ]
    };
    let answers = test.store.submit_together(partition(2), requests()).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    let answers: Vec<_> = answers.iter().map(|answer| told(answer)).collect();
    assert_eq!(
        answers,
        [
            vec![("a-1", false)],
            // One key, whoever has it.
            vec![("a-2", false), ("a-1", true)],
            vec![("a-4", false)]
        ]
    );
    assert_eq!(lying(&test).await, "3");
    let again = vec![
        vec![context("a-5", Some("l"))],
        vec![context("a-6", Some("k"))],
    ];
    let again = test.store.submit_together(partition(2), again).await;
    let again: Vec<_> = again.into_iter().map(Result::unwrap).collect();
    let again: Vec<_> = again.iter().map(|answer| told(answer)).collect();
    assert_eq!(again, [[("a-4", true)], [("a-1", true)]]);
    assert_eq!(lying(&test).await, "3");
}

#[tokio::test]
async fn a_key_of_another_type_is_the_matter_of_who_meets_it() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let key = test.key(partition(2), "dedup:bad");
    test.command(&["RPUSH", &key, "x"]).await;
    let requests = (0..9).map(|number| {
        let key = if number == 4 {
            "bad".to_owned()
        } else {
            format!("k{number}")
        };
        // Of a request that is refused nothing is written.
        vec![
            context(&format!("a-{number}"), None),
            context(&format!("b-{number}"), Some(&key)),
        ]
    });
    let answers = test
        .store
        .submit_together(partition(2), requests.collect())
        .await;
    assert_eq!(answers.len(), 9);
    for (number, answer) in answers.into_iter().enumerate() {
        match answer {
            Err(Error::Damaged { .. }) if number == 4 => {}
            Ok(submitted) => {
                let own = [format!("a-{number}"), format!("b-{number}")];
                let own = own.each_ref().map(|uniq| (uniq.as_str(), false));
                assert_eq!(told(&submitted), own);
            }
            other => panic!("{number}: {other:?}"),
        }
    }
    assert_eq!(lying(&test).await, "16");
}

#[tokio::test]
async fn when_redis_does_not_answer_nobody_knows_and_a_repeat_finds_what_is_written() {
    let Some((test, server)) = alone().await else {
        return;
    };
    let requests = |tries: &str| -> Vec<Vec<NewContext>> {
        let one = |number: u32| {
            let key = format!("k{number}");
            vec![context(&format!("{tries}-{number}"), Some(&key))]
        };
        (0..20).map(one).collect()
    };
    server.signal("STOP");
    let lost = test
        .store
        .submit_together(partition(2), requests("a"))
        .await;
    server.signal("CONT");
    assert_eq!(lost.len(), 20);
    for answer in lost {
        let is_unknown = matches!(answer, Err(Error::Unavailable { .. }));
        assert!(is_unknown, "{answer:?}");
    }
    let again = test
        .store
        .submit_together(partition(2), requests("b"))
        .await;
    let written: Vec<_> = again.into_iter().map(Result::unwrap).collect();
    assert_eq!(written.concat().len(), 20);
    assert_eq!(lying(&test).await, "20");
}
