//! job/follow: who is told of a job's ends.

use crate::harness::{Harness, alone, fresh, job, name, partition};
use tickwheel_core::job::{AfterOn, Trigger};
use tickwheel_store::Error;
use tickwheel_store::job::{Deletion, Plan};
use tickwheel_store::wheel::Fired;

async fn registered(test: &Harness, names: &[&str]) {
    for name in names {
        let spec = job(name, Trigger::Manual);
        drop(
            test.store
                .apply_job(
                    &spec,
                    &Plan {
                        dues: Vec::new(),
                        end: true,
                    },
                )
                .await
                .unwrap(),
        );
    }
}

#[tokio::test]
async fn a_follower_is_told_until_it_is_removed() {
    let Some(test) = fresh().await else { return };
    registered(&test, &["a/b"]).await;
    test.store
        .add_follower(&name("a/b"), &name("c/d"), AfterOn::Failed)
        .await
        .unwrap();
    test.store
        .add_follower(&name("a/b"), &name("c/e"), AfterOn::Ended)
        .await
        .unwrap();
    test.store
        .add_follower(&name("a/b"), &name("c/d"), AfterOn::Succeeded)
        .await
        .unwrap();
    assert_eq!(
        test.text(&["HGET", &test.job_key("a/b", "job:a/b"), "followers"])
            .await,
        "c/e:ended c/d:succeeded"
    );
    let followers = test
        .store
        .get_job(&name("a/b"))
        .await
        .unwrap()
        .unwrap()
        .followers;
    assert_eq!(
        followers,
        [
            (name("c/e"), AfterOn::Ended),
            (name("c/d"), AfterOn::Succeeded)
        ]
    );
    for _ in 0..2 {
        test.store
            .remove_follower(&name("a/b"), &name("c/d"))
            .await
            .unwrap();
    }
    let followers = test
        .store
        .get_job(&name("a/b"))
        .await
        .unwrap()
        .unwrap()
        .followers;
    assert_eq!(followers, [(name("c/e"), AfterOn::Ended)]);
}

/// Has `of` jobs of a namespace follow `a/b`, and answers what becomes of one more.
async fn followed_by(test: &Harness, namespace: &str, of: usize) -> Result<(), Error> {
    for index in 0..of {
        let follower = name(&format!("{namespace}/{index}"));
        test.store
            .add_follower(&name("a/b"), &follower, AfterOn::Ended)
            .await
            .unwrap();
    }
    let one_more = name(&format!("{namespace}/more"));
    test.store
        .add_follower(&name("a/b"), &one_more, AfterOn::Ended)
        .await
}

#[tokio::test]
async fn the_followers_of_a_job_have_a_bound() {
    let Some(test) = fresh().await else { return };
    registered(&test, &["a/b"]).await;
    let refused = followed_by(&test, "a", 100).await;
    assert!(matches!(refused, Err(Error::Full(_))), "{refused:?}");
    test.store
        .add_follower(&name("a/b"), &name("a/99"), AfterOn::Failed)
        .await
        .unwrap();
}

#[tokio::test]
async fn followers_whose_consent_was_withdrawn_take_nobodys_place_and_hold_back_no_deletion() {
    let Some(test) = fresh().await else { return };
    registered(&test, &["a/b"]).await;
    followed_by(&test, "c", 99).await.unwrap();
    let refused = followed_by(&test, "a", 100).await;
    assert!(matches!(refused, Err(Error::Full(_))), "{refused:?}");
    let refused = test
        .store
        .delete_job_alone(&name("a/b"), None)
        .await
        .unwrap();
    let Deletion::Followed(holding) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(holding.len(), 100);
    assert!(
        holding
            .iter()
            .all(|(follower, _)| follower.namespace() == "a")
    );
    for (follower, _) in holding {
        test.store
            .remove_follower(&name("a/b"), &follower)
            .await
            .unwrap();
    }
    let deleted = test
        .store
        .delete_job_alone(&name("a/b"), None)
        .await
        .unwrap();
    assert!(!matches!(deleted, Deletion::Followed(_)), "{deleted:?}");
}

#[tokio::test]
async fn followers_of_a_job_that_is_not_there_wait_for_its_registration() {
    let Some(test) = fresh().await else { return };
    let follow = async |follower: &str, on| {
        let (upstream, follower) = (name("a/b"), name(follower));
        test.store.add_follower(&upstream, &follower, on).await
    };
    follow("c/d", AfterOn::Ended).await.unwrap();
    follow("c/e", AfterOn::Failed).await.unwrap();
    assert_eq!(
        test.text(&["GET", &test.job_key("a/b", "awaited:a/b")])
            .await,
        "c/d:ended c/e:failed"
    );
    assert_eq!(test.store.get_job(&name("a/b")).await.unwrap(), None);
    for _ in 0..2 {
        test.store
            .remove_follower(&name("a/b"), &name("c/d"))
            .await
            .unwrap();
    }
    registered(&test, &["a/b"]).await;
    let view = test.store.get_job(&name("a/b")).await.unwrap().unwrap();
    assert_eq!(view.followers, [(name("c/e"), AfterOn::Failed)]);
    assert_eq!(
        test.text(&["EXISTS", &test.job_key("a/b", "awaited:a/b")])
            .await,
        "0"
    );
    let _ = test.store.delete_job(&name("a/b")).await.unwrap();
    test.store
        .remove_follower(&name("a/b"), &name("c/e"))
        .await
        .unwrap();
    assert!(test.keys().await.iter().all(|key| !key.contains("a/b")));
}

#[tokio::test]
async fn a_job_that_is_deleted_and_registered_again_tells_its_followers() {
    let Some(test) = fresh().await else { return };
    registered(&test, &["a/b"]).await;
    let edges = [
        (name("a/d"), AfterOn::Succeeded),
        (name("a/e"), AfterOn::Ended),
    ];
    for (follower, on) in edges.clone() {
        test.store
            .add_follower(&name("a/b"), &follower, on)
            .await
            .unwrap();
    }
    assert_eq!(
        test.store
            .delete_job_alone(&name("a/b"), None)
            .await
            .unwrap(),
        Deletion::Followed(edges.to_vec())
    );
    let _ = test.store.delete_job(&name("a/b")).await.unwrap();
    registered(&test, &["a/b"]).await;
    let view = test.store.get_job(&name("a/b")).await.unwrap().unwrap();
    assert_eq!(view.followers, edges);
}

#[tokio::test]
async fn the_end_of_a_job_that_is_not_followed_any_more_fires_nothing() {
    let Some(test) = fresh().await else { return };
    registered(&test, &["a/b"]).await;
    let follows = |upstream| Trigger::After {
        job: name(upstream),
        on: AfterOn::Ended,
    };
    let spec = job("c/d", follows("a/b"));
    drop(test.store.apply_job(&spec, &Plan::default()).await.unwrap());
    let ended = |n: u32| {
        let home = test.store.partition_of_job(&name("a/b"));
        tickwheel_store::record::Upstream {
            context: format!("{home}.{n}.f@a/b").parse().unwrap(),
            state: tickwheel_core::run::ContextState::Succeeded,
            error: String::new(),
        }
    };
    let fired = test
        .store
        .fire_after(&name("c/d"), &ended(1))
        .await
        .unwrap();
    assert!(matches!(fired, Fired::Started(_)), "{fired:?}");
    let spec = job("c/d", follows("a/c"));
    drop(test.store.apply_job(&spec, &Plan::default()).await.unwrap());
    let fired = test
        .store
        .fire_after(&name("c/d"), &ended(2))
        .await
        .unwrap();
    assert_eq!(fired, Fired::NoJob);
}

#[tokio::test]
async fn every_bad_argument_is_refused_before_the_first_write() {
    let Some(test) = fresh().await else { return };
    registered(&test, &["a/b"]).await;
    let p = test.store.partition_of_job(&name("a/b"));
    let changes = [(1, "", "job"), (2, "", "follower"), (3, "always", "on")];
    test.assert_refused("job/follow", p, &["a/b", "c/d", "ended"], &changes)
        .await;
    assert_eq!(
        test.eval("job/follow", p, &["a/b", "c/d", "ended"])
            .await
            .unwrap(),
        ["FOLLOWED"]
    );
    assert_eq!(
        test.eval("job/follow", p, &["a/b", "c/d", "ended"])
            .await
            .unwrap(),
        ["FOLLOWED"]
    );
}

#[tokio::test]
async fn it_costs_three_commands() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    registered(&test, &["a/b"]).await;
    for index in 0..100 {
        let cost = test
            .cost(
                "job/follow",
                partition(0),
                &["a/b", &format!("c/{index}"), "ended"],
            )
            .await;
        assert!(cost <= 3, "{cost} commands with {index} followers");
    }
}
