//! As `same.rs`: what is asked about groups and the cluster.
#![expect(
    clippy::too_many_lines,
    clippy::wildcard_enum_match_arm,
    reason = "one arm for each operation; what one function does not know is asked of the next, and nobody's is a failure"
)]

use tickwheel_api::answers::{
    Cluster, Group, GroupList, Limits, LimitsList, Overview, UpcomingPage, Wheel,
};
use tickwheel_api::routes::Operation;
use tickwheel_proto::v1;

use super::client::Http;
use super::same_workers::about_workers;
use super::twins::{Said, by_grpc, by_http, refused};
use crate::harness::Caller;

pub(super) async fn about_groups(
    operation: Operation,
    caller: &mut Caller,
    http: Http,
) -> Option<[Said; 2]> {
    let rpc = &mut caller.rpc;
    let limits = |concurrency| v1::GroupLimits {
        group: "grpc/group".to_owned(),
        all: concurrency,
        ..v1::GroupLimits::default()
    };
    Some(match operation {
        Operation::GetCluster => {
            let reply = http.get("/cluster").await;
            assert!(
                reply
                    .header("tickwheel-time")
                    .unwrap()
                    .parse::<u64>()
                    .unwrap()
                    > 0
            );
            [
                by_http(&reply),
                by_grpc::<_, Cluster>(rpc.get_cluster(v1::GetClusterRequest {}).await),
            ]
        }
        Operation::GetOverview => {
            let reply = http.get("/overview").await;
            assert!(reply.header("tickwheel-time").is_some());
            [
                by_http(&reply),
                by_grpc::<_, Overview>(rpc.get_overview(v1::GetOverviewRequest {}).await),
            ]
        }
        Operation::GetWheel => {
            let reply = http.get("/wheel?width=1m&buckets=7").await;
            assert!(reply.header("tickwheel-time").is_some());
            let request = v1::GetWheelRequest {
                width_ms: 60_000,
                buckets: 7,
            };
            [
                by_http(&reply),
                by_grpc::<_, Wheel>(rpc.get_wheel(request).await),
            ]
        }
        Operation::ListUpcoming => {
            let reply = http.get("/upcoming?kind=job&kind=run&page_size=3").await;
            let kinds = [v1::UpcomingKind::Job, v1::UpcomingKind::Run];
            let request = v1::ListUpcomingRequest {
                kinds: kinds.map(i32::from).to_vec(),
                page_size: 3,
                ..v1::ListUpcomingRequest::default()
            };
            [
                by_http(&reply),
                by_grpc::<_, UpcomingPage>(rpc.list_upcoming(request).await),
            ]
        }
        Operation::Subscribe => {
            // Of a stream there is no one answer: what is not there is told alike.
            let reply = http.get("/stream?topic=log%3A0.5.none").await;
            let request = v1::SubscribeRequest {
                topics: vec!["log:0.5.none".to_owned()],
                ..v1::SubscribeRequest::default()
            };
            let wrong = rpc.subscribe(request).await.unwrap_err();
            [by_http(&reply), Err(refused(&wrong))]
        }
        Operation::ListLimits => {
            let reply = http.get("/limits").await;
            [
                by_http(&reply),
                by_grpc::<_, LimitsList>(rpc.list_limits(v1::ListLimitsRequest {}).await),
            ]
        }
        Operation::SetLimits => {
            let body = br#"{"concurrency": 3}"#;
            let reply = http
                .ask("PUT", "/groups/http:group/limits", &[], body)
                .await;
            let three = v1::Limit {
                concurrency: Some(3),
                rate: None,
            };
            [
                by_http(&reply),
                by_grpc::<_, Limits>(rpc.set_limits(limits(Some(three))).await),
            ]
        }
        Operation::RemoveLimits => {
            let reply = http
                .ask("DELETE", "/groups/http:group/limits", &[], b"")
                .await;
            [
                by_http(&reply),
                by_grpc::<_, Limits>(rpc.set_limits(limits(None)).await),
            ]
        }
        Operation::ListGroups => {
            let reply = http.get("/groups").await;
            [
                by_http(&reply),
                by_grpc::<_, GroupList>(rpc.list_groups(v1::ListGroupsRequest {}).await),
            ]
        }
        Operation::PauseGroup => {
            let body = br#"{"note": "the bank is down"}"#;
            let reply = http
                .ask("POST", "/groups/http:group:pause", &[], body)
                .await;
            let request = v1::PauseGroupRequest {
                name: "grpc/group".to_owned(),
                note: "the bank is down".to_owned(),
            };
            [
                by_http(&reply),
                by_grpc::<_, Group>(rpc.pause_group(request).await),
            ]
        }
        Operation::ResumeGroup => {
            let reply = http
                .ask("POST", "/groups/http:group:resume", &[], b"")
                .await;
            let request = v1::GroupRef {
                name: "grpc/group".to_owned(),
            };
            [
                by_http(&reply),
                by_grpc::<_, Group>(rpc.resume_group(request).await),
            ]
        }
        _ => return about_workers(operation, caller, http).await,
    })
}
