//! Tokens at work: what they reach, and what is written down.

use bytes::Bytes;
use prost::Message as _;
use tickwheel_proto::v1;
use tonic::Request;

use crate::guarded::{guarded, id_of, of_workers, scope, within, word};
use crate::harness::{api, job, named, submission};

fn spec(name: &str) -> v1::JobSpec {
    job(name, api())
}

fn applying(names: &[&str]) -> v1::ApplyJobsRequest {
    v1::ApplyJobsRequest {
        jobs: names.iter().map(|name| spec(name)).collect(),
        dry_run: false,
        ..v1::ApplyJobsRequest::default()
    }
}

fn of(namespace: &str, delay_ms: u64) -> v1::Submission {
    v1::Submission {
        namespace: namespace.to_owned(),
        ..submission(delay_ms)
    }
}

#[tokio::test]
async fn a_batch_with_one_foreign_item_is_refused_whole_and_written_down() {
    let Some(guarded) = guarded().await else {
        return;
    };
    let token = guarded.make(within(v1::Role::Operator, "a", "*")).await;
    let mut mine = guarded.api(&token);
    let mut contexts = vec![of("a", 3_600_000); 20];
    contexts[7] = of("b", 3_600_000);
    contexts[9] = of("", 3_600_000);
    let mut request = Request::new(v1::SubmitRequest { contexts });
    request
        .metadata_mut()
        .insert("tickwheel-request-id", "batch-1".parse().unwrap());
    let refused = mine.submit(request).await.unwrap_err();
    assert_eq!(word(&refused), "PERMISSION_DENIED");
    let detail = v1::ErrorDetail::decode(refused.details()).unwrap();
    let fields: Vec<&str> = detail
        .violations
        .iter()
        .map(|one| one.field.as_str())
        .collect();
    assert_eq!(fields, ["contexts[7].namespace", "contexts[9].namespace"]);
    let jobs = applying(&["a/one", "b/two", "three"]);
    let refused = mine.apply_jobs(jobs).await.unwrap_err();
    assert_eq!(word(&refused), "PERMISSION_DENIED");
    let mut admin = guarded.api(&guarded.admin);
    let all = admin
        .list_contexts(v1::ListContextsRequest::default())
        .await;
    assert!(all.unwrap().into_inner().contexts.is_empty());
    let all = admin.list_jobs(v1::ListJobsRequest::default()).await;
    assert!(all.unwrap().into_inner().jobs.is_empty());

    let there = of("b", 3_600_000);
    let submitted = admin
        .submit(v1::SubmitRequest {
            contexts: vec![there],
        })
        .await;
    let foreign = submitted.unwrap().into_inner().contexts[0].id.clone();
    let request = v1::ChangeDeadRequest {
        ids: vec!["0.5.mine@a/".to_owned(), foreign],
        ..Default::default()
    };
    let refused = mine.requeue_dead(request).await.unwrap_err();
    assert_eq!(word(&refused), "NOT_FOUND");

    let id = id_of(&token);
    let of_token = |events: &[v1::AuditEvent]| {
        let mine = events.iter().filter(|event| event.token_id == id);
        mine.cloned().collect::<Vec<_>>()
    };
    let events = guarded.audit(|events| of_token(events).len() == 3).await;
    for event in of_token(&events) {
        let (objects, result) = match event.method.as_str() {
            "Submit" => {
                assert_eq!(event.request_id, "batch-1");
                (16, "PERMISSION_DENIED")
            }
            "ApplyJobs" => (3, "PERMISSION_DENIED"),
            "RequeueDead" => (2, "NOT_FOUND"),
            other => panic!("{other}"),
        };
        assert_eq!(
            (event.objects.len(), event.result.as_str()),
            (objects, result)
        );
        assert_eq!(
            (event.role.as_str(), event.peer.as_str()),
            ("operator", "127.0.0.1")
        );
        assert!(event.count == 1 && event.time_ms > 0 && !event.request_id.is_empty());
    }
}

#[tokio::test]
async fn what_administrators_do_is_written_down_before_they_are_told() {
    let Some(guarded) = guarded().await else {
        return;
    };
    let mut admin = guarded.api(&guarded.admin);
    admin.apply_jobs(applying(&["a/one"])).await.unwrap();
    let dry = v1::ApplyJobsRequest {
        dry_run: true,
        ..applying(&["a/one"])
    };
    admin.apply_jobs(dry).await.unwrap();
    admin.get_job(named("a/one")).await.unwrap();
    admin.resume_job(named("a/none")).await.unwrap_err();
    let body = Bytes::from_static(b"a body that is nobody's business");
    let run = v1::RunJobRequest {
        name: "a/one".to_owned(),
        body: Some(body),
        ..Default::default()
    };
    admin.run_job(run).await.unwrap();
    let events = guarded.audit(|_| true).await;
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            (
                event.method.as_str(),
                event.objects.join(" "),
                event.result.as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("ResumeJob", "job a/none".to_owned(), "NOT_FOUND"),
            ("ApplyJobs", "job a/one".to_owned(), "OK"),
        ]
    );
}

#[tokio::test]
async fn lists_have_what_is_in_reach() {
    let Some(guarded) = guarded().await else {
        return;
    };
    let mut admin = guarded.api(&guarded.admin);
    let names: Vec<String> = (0..30)
        .flat_map(|n| ["a", "ab", "team-x", "z"].map(|space| format!("{space}/{n:02}")))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    admin.apply_jobs(applying(&names)).await.unwrap();
    let contexts = ["a", "b", "ab"]
        .map(|space| vec![of(space, 3_600_000); 5])
        .concat();
    admin.submit(v1::SubmitRequest { contexts }).await.unwrap();
    let reach = v1::Scope {
        namespaces: vec!["a".to_owned(), "team-*".to_owned()],
        ..scope(v1::Role::Viewer)
    };
    let mut mine = guarded.api(&guarded.make(reach).await);
    for (prefix, expected) in [
        ("", 60),
        ("a", 30),
        ("a/1", 10),
        ("team-x/", 30),
        ("ab/", 0),
        ("z", 0),
    ] {
        let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let request = v1::ListJobsRequest {
                prefix: prefix.to_owned(),
                page_size: 7,
                cursor,
                labels: Vec::new(),
            };
            let page = mine.list_jobs(request).await.unwrap().into_inner();
            pages += 1;
            let full = page.jobs.len() == 7;
            seen.extend(page.jobs.into_iter().map(|job| job.spec.unwrap().name));
            cursor = page.next_cursor;
            if cursor.is_empty() {
                break;
            }
            assert!(full, "a page is cut behind what is in reach");
            assert!(
                cursor.starts_with("a/") || cursor.starts_with("team-"),
                "{cursor}"
            );
        }
        assert_eq!(seen.len(), expected, "{prefix}: {seen:?} in {pages}");
        assert!(seen.is_sorted(), "{seen:?}");
        assert!(
            seen.iter()
                .all(|name| name.starts_with("a/") || name.starts_with("team-"))
        );
    }
    let contexts = mine.list_contexts(v1::ListContextsRequest::default()).await;
    let contexts = contexts.unwrap().into_inner().contexts;
    assert_eq!(contexts.len(), 5);
    assert!(contexts.iter().all(|context| context.id.ends_with("@a/")));
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn payload_is_for_those_who_may_see_it() {
    let Some(guarded) = guarded().await else {
        return;
    };
    const CANARY: &str = "canary-of-a-customer";
    let mut admin = guarded.api(&guarded.admin);
    let with_body = v1::JobSpec {
        body: CANARY.into(),
        ..spec("a/one")
    };
    let request = v1::ApplyJobsRequest {
        jobs: vec![with_body],
        dry_run: false,
        ..v1::ApplyJobsRequest::default()
    };
    admin.apply_jobs(request).await.unwrap();
    let context = v1::Submission {
        body: CANARY.into(),
        ..of("a", 3_600_000)
    };
    let submitted = admin
        .submit(v1::SubmitRequest {
            contexts: vec![context],
        })
        .await;
    let id = submitted.unwrap().into_inner().contexts[0].id.clone();
    let plain = guarded.make(within(v1::Role::Operator, "a", "*")).await;
    let seeing = guarded
        .make(v1::Scope {
            permissions: vec!["read_payload".to_owned()],
            ..within(v1::Role::Operator, "a", "*")
        })
        .await;
    let reference = v1::ContextRef { id: id.clone() }.encode_to_vec();
    let wait = v1::WaitContextRequest { id, timeout_ms: 1 }.encode_to_vec();
    for (method, message) in [
        ("GetJob", named("a/one").encode_to_vec()),
        ("ListJobs", Vec::new()),
        (
            "PauseJob",
            v1::PauseJobRequest {
                name: "a/one".to_owned(),
                note: String::new(),
            }
            .encode_to_vec(),
        ),
        ("GetContext", reference.clone()),
        ("ListContexts", Vec::new()),
        ("WaitContext", wait),
        ("CancelContext", reference),
    ] {
        for (token, sees) in [(&plain, false), (&seeing, true)] {
            let answer = guarded.call_as(token, method, message.clone()).await;
            if method == "CancelContext" && sees {
                // It is cancelled already.
                continue;
            }
            let answer = String::from_utf8_lossy(&answer.unwrap()).into_owned();
            assert_eq!(answer.contains(CANARY), sees, "{method}: {answer}");
        }
    }
    let probe = v1::ListDeadRequest {
        filter: Some(v1::DeadFilter {
            error: "c".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let refused = guarded
        .call_as(&plain, "ListDead", probe.encode_to_vec())
        .await;
    assert_eq!(word(&refused.unwrap_err()), "PERMISSION_DENIED");
    guarded
        .call_as(&seeing, "ListDead", probe.encode_to_vec())
        .await
        .unwrap();
    let body = v1::RunJobRequest {
        name: "a/one".to_owned(),
        body: Some(Bytes::from_static(b"another")),
        ..Default::default()
    };
    let refused = guarded
        .call_as(&seeing, "RunJob", body.encode_to_vec())
        .await;
    assert_eq!(word(&refused.unwrap_err()), "PERMISSION_DENIED");
}

#[tokio::test]
async fn nobody_gives_more_than_it_has() {
    let Some(guarded) = guarded().await else {
        return;
    };
    let own = guarded
        .try_make(
            &guarded.admin,
            within(v1::Role::Admin, "a", "*"),
            Some(3_600_000),
        )
        .await
        .unwrap();
    let hour = Some(1_800_000);
    for (wanted, valid) in [
        (scope(v1::Role::Viewer), hour),
        (within(v1::Role::Viewer, "b", "*"), hour),
        (within(v1::Role::Viewer, "a*", "*"), hour),
        (within(v1::Role::Viewer, "a", "*"), None),
        (within(v1::Role::Viewer, "a", "*"), Some(7_200_000)),
        (
            v1::Scope {
                permissions: vec!["read_payload".to_owned()],
                ..within(v1::Role::Viewer, "a", "*")
            },
            hour,
        ),
    ] {
        let refused = guarded.try_make(&own, wanted.clone(), valid).await;
        let Err(status) = refused else {
            panic!("{wanted:?}")
        };
        assert_eq!(word(&status), "PERMISSION_DENIED", "{wanted:?}");
    }
    let lesser = within(v1::Role::Operator, "a", "g");
    let child = guarded.try_make(&own, lesser, hour).await.unwrap();
    guarded.try_make(&own, of_workers("g"), hour).await.unwrap();
    let mut mine = guarded.api(&own);
    let listed = mine.list_tokens(v1::ListTokensRequest::default()).await;
    let listed = listed.unwrap().into_inner().tokens;
    let admin_id = id_of(&guarded.admin);
    assert!(
        listed.len() == 3 && listed.iter().all(|token| token.id != admin_id),
        "{listed:?}"
    );
    for id in [admin_id, "none2345".to_owned()] {
        let request = v1::RotateTokenRequest {
            id: id.clone(),
            grace_ms: Some(0),
        };
        let refused = mine.rotate_token(request).await.unwrap_err();
        assert_eq!(refused.message(), format!("token `{id}` does not exist"));
        let refused = mine.revoke_token(v1::RevokeTokenRequest { id }).await;
        assert_eq!(word(&refused.unwrap_err()), "NOT_FOUND");
    }
    let revoked = mine.revoke_token(v1::RevokeTokenRequest { id: id_of(&child) });
    revoked.await.unwrap();
    let audit = mine.list_audit(v1::ListAuditRequest::default()).await;
    assert_eq!(word(&audit.unwrap_err()), "PERMISSION_DENIED");
}
