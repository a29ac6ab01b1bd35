//! What is full is answered with RESOURCE_EXHAUSTED, whatever it is that is full; and of a submission that met it, which part is written.

use prost::Message as _;
use tickwheel_core::partition::{PartitionCount, partition_of};
use tickwheel_proto::v1;
use tonic::{Code, Status};

use super::harness::{Caller, after, api, caller, job, submission};

const HOUR: u64 = 3_600_000;

/// The detail of a refusal, which says that something is full.
fn full<T: std::fmt::Debug>(what: &str, answer: Result<T, Status>) -> v1::ErrorDetail {
    let status = answer.expect_err(what);
    assert_eq!(status.code(), Code::ResourceExhausted, "{what}: {status:?}");
    let detail = v1::ErrorDetail::decode(status.details()).unwrap();
    assert_eq!(detail.code, "EXHAUSTED", "{what}: {detail:?}");
    assert_eq!(detail.violations, [], "{what}: nothing is wrong with it");
    detail
}

/// A context in a partition, one of four, that only certain workers may run.
fn with_condition(partition: u16, number: u32) -> v1::Submission {
    let count = PartitionCount::new(4).unwrap();
    let mut keys = (0..).map(|salt: u32| format!("{number}-{salt}"));
    let here = |key: &String| partition_of(key, count).as_u16() == partition;
    v1::Submission {
        dedup_key: keys.find(here).unwrap(),
        options: Some(v1::ContextOptions {
            workers: Some(v1::WorkerSelection {
                select: format!("rack == \"r{number}\""),
                ..v1::WorkerSelection::default()
            }),
            ..v1::ContextOptions::default()
        }),
        ..submission(HOUR)
    }
}

async fn placements_of(caller: &mut Caller) {
    let all = (0..1_000).map(|number| with_condition(0, number));
    let all: Vec<_> = all.collect();
    let known = vec![all.first().unwrap().clone()];
    assert_eq!(caller.submit(all).await.unwrap().len(), 1_000);
    // What is known already has its place.
    assert_eq!(caller.submit(known).await.unwrap().len(), 1);
    let refused = caller.submit(vec![with_condition(0, 1_000)]).await;
    let none = full("placements", refused);
    assert_eq!((none.taken.len(), none.context_ids.len()), (0, 0));

    let replacing = |number: u32| v1::Submission {
        dedup_reuse: v1::DedupReuse::Replace.into(),
        ..with_condition(0, number)
    };
    full("placements", caller.submit(vec![replacing(1_001)]).await);
    // Of what is sent at once the other partitions take theirs, and it is said which those are.
    let mixed: Vec<_> = (0..28_u16)
        .map(|at| with_condition(at % 4, 2_000 + u32::from(at)))
        .chain([replacing(3_000)])
        .collect();
    let refused = caller.submit(mixed.clone()).await;
    let words = refused.as_ref().unwrap_err().message().to_owned();
    assert!(
        words.ends_with("; 21 contexts of the request are written"),
        "{words}"
    );
    let some = full("placements of one partition", refused);
    let taken: Vec<u32> = (0..28).filter(|at| at % 4 > 0).collect();
    assert_eq!(some.taken, taken);
    assert_eq!(some.context_ids.len(), taken.len());
    for (at, id) in some.taken.iter().zip(&some.context_ids) {
        let find = v1::FindContextRequest {
            dedup_key: mixed.get(*at as usize).unwrap().dedup_key.clone(),
            ..v1::FindContextRequest::default()
        };
        let found = caller.rpc.find_context(find).await.unwrap().into_inner();
        assert_eq!(&found.id, id, "item {at}");
    }
    // One that replaces comes behind the others, which are written then.
    let last = vec![with_condition(1, 4_000), replacing(4_001)];
    let some = full("replacing", caller.submit(last).await);
    assert_eq!((some.taken, some.context_ids.len()), (vec![0], 1));
}

async fn queues(caller: &mut Caller) {
    let waiting = |number: u32| v1::Submission {
        handler: format!("h{number}"),
        dedup_key: format!("queue-{number}"),
        group: "crowd".to_owned(),
        ..submission(0)
    };
    let count = PartitionCount::new(4).unwrap();
    let here = |one: &v1::Submission| partition_of(&one.dedup_key, count).as_u16() == 2;
    let mut all = (0..).map(waiting).filter(here);
    for _ in 0..10 {
        let few: Vec<_> = all.by_ref().take(1_000).collect();
        caller.submit(few).await.unwrap();
    }
    let one = all.next().unwrap();
    full("queues", caller.submit(vec![one]).await);
}

async fn limits(caller: &mut Caller) {
    let limited = |group: String| v1::GroupLimits {
        group,
        all: Some(v1::Limit {
            concurrency: Some(5),
            ..v1::Limit::default()
        }),
        ..v1::GroupLimits::default()
    };
    for number in 0..1_000 {
        let set = caller.rpc.set_limits(limited(format!("g{number}"))).await;
        set.unwrap();
    }
    let refused = caller.rpc.set_limits(limited("one-more".to_owned())).await;
    full("limits of groups", refused);
    let again = caller.rpc.set_limits(limited("g7".to_owned())).await;
    assert!(again.is_ok(), "{again:?}");
}

async fn followers(caller: &mut Caller) {
    caller.apply(vec![job("up", api())]).await.unwrap();
    let follower = |number: u32| job(&format!("down{number}"), after("up"));
    caller
        .apply((0..100).map(follower).collect())
        .await
        .unwrap();
    full("followers", caller.apply(vec![follower(100)]).await);
    let found = caller.job("down100").await;
    assert_eq!(found.unwrap_err().code(), Code::NotFound, "it is written");
    caller.apply(vec![follower(7)]).await.unwrap();
}

#[tokio::test]
async fn what_is_full_is_exhausted_and_says_what_it_took() {
    let Some(mut caller) = caller().await else {
        return;
    };
    placements_of(&mut caller).await;
    queues(&mut caller).await;
    limits(&mut caller).await;
    followers(&mut caller).await;
}
