//! Changes that hold only for the revision that whoever asks has read.

use tickwheel_core::job::{JobSpec, Trigger};
use tickwheel_store::Error;
use tickwheel_store::job::{Change, Deletion, Only};

use super::plan;
use crate::harness::{Harness, fresh, job, name};

async fn apply(test: &Harness, spec: &JobSpec, revision: u64) -> Result<(Change, u64), Error> {
    let only = Only {
        revision: Some(revision),
        ..Only::default()
    };
    let applied = test.store.apply_job_if(spec, &plan(&[]), only).await;
    applied.map(|applied| (applied.change, applied.revision))
}

fn spec(description: &str) -> JobSpec {
    JobSpec {
        description: description.to_owned(),
        ..job("a/b", Trigger::Manual)
    }
}

/// The revision that a refusal names.
fn present(refused: &Error) -> u64 {
    let Error::Changed { revision, .. } = refused else {
        panic!("{refused}");
    };
    *revision
}

#[tokio::test]
async fn a_job_is_changed_only_from_the_revision_that_was_read() {
    let Some(test) = fresh().await else { return };
    let before = test.dump().await;
    let refused = apply(&test, &spec("one"), 1).await.unwrap_err();
    assert_eq!(present(&refused), 0, "there is none");
    assert_eq!(test.dump().await, before, "nothing was written");

    let made = apply(&test, &spec("one"), 0).await.unwrap();
    assert_eq!(made, (Change::Created, 1));
    let refused = apply(&test, &spec("two"), 0).await.unwrap_err();
    assert_eq!(present(&refused), 1, "there is one now");
    let changed = apply(&test, &spec("two"), 1).await.unwrap();
    assert_eq!(changed, (Change::Updated, 2));

    let before = test.dump().await;
    let late = apply(&test, &spec("three"), 1).await.unwrap_err();
    assert_eq!(present(&late), 2);
    assert!(late.to_string().contains("has revision 2 now"), "{late}");
    assert_eq!(test.dump().await, before, "nothing was written");
    // A caller whose answer was lost asks once more.
    let again = apply(&test, &spec("two"), 1).await.unwrap();
    assert_eq!(again, (Change::Unchanged, 2));
}

#[tokio::test]
async fn a_job_is_deleted_only_with_the_revision_that_was_read() {
    let Some(test) = fresh().await else { return };
    let b = name("a/b");
    apply(&test, &spec("one"), 0).await.unwrap();
    apply(&test, &spec("two"), 1).await.unwrap();
    let before = test.dump().await;
    let late = test.store.delete_job_alone(&b, Some(1)).await.unwrap_err();
    assert_eq!(present(&late), 2);
    let late = test.store.delete_job_if(&b, Some(3)).await.unwrap_err();
    assert_eq!(present(&late), 2);
    assert_eq!(test.dump().await, before, "nothing was written");
    let deleted = test.store.delete_job_alone(&b, Some(2)).await.unwrap();
    assert!(matches!(deleted, Deletion::Deleted(_)), "{deleted:?}");
    let gone = test.store.delete_job_if(&b, Some(2)).await.unwrap_err();
    assert!(matches!(gone, Error::NotFound { .. }), "{gone}");
}
