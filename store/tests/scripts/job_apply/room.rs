//! How many jobs of a namespace a partition takes.

use tickwheel_core::job::Trigger;
use tickwheel_store::Error;
use tickwheel_store::job::{Change, Only};

use super::plan;
use crate::harness::{Harness, fresh, job, name};

async fn apply(test: &Harness, job_name: &str, most: Option<u64>) -> Result<Change, Error> {
    let spec = job(job_name, Trigger::Manual);
    let applied = test
        .store
        .apply_job_if(
            &spec,
            &plan(&[]),
            Only {
                below: most,
                ..Only::default()
            },
        )
        .await;
    applied.map(|applied| applied.change)
}

/// So many names of a namespace that lie in one partition.
fn together(test: &Harness, namespace: &str, count: usize) -> Vec<String> {
    let all = (0..).map(|number| format!("{namespace}/{number}"));
    let first = test.store.partition_of_job(&name("a/0"));
    let here = all.filter(|one| test.store.partition_of_job(&name(one)) == first);
    here.take(count).collect()
}

#[tokio::test]
async fn a_partition_takes_so_many_new_jobs_of_a_namespace_and_of_no_other() {
    let Some(test) = fresh().await else { return };
    let own = together(&test, "a", 4);
    // Their names begin alike, and sort on both sides.
    for beside in ["a-", "a.b", "a0", "ab"] {
        for one in together(&test, beside, 3) {
            assert_eq!(apply(&test, &one, Some(3)).await.unwrap(), Change::Created);
        }
    }
    assert_eq!(
        apply(&test, &own[0], Some(2)).await.unwrap(),
        Change::Created
    );
    assert_eq!(
        apply(&test, &own[1], Some(2)).await.unwrap(),
        Change::Created
    );
    let before = test.dump().await;
    let refused = apply(&test, &own[2], Some(2)).await.unwrap_err();
    assert!(matches!(refused, Error::Full(_)), "{refused}");
    assert!(refused.to_string().contains("namespace `a`"), "{refused}");
    assert_eq!(test.dump().await, before, "nothing was written");
    assert_eq!(
        apply(&test, &own[0], Some(0)).await.unwrap(),
        Change::Unchanged
    );
    let mut changed = job(&own[0], Trigger::Manual);
    changed.description = "another".to_owned();
    let changed = test
        .store
        .apply_job_if(
            &changed,
            &plan(&[]),
            Only {
                below: Some(0),
                ..Only::default()
            },
        )
        .await;
    assert_eq!(changed.unwrap().change, Change::Updated, "it was there");
    assert_eq!(apply(&test, &own[2], None).await.unwrap(), Change::Created);
    let _ = test.store.delete_job(&name(&own[0])).await.unwrap();
    assert!(apply(&test, &own[3], Some(2)).await.is_err());
    let _ = test.store.delete_job(&name(&own[1])).await.unwrap();
    assert_eq!(
        apply(&test, &own[3], Some(2)).await.unwrap(),
        Change::Created
    );
}

#[tokio::test]
async fn jobs_of_a_namespace_are_counted_where_they_lie() {
    let Some(test) = fresh().await else { return };
    let total = |counts: Vec<(_, u64)>| counts.iter().map(|(_, count)| count).sum::<u64>();
    assert_eq!(total(test.store.count_jobs("a").await.unwrap()), 0);
    for number in 0..20 {
        for namespace in ["a", "a-", "a0", "b"] {
            let name = format!("{namespace}/{number}");
            assert_eq!(apply(&test, &name, None).await.unwrap(), Change::Created);
        }
    }
    let counts = test.store.count_jobs("a").await.unwrap();
    for (partition, count) in &counts {
        let lies_here = |number: &u64| {
            let job = name(&format!("a/{number}"));
            test.store.partition_of_job(&job) == *partition
        };
        let expected = (0..20).filter(lies_here).count();
        assert_eq!(usize::try_from(*count).unwrap(), expected);
    }
    assert_eq!(total(counts), 20);
}
