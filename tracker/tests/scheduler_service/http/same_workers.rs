//! What is asked about workers, over HTTP and over gRPC.

use std::time::Duration;

use tickwheel_api::answers::{Worker as Answer, WorkerList};
use tickwheel_api::routes::Operation;
use tickwheel_proto::v1;

use super::client::Http;
use super::twins::{Said, by_grpc, by_http};
use crate::harness::Caller;
use crate::workers::{Worker, hello};

const ID: &str = "twin-00000001";

/// A worker that is listed, as long as this is kept.
async fn listed(caller: &mut Caller) -> Worker {
    let worker = Worker::connect(caller, hello("twin")).await.unwrap();
    loop {
        worker.heartbeat(v1::Report::default(), &[]).await;
        let all = v1::ListWorkersRequest::default();
        let all = caller.rpc.list_workers(all).await.unwrap().into_inner();
        if all.workers.iter().any(|worker| worker.id == ID) {
            return worker;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what it does not know is asked of others, and nobody's is a failure"
)]
pub(super) async fn about_workers(
    operation: Operation,
    caller: &mut Caller,
    http: Http,
) -> Option<[Said; 2]> {
    let twin = || v1::WorkerRef { id: ID.to_owned() };
    Some(match operation {
        Operation::ListWorkers => {
            let reply = http.get("/workers?group=default").await;
            let request = v1::ListWorkersRequest {
                group: "default".to_owned(),
            };
            let answer = caller.rpc.list_workers(request).await;
            [by_http(&reply), by_grpc::<_, WorkerList>(answer)]
        }
        Operation::DrainWorker => {
            let _worker = listed(caller).await;
            let reply = http.post(&format!("/workers/{ID}:drain"), "").await;
            let answer = caller.rpc.drain_worker(twin()).await;
            assert_eq!(reply.status, 200);
            [by_http(&reply), by_grpc::<_, Answer>(answer)]
        }
        Operation::UndrainWorker => {
            let _worker = listed(caller).await;
            let reply = http.post(&format!("/workers/{ID}:undrain"), "").await;
            let answer = caller.rpc.undrain_worker(twin()).await;
            assert_eq!(reply.status, 200);
            [by_http(&reply), by_grpc::<_, Answer>(answer)]
        }
        _ => return None,
    })
}
