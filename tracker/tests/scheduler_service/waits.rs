//! Many callers that wait for ends cost Redis what one costs.

use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use tickwheel_proto::v1;
use tickwheel_proto::v1::scheduler_service_client::SchedulerServiceClient;
use tonic::Code;
use tonic::transport::Channel;

use crate::harness::{Caller, caller, submission};

async fn wait(
    mut rpc: SchedulerServiceClient<Channel>,
    id: String,
    timeout_ms: u64,
) -> Result<v1::Context, tonic::Status> {
    let request = v1::WaitContextRequest { id, timeout_ms };
    Ok(rpc.wait_context(request).await?.into_inner())
}

async fn far(caller: &mut Caller, count: usize) -> Vec<String> {
    let later = vec![submission(3_600_000); count];
    let submitted = caller.submit(later).await.unwrap();
    submitted.into_iter().map(|one| one.id).collect()
}

/// Connections that carry at most a hundred calls each.
async fn callers(caller: &Caller, calls: usize) -> Vec<SchedulerServiceClient<Channel>> {
    let mut callers = Vec::new();
    for _ in 0..calls.div_ceil(100) {
        callers.push(SchedulerServiceClient::connect(caller.url()).await.unwrap());
    }
    callers
}

#[tokio::test]
async fn a_thousand_callers_wait_beside_each_other_and_further_ones_are_told() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let ids = far(&mut caller, 20).await;
    let clients = callers(&caller, 1_100).await;
    let mut waits = FuturesUnordered::new();
    for number in 0..1_100 {
        let rpc = clients[number / 100].clone();
        waits.push(tokio::spawn(wait(rpc, ids[number % 20].clone(), 60_000)));
    }
    // Those that are too many are told at once, the others wait.
    let mut refused = 0;
    while refused < 100 {
        let answer = waits.next().await.unwrap().unwrap();
        let status = answer.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
        assert!(
            status.message().contains("wait at another one"),
            "{status:?}"
        );
        refused += 1;
    }
    // Each has read its context once; from then on few commands are run for all of them.
    let mut each_second = u64::MAX;
    for _ in 0..20 {
        let before = caller.commands().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        each_second = each_second.min(caller.commands().await - before);
        if each_second < 500 {
            break;
        }
    }
    assert!(each_second < 500, "{each_second} commands a second");
    eprintln!("1,000 callers wait: {each_second} commands a second");
    for id in &ids {
        let id = id.clone();
        caller
            .rpc
            .cancel_context(v1::ContextRef { id })
            .await
            .unwrap();
    }
    let mut ended = 0;
    while let Some(answer) = waits.next().await {
        let context = answer.unwrap().unwrap();
        assert_eq!(context.state(), v1::ContextState::Cancelled);
        ended += 1;
    }
    assert_eq!(ended, 1_000);
}

#[tokio::test]
async fn an_end_between_two_waits_is_not_missed() {
    let Some(mut caller) = caller().await else {
        return;
    };
    for _ in 0..20 {
        let ids = far(&mut caller, 4).await;
        let rpc = caller.rpc.clone();
        let waits = ids.iter().map(|id| wait(rpc.clone(), id.clone(), 10_000));
        let waits = futures::future::join_all(waits);
        let mut rpc = caller.rpc.clone();
        let cancels = async {
            for id in ids.clone() {
                rpc.cancel_context(v1::ContextRef { id }).await.unwrap();
            }
        };
        let began = tokio::time::Instant::now();
        let (ended, ()) = tokio::join!(waits, cancels);
        for context in ended {
            assert_eq!(context.unwrap().state(), v1::ContextState::Cancelled);
        }
        assert!(began.elapsed() < Duration::from_secs(5), "told in time");
    }
}
