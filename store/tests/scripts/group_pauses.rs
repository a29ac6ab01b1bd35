//! Groups that are paused: since when, until when, and how many.

use tickwheel_core::access::TokenId;
use tickwheel_core::id::GroupName;
use tickwheel_store::error::Error;

use crate::harness::fresh;

fn named(name: &str) -> GroupName {
    GroupName::new(name).unwrap()
}

#[tokio::test]
async fn a_second_pause_replaces_the_note_and_a_resumed_group_is_none() {
    let Some(test) = fresh().await else {
        return;
    };
    let (group, by) = (named("pay"), TokenId::random([7; 12]));
    let before = test.store.list_limits().await.unwrap();
    let since = test.store.pause_group(&group, None, "a b").await.unwrap();
    let again = test.store.pause_group(&group, Some(&by), "").await.unwrap();
    assert_eq!(again, since);
    let listed = test.store.list_limits().await.unwrap();
    assert!(listed.changes > before.changes, "trackers learn of it");
    assert_eq!(listed.groups, []);
    let (name, pause) = listed.paused.first().unwrap();
    assert_eq!((name, pause.since), (&group, since));
    assert_eq!((pause.by.as_ref(), pause.note.as_str()), (Some(&by), ""));
    test.store.resume_group(&group).await.unwrap();
    let resumed = test.store.list_limits().await.unwrap();
    assert_eq!(resumed.paused, []);
    assert!(resumed.changes > listed.changes, "trackers learn of it");
    test.store.resume_group(&group).await.unwrap();
    let idle = test.store.list_limits().await.unwrap();
    assert_eq!(idle.changes, resumed.changes, "nothing changed");
}

#[tokio::test]
async fn a_thousand_groups_are_paused_and_no_more() {
    let Some(test) = fresh().await else {
        return;
    };
    for number in 0..1_000 {
        let group = named(&format!("g{number}"));
        test.store.pause_group(&group, None, "").await.unwrap();
    }
    let one_more = test.store.pause_group(&named("one-more"), None, "").await;
    assert!(matches!(one_more, Err(Error::Full(_))), "{one_more:?}");
    let known = test.store.pause_group(&named("g7"), None, "again").await;
    known.unwrap();
    let listed = test.store.list_limits().await.unwrap();
    assert_eq!(listed.paused.len(), 1_000);
}
