//! Every method with every credential, by the descriptors of the protocol.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use prost::Message as _;
use tickwheel_proto::v1;
use tickwheel_proto::wire::schema::METHODS;

use crate::guarded::{Guarded, guarded, of_workers, scope, within, word};
use crate::harness::{api, job, submission};

/// What somebody is told of what is out of its reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beyond {
    /// As of something that does not exist.
    NotFound,
    /// It may not bring that.
    Denied,
    /// There is nothing of it in the answer.
    Nothing,
}

/// A method: its least role, what is told of what is out of reach, and a message about something of the namespace `a` and the group `g`; with
/// `false` about something that there is not.
struct Row {
    method: &'static str,
    least: v1::Role,
    beyond: Beyond,
    message: fn(&Things, bool) -> Vec<u8>,
}

/// What the messages are about.
struct Things {
    /// Contexts of `a` that wait, for one method each.
    contexts: Vec<String>,
}

impl Things {
    fn context(&self, at: usize, is_there: bool) -> String {
        match is_there {
            true => self.contexts.get(at).unwrap().clone(),
            false => format!("0.5.none-{at}@a/"),
        }
    }
}

fn name(method: &str, is_there: bool) -> String {
    match is_there {
        true => format!("a/{method}"),
        false => format!("a/none-{method}"),
    }
}

macro_rules! row {
    ($method:literal, $least:ident, $beyond:ident, $message:expr) => {
        Row {
            method: $method,
            least: v1::Role::$least,
            beyond: Beyond::$beyond,
            message: |things, is_there| {
                let make: fn(&Things, bool) -> _ = $message;
                make(things, is_there).encode_to_vec()
            },
        }
    };
}

fn spec(name: &str, group: &str) -> v1::JobSpec {
    v1::JobSpec {
        group: group.to_owned(),
        ..job(name, api())
    }
}

fn waiting(namespace: &str, group: &str) -> v1::Submission {
    v1::Submission {
        namespace: namespace.to_owned(),
        group: group.to_owned(),
        dedup_key: String::new(),
        ..submission(3_600_000)
    }
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn rows() -> Vec<Row> {
    vec![
        row!("ApplyJobs", Operator, Denied, |_, _| v1::ApplyJobsRequest {
            jobs: vec![spec("a/new", "g")],
            dry_run: false,
            ..v1::ApplyJobsRequest::default()
        }),
        row!("ListJobs", Viewer, Nothing, |_, _| v1::ListJobsRequest {
            prefix: "a/".to_owned(),
            ..Default::default()
        }),
        row!("GetJob", Viewer, NotFound, |_, there| v1::JobRef {
            name: name("GetJob", there),
        }),
        row!("PauseJob", Operator, NotFound, |_, there| {
            v1::PauseJobRequest {
                name: name("PauseJob", there),
                note: String::new(),
            }
        }),
        row!("ResumeJob", Operator, NotFound, |_, there| v1::JobRef {
            name: name("ResumeJob", there),
        }),
        row!("DeleteJob", Operator, NotFound, |_, there| {
            v1::DeleteJobRequest {
                name: name("DeleteJob", there),
                force: false,
                ..v1::DeleteJobRequest::default()
            }
        }),
        row!("RunJob", Submitter, NotFound, |_, there| {
            v1::RunJobRequest {
                name: name("RunJob", there),
                ..Default::default()
            }
        }),
        row!("PreviewJob", Viewer, NotFound, |_, there| {
            v1::PreviewJobRequest {
                name: name("PreviewJob", there),
                ..Default::default()
            }
        }),
        row!("GetLedger", Viewer, NotFound, |_, there| {
            v1::GetLedgerRequest {
                name: name("GetLedger", there),
                ..Default::default()
            }
        }),
        row!("GetJobStats", Viewer, NotFound, |_, there| {
            v1::GetJobStatsRequest {
                name: name("GetJobStats", there),
                ..Default::default()
            }
        }),
        row!("ExplainJob", Viewer, NotFound, |_, there| {
            v1::ExplainJobRequest {
                name: name("ExplainJob", there),
                at_ms: 5,
            }
        }),
        row!("Submit", Submitter, Denied, |_, _| v1::SubmitRequest {
            contexts: vec![waiting("a", "g")],
        }),
        row!("FindContext", Viewer, NotFound, |_, there| {
            v1::FindContextRequest {
                dedup_key: if there { "order-1" } else { "order-0" }.to_owned(),
                job: String::new(),
                namespace: "a".to_owned(),
            }
        }),
        row!("ListContexts", Viewer, Nothing, |_, _| {
            v1::ListContextsRequest::default()
        }),
        row!("GetContext", Viewer, NotFound, |things, there| {
            v1::ContextRef {
                id: things.context(0, there),
            }
        }),
        row!("ExplainContext", Viewer, NotFound, |things, there| {
            v1::ContextRef {
                id: things.context(0, there),
            }
        }),
        row!("GetLog", Viewer, Nothing, |things, there| {
            v1::GetLogRequest {
                context_id: things.context(1, there),
                cursor: String::new(),
            }
        }),
        row!("CancelContext", Operator, NotFound, |things, there| {
            v1::ContextRef {
                id: things.context(2, there),
            }
        }),
        row!("RetryContext", Operator, NotFound, |things, there| {
            v1::ContextRef {
                id: things.context(3, there),
            }
        }),
        row!("ListSubtasks", Viewer, NotFound, |things, there| {
            v1::ListSubtasksRequest {
                context_id: things.context(4, there),
                ..Default::default()
            }
        }),
        row!("ListDead", Viewer, Nothing, |_, _| {
            v1::ListDeadRequest::default()
        }),
        row!("RequeueDead", Operator, NotFound, |things, there| {
            v1::ChangeDeadRequest {
                ids: vec![things.context(5, there)],
                ..Default::default()
            }
        }),
        row!("PurgeDead", Admin, NotFound, |things, there| {
            v1::ChangeDeadRequest {
                ids: vec![things.context(6, there)],
                ..Default::default()
            }
        }),
        row!("WaitContext", Viewer, NotFound, |things, there| {
            v1::WaitContextRequest {
                id: things.context(7, there),
                timeout_ms: 1,
            }
        }),
        row!("ListWorkers", Viewer, Nothing, |_, _| {
            v1::ListWorkersRequest::default()
        }),
        row!("DrainWorker", Operator, NotFound, |_, there| {
            v1::WorkerRef {
                id: if there { "w-00000001" } else { "w-00000000" }.to_owned(),
            }
        }),
        row!("UndrainWorker", Operator, NotFound, |_, there| {
            v1::WorkerRef {
                id: if there { "w-00000001" } else { "w-00000000" }.to_owned(),
            }
        }),
        row!("GetCluster", Viewer, Nothing, |_, _| {
            v1::GetClusterRequest {}
        }),
        row!("GetOverview", Viewer, Nothing, |_, _| {
            v1::GetOverviewRequest {}
        }),
        row!("GetWheel", Viewer, Nothing, |_, _| {
            v1::GetWheelRequest::default()
        }),
        row!("ListUpcoming", Viewer, Nothing, |_, _| {
            v1::ListUpcomingRequest::default()
        }),
        row!("Subscribe", Viewer, NotFound, |things, there| {
            v1::SubscribeRequest {
                topics: vec![format!("log:{}", things.context(0, there))],
                ..Default::default()
            }
        }),
        row!("SetLimits", Admin, Denied, |_, _| v1::GroupLimits {
            group: "g".to_owned(),
            ..Default::default()
        }),
        row!("ListLimits", Viewer, Nothing, |_, _| {
            v1::ListLimitsRequest {}
        }),
        row!("ListGroups", Viewer, Nothing, |_, _| {
            v1::ListGroupsRequest {}
        }),
        row!("PauseGroup", Operator, Denied, |_, _| {
            v1::PauseGroupRequest {
                name: "g".to_owned(),
                note: String::new(),
            }
        }),
        row!("ResumeGroup", Operator, Denied, |_, _| v1::GroupRef {
            name: "g".to_owned(),
        }),
        row!("MakeLoginLink", Viewer, Nothing, |_, _| {
            v1::MakeLoginLinkRequest {}
        }),
        row!("MakeToken", Admin, Denied, |_, _| v1::MakeTokenRequest {
            scope: Some(within(v1::Role::Viewer, "a", "g")),
            ..Default::default()
        }),
        row!("RotateToken", Admin, NotFound, |things, there| {
            v1::RotateTokenRequest {
                id: if there {
                    things.contexts.get(8).unwrap()
                } else {
                    "none2345"
                }
                .to_owned(),
                grace_ms: None,
            }
        }),
        row!("RevokeToken", Admin, NotFound, |things, there| {
            v1::RevokeTokenRequest {
                id: if there {
                    things.contexts.get(9).unwrap()
                } else {
                    "none2345"
                }
                .to_owned(),
            }
        }),
        row!("ListTokens", Admin, Nothing, |_, _| {
            v1::ListTokensRequest::default()
        }),
        row!("ListAudit", Admin, Denied, |_, _| {
            v1::ListAuditRequest::default()
        }),
    ]
}

/// One of each, and two tokens that change.
async fn things(guarded: &Guarded) -> Things {
    let mut admin = guarded.api(&guarded.admin);
    let jobs = [
        "GetJob",
        "PauseJob",
        "ResumeJob",
        "DeleteJob",
        "RunJob",
        "PreviewJob",
        "GetLedger",
        "GetJobStats",
        "ExplainJob",
    ];
    let jobs = jobs.map(|method| spec(&name(method, true), "g")).to_vec();
    let request = v1::ApplyJobsRequest {
        jobs,
        dry_run: false,
        ..v1::ApplyJobsRequest::default()
    };
    admin.apply_jobs(request).await.unwrap();
    let mut contexts = vec![waiting("a", "g"); 9];
    contexts.last_mut().unwrap().dedup_key = "order-1".to_owned();
    let submitted = admin.submit(v1::SubmitRequest { contexts }).await;
    let submitted = submitted.unwrap().into_inner().contexts;
    let mut contexts: Vec<String> = submitted.into_iter().map(|one| one.id).take(8).collect();
    for _ in 0..2 {
        let token = guarded.make(within(v1::Role::Viewer, "a", "g")).await;
        contexts.push(crate::guarded::id_of(&token));
    }
    Things { contexts }
}

/// A role that may do a little less.
fn below(least: v1::Role) -> v1::Scope {
    match least {
        v1::Role::Admin => scope(v1::Role::Operator),
        v1::Role::Operator => scope(v1::Role::Submitter),
        v1::Role::Submitter => scope(v1::Role::Viewer),
        v1::Role::Viewer | v1::Role::Worker | v1::Role::Unspecified => of_workers("g"),
    }
}

/// Calls that are made at once: no more than forty tokens that are not known wait to be looked up for one address.
const AT_ONCE: usize = 20;

/// Calls all methods with a token, and has each answer judged.
async fn all(guarded: &Guarded, things: &Things, shown: &[&[u8]], expected: &str) {
    let rows = rows();
    for rows in rows.chunks(AT_ONCE) {
        let calls = rows
            .iter()
            .map(|row| guarded.call(row.method, (row.message)(things, true), shown));
        for (row, answer) in rows.iter().zip(join_all(calls).await) {
            let status = answer.expect_err(row.method);
            assert_eq!(word(&status), expected, "{}: {status:?}", row.method);
        }
    }
}

#[test]
fn the_table_has_every_method() {
    let rows: BTreeSet<&str> = rows().iter().map(|row| row.method).collect();
    let methods = METHODS.iter().filter(|method| !method.streams);
    let methods: BTreeSet<&str> = methods.map(|method| method.name).collect();
    assert_eq!(rows, methods);
}

#[tokio::test]
async fn who_shows_nothing_or_what_is_no_token_is_told_so_by_every_method() {
    let Some(guarded) = guarded().await else {
        return;
    };
    let things = things(&guarded).await;
    let short = guarded
        .try_make(&guarded.admin, scope(v1::Role::Admin), Some(1_000))
        .await
        .unwrap();
    let revoked = guarded.make(scope(v1::Role::Admin)).await;
    guarded.revoke(&revoked).await;
    let wrong_secret = {
        let (start, _) = guarded.admin.rsplit_once('_').map_or(("", ""), |it| it);
        let id = crate::guarded::id_of(&guarded.admin);
        assert!(start.contains(&id));
        format!("tw_{id}_{}", "A".repeat(43))
    };
    all(&guarded, &things, &[], "UNAUTHENTICATED").await;
    for shown in [
        "Bearer garbage".to_owned(),
        format!("Bearer {wrong_secret}"),
        format!("Bearer {revoked}"),
    ] {
        all(&guarded, &things, &[shown.as_bytes()], "UNAUTHENTICATED").await;
    }
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let shown = format!("Bearer {short}");
    all(&guarded, &things, &[shown.as_bytes()], "UNAUTHENTICATED").await;
}

#[tokio::test]
async fn who_has_a_lesser_role_is_refused_by_every_method() {
    let Some(guarded) = guarded().await else {
        return;
    };
    let things = things(&guarded).await;
    for row in rows() {
        let lesser = guarded.make(below(row.least)).await;
        let message = (row.message)(&things, true);
        let refused = guarded.call_as(&lesser, row.method, message).await;
        let status = refused.expect_err(row.method);
        assert_eq!(word(&status), "PERMISSION_DENIED", "{}", row.method);
        let detail = v1::ErrorDetail::decode(status.details()).unwrap();
        assert_eq!(detail.violations[0].field, "role", "{}", row.method);
    }
}

#[tokio::test]
async fn what_is_out_of_reach_is_as_if_it_were_not_there_for_every_method() {
    let Some(guarded) = guarded().await else {
        return;
    };
    let things = things(&guarded).await;
    for beyond in [("b", "*"), ("a", "h")] {
        // A group belongs to no namespace.
        let of_groups = ["SetLimits", "PauseGroup", "ResumeGroup"];
        for row in rows() {
            let about = format!("{} of {beyond:?}", row.method);
            let elsewhere = guarded.make(within(row.least, beyond.0, beyond.1)).await;
            let (there, none) = ((row.message)(&things, true), (row.message)(&things, false));
            let answer = guarded.call_as(&elsewhere, row.method, there).await;
            match row.beyond {
                Beyond::NotFound => {
                    let status = answer.expect_err(&about);
                    assert_eq!(word(&status), "NOT_FOUND", "{about}: {status:?}");
                    // Who sees everything is told the same of what does not exist.
                    let admin = guarded.call_as(&guarded.admin, row.method, none).await;
                    let nothing = admin.expect_err(&about);
                    let without = |text: &str| text.split('`').next().unwrap().to_owned();
                    assert_eq!(
                        without(status.message()),
                        without(nothing.message()),
                        "{about}"
                    );
                }
                Beyond::Denied if of_groups.contains(&row.method) && beyond.1 == "*" => {
                    drop(answer.expect(&about));
                }
                Beyond::Denied => {
                    let status = answer.expect_err(&about);
                    assert_eq!(word(&status), "PERMISSION_DENIED", "{about}: {status:?}");
                }
                Beyond::Nothing => {
                    let answer = String::from_utf8_lossy(&answer.expect(&about)).into_owned();
                    assert!(!answer.contains("a/"), "{about}: {answer:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn who_may_is_let_in_by_every_method() {
    let Some(guarded) = guarded().await else {
        return;
    };
    let things = things(&guarded).await;
    // A stream that is let in has no one answer: streams.rs has it.
    let answered = rows().into_iter().filter(|row| row.method != "Subscribe");
    for row in answered {
        let mut reach = within(row.least, "a", "g");
        if row.method == "ListAudit" {
            reach = scope(v1::Role::Admin);
        }
        let right = guarded.make(reach).await;
        let answer = guarded
            .call_as(&right, row.method, (row.message)(&things, true))
            .await;
        let Err(status) = answer else { continue };
        let word = word(&status);
        let known = match row.method {
            // It runs on; it is not split.
            "RetryContext" => word == "CONFLICT",
            "ListSubtasks" => word == "NOT_FOUND",
            // No worker has come: tests/scheduler_service/drains.rs has one.
            "DrainWorker" | "UndrainWorker" => word == "NOT_FOUND",
            _ => false,
        };
        assert!(known, "{}: {status:?}", row.method);
    }
}
