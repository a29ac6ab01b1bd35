//! job/follow: who is told of a job's ends.

use crate::harness::{Harness, alone, fresh, job, name, partition};
use tickwheel_core::job::{AfterOn, Trigger};
use tickwheel_store::Error;
use tickwheel_store::job::{Deletion, Plan};
use tickwheel_store::wheel::Fired;

async fn registered(test: &Harness, names: &[&str]) {
    for name in names {
        let spec = job(name, Trigger::Manual);
        let _ = test
            .store
            .apply_job(
                &spec,
                &Plan {
                    dues: Vec::new(),
                    end: true,
                },
            )
            .await
            .unwrap();
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

#[tokio::test]
async fn the_followers_of_a_job_have_a_bound() {
    let Some(test) = fresh().await else { return };
    registered(&test, &["a/b"]).await;
    for index in 0..100 {
        test.store
            .add_follower(&name("a/b"), &name(&format!("c/{index}")), AfterOn::Ended)
            .await
            .unwrap();
    }
    let refused = test
        .store
        .add_follower(&name("a/b"), &name("c/100"), AfterOn::Ended)
        .await;
    assert!(matches!(refused, Err(Error::Full(_))), "{refused:?}");
    test.store
        .add_follower(&name("a/b"), &name("c/99"), AfterOn::Failed)
        .await
        .unwrap();
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
        (name("c/d"), AfterOn::Succeeded),
        (name("c/e"), AfterOn::Ended),
    ];
    for (follower, on) in edges.clone() {
        test.store
            .add_follower(&name("a/b"), &follower, on)
            .await
            .unwrap();
    }
    assert_eq!(
        test.store.delete_job_alone(&name("a/b")).await.unwrap(),
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
    let _ = test.store.apply_job(&spec, &Plan::default()).await.unwrap();
    let ended = |n: u32| {
        let home = test.store.partition_of_job(&name("a/b"));
        tickwheel_store::record::Upstream {
            context: format!("{home}.{n}.f@a/b").parse().unwrap(),
            state: tickwheel_core::run::StateWord::Succeeded,
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
    let _ = test.store.apply_job(&spec, &Plan::default()).await.unwrap();
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
