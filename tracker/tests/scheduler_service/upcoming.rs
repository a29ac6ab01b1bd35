//! What comes next: what is listed, and for whom.

use tickwheel_proto::v1;

use crate::guarded::{guarded, scope, within};
use crate::harness::{caller, every, job, submission};

const HOUR: u64 = 3_600_000;

fn in_namespace(namespace: &str, group: &str, delay_ms: u64) -> v1::Submission {
    v1::Submission {
        namespace: namespace.to_owned(),
        group: group.to_owned(),
        ..submission(delay_ms)
    }
}

#[tokio::test]
async fn firings_and_runs_come_in_one_list_page_by_page() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let specs = ["orders/a", "orders/b", "other/c"].map(|name| job(name, every(2 * HOUR)));
    let request = v1::ApplyJobsRequest {
        jobs: specs.to_vec(),
        dry_run: false,
        ..v1::ApplyJobsRequest::default()
    };
    caller.rpc.apply_jobs(request).await.unwrap();
    caller
        .submit(vec![submission(HOUR), submission(3 * HOUR)])
        .await
        .unwrap();
    let mut request = v1::ListUpcomingRequest {
        page_size: 2,
        ..v1::ListUpcomingRequest::default()
    };
    let mut items = Vec::new();
    loop {
        let page = caller
            .rpc
            .list_upcoming(request.clone())
            .await
            .unwrap()
            .into_inner();
        assert!(page.items.len() <= 2 && page.unreadable == 0);
        assert!(page.looked.unwrap().of >= 5);
        items.extend(page.items);
        request.cursor = page.next_cursor;
        if request.cursor.is_empty() {
            break;
        }
    }
    assert!(items.is_sorted_by_key(|one| one.at_ms));
    let told = |kind: v1::UpcomingKind| items.iter().filter(move |one| one.kind() == kind);
    let mut jobs: Vec<&str> = told(v1::UpcomingKind::Job)
        .map(|one| one.job.as_str())
        .collect();
    jobs.sort_unstable();
    assert_eq!(jobs, ["orders/a", "orders/b", "other/c"]);
    assert!(
        told(v1::UpcomingKind::Job).all(|one| one.handler == "close" && one.due_ms == one.at_ms)
    );
    let runs: Vec<_> = told(v1::UpcomingKind::Run).collect();
    assert_eq!((runs.len(), items.len()), (2, 5));
    assert!(
        runs.iter()
            .all(|one| one.handler == "mail" && !one.context_id.is_empty())
    );
    let request = v1::ListUpcomingRequest {
        prefix: "orders/".to_owned(),
        kinds: vec![v1::UpcomingKind::Job.into()],
        ..v1::ListUpcomingRequest::default()
    };
    let orders = caller
        .rpc
        .list_upcoming(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(orders.items.len(), 2);
}

#[tokio::test]
async fn who_sees_a_part_is_shown_that_part_and_no_count_of_the_rest() {
    let Some(guarded) = guarded().await else {
        return;
    };
    let mut admin = guarded.api(&guarded.admin);
    let contexts = vec![
        in_namespace("eu", "g", HOUR),
        in_namespace("eu", "h", HOUR),
        in_namespace("us", "g", HOUR),
        in_namespace("us", "g", 2 * HOUR),
    ];
    admin.submit(v1::SubmitRequest { contexts }).await.unwrap();
    let firing = v1::JobSpec {
        group: "h".to_owned(),
        ..job("eu/hidden", every(HOUR))
    };
    let request = v1::ApplyJobsRequest {
        jobs: vec![firing],
        dry_run: false,
        ..v1::ApplyJobsRequest::default()
    };
    admin.apply_jobs(request).await.unwrap();
    let shown = async |token: &str| {
        let request = v1::ListUpcomingRequest::default();
        let answer = guarded.api(token).list_upcoming(request).await;
        answer.unwrap().into_inner()
    };
    let all = shown(&guarded.make(scope(v1::Role::Viewer)).await).await;
    assert_eq!(all.items.len(), 5);
    let part = shown(&guarded.make(within(v1::Role::Viewer, "eu", "g")).await).await;
    let [only] = part.items.as_slice() else {
        panic!("{part:?}");
    };
    assert!(
        only.context_id.ends_with("@eu/") && only.group == "g",
        "{only:?}"
    );
    let looked = part.looked.unwrap();
    assert_eq!(looked.of, looked.entries);
    assert_eq!(part.next_cursor, "");
}
