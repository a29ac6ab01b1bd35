//! What a worker and a tracker agree on when they meet, and that each report has an answer.

use tickwheel_proto::v1;
use tickwheel_proto::v1::confirmation::Verdict;
use tickwheel_proto::v1::settlement::Outcome;
use tickwheel_proto::v1::subtask::Kind;
use tickwheel_proto::v1::{Hello, Settlement, Split, WorkerMessage};
use tonic::Code;

use crate::harness::{caller, on_its_own, refused, serving, submission};
use crate::workers::{Worker, hello, settlement};

#[tokio::test]
async fn a_worker_is_told_what_is_spoken_and_every_limit() {
    let Some(caller) = caller().await else { return };
    for (name, protocol, least) in [("old", 0, 0), ("now", 1, 1), ("later", 7, 1)] {
        let hello = Hello {
            protocol,
            protocol_least: least,
            capabilities: vec!["log".to_owned(), "of_a_later_one".to_owned()],
            ..hello(name)
        };
        let told = Worker::connect(&caller, hello).await.unwrap().welcome;
        assert_eq!(told.protocol, 1, "{name}");
        assert!(told.capabilities.iter().any(|one| one == "results"));
        assert_eq!(told.version, env!("CARGO_PKG_VERSION"));
        let limits = (
            told.frame_bytes_max,
            told.frame_items_max,
            told.frame_questions_max,
            told.hello_running_max,
        );
        assert_eq!(limits, (1_572_864, 4_096, 64, 20_000));
        let times = (
            told.frame_pause_us,
            told.renew_lease_ms,
            told.ping_ms,
            told.drain_deadline_ms,
        );
        assert_eq!(times, (200, 10_000, 3_000, 10_000));
    }
}

#[tokio::test]
async fn a_worker_of_another_protocol_is_told_to_upgrade_and_nothing_else() {
    let Some(caller) = caller().await else { return };
    // Its other fields may mean anything.
    let later = Hello {
        protocol: 3,
        protocol_least: 2,
        permits: 0,
        ..hello("w")
    };
    let status = Worker::connect(&caller, later).await.err().unwrap();
    assert!(
        tickwheel_proto::wire::refusal::is_upgrade_required(&status),
        "{status:?}"
    );
    let violations = refused::<()>(Err(status), Code::FailedPrecondition);
    let told = (
        violations[0].field.as_str(),
        violations[0].rule.as_str(),
        violations[0].given.as_str(),
    );
    let rule = "is 1 on this tracker: upgrade the tracker";
    assert_eq!(told, ("hello.protocol", rule, "2 to 3"));

    let wordy = Hello {
        capabilities: vec!["Big Words".to_owned()],
        ..hello("w")
    };
    let status = Worker::connect(&caller, wordy).await.err().unwrap();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(
        status.message().starts_with("hello.capabilities[0]"),
        "{status:?}"
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_by_the_id_it_came_with_and_says_why() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let mut worker = Worker::connect(&caller, hello("w")).await.unwrap();
    caller.submit(vec![submission(0)]).await.unwrap();
    let given = worker.assignment().await;
    let unknown = Settlement {
        outcome: 42,
        ..settlement(&given.context_id, given.attempt, Outcome::Succeeded)
    };
    let nonsense = settlement("no id", 7, Outcome::Succeeded);
    let foreign = settlement("900.1000000.x-1", 1, Outcome::Succeeded);
    let reports = vec![unknown.clone(), nonsense, foreign];
    assert_eq!(worker.verdicts(reports).await, [Verdict::Refused; 3]);
    let told: Vec<_> = std::mem::take(&mut worker.told);
    assert_eq!(
        (told[0].context_id.as_str(), told[0].error.as_str()),
        (
            given.context_id.as_str(),
            "42 is no outcome of this protocol"
        )
    );
    assert_eq!((told[1].context_id.as_str(), told[1].attempt), ("no id", 7));
    assert!(told[2].error.contains("4 partitions"), "{told:?}");
    // Nothing changed: the attempt can still be settled.
    let report = settlement(&given.context_id, given.attempt, Outcome::Succeeded);
    assert_eq!(worker.verdicts(vec![report]).await, [Verdict::Settled]);

    // A result that is too long ends the context, and its worker is told why.
    caller.submit(vec![submission(0)]).await.unwrap();
    let given = worker.assignment().await;
    let report = Settlement {
        result: vec![b'x'; 65_537].into(),
        ..settlement(&given.context_id, given.attempt, Outcome::Succeeded)
    };
    worker.told.clear();
    assert_eq!(worker.verdicts(vec![report]).await, [Verdict::Refused]);
    assert!(worker.told[0].error.contains("65537 bytes"));
}

#[tokio::test]
async fn the_class_of_an_error_is_told_wherever_the_error_is() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let mut worker = Worker::connect(&caller, hello("w")).await.unwrap();
    let submitted = caller.submit(vec![submission(0)]).await.unwrap();
    let id = &submitted[0].id;
    for outcome in [Outcome::RetryAfter, Outcome::Fatal] {
        let given = worker.assignment().await;
        let report = Settlement {
            error: "\u{1f}Fake\u{1f} no room".to_owned(),
            error_type: format!("store.{outcome:?}\n"),
            retry_after_ms: 1,
            ..settlement(&given.context_id, given.attempt, outcome)
        };
        worker.verdicts(vec![report]).await;
    }
    let ended = caller.context(id).await.unwrap();
    let told = (ended.error_type.as_str(), ended.error.as_str());
    assert_eq!(told, ("store.Fatal", " Fake  no room"));
    let past = ended.attempts.first().unwrap();
    let told = (past.error_type.as_str(), past.error.as_str());
    assert_eq!(told, ("store.RetryAfter", " Fake  no room"));
    for error in ["store.fatal", "no room"] {
        let filter = v1::DeadFilter {
            error: error.to_owned(),
            ..v1::DeadFilter::default()
        };
        let request = v1::ListDeadRequest {
            filter: Some(filter),
            ..v1::ListDeadRequest::default()
        };
        let dead = caller.rpc.list_dead(request).await.unwrap().into_inner();
        assert_eq!(dead.contexts.len(), 1, "{error}");
        assert_eq!(dead.contexts[0].error_type, "store.Fatal");
    }
}

#[tokio::test]
async fn while_redis_is_away_reports_are_answered_unavailable() {
    let Some((config, server)) = on_its_own() else {
        return;
    };
    let mut caller = serving(config).await;
    let mut worker = Worker::connect(&caller, hello("w")).await.unwrap();
    caller.submit(vec![submission(0)]).await.unwrap();
    let given = worker.assignment().await;
    drop(server);
    let report = settlement(&given.context_id, given.attempt, Outcome::Succeeded);
    assert_eq!(worker.verdicts(vec![report]).await, [Verdict::Unavailable]);
    assert!(worker.told[0].error.contains("Redis"), "{:?}", worker.told);
}

#[tokio::test]
async fn a_reduce_goes_to_a_worker_that_can_read_results() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let offers = |name: &str, handlers: &[&str], capabilities: &[&str]| Hello {
        handlers: handlers.iter().map(|&one| one.to_owned()).collect(),
        capabilities: capabilities.iter().map(|&one| one.to_owned()).collect(),
        ..hello(name)
    };
    let core = offers("core", &["mail", "sum"], &[]);
    let mut core = Worker::connect(&caller, core).await.unwrap();
    caller.submit(vec![submission(0)]).await.unwrap();
    let root = core.assignment().await;
    let split = Split {
        context_id: root.context_id.clone(),
        attempt: root.attempt,
        mapped: true,
        reduce: "sum".to_owned(),
        ..Split::default()
    };
    let settle = settlement(&root.context_id, root.attempt, Outcome::Succeeded);
    core.say(WorkerMessage {
        split: vec![split],
        ..WorkerMessage::default()
    })
    .await;
    while core.mapped.is_empty() {
        core.hear().await.unwrap();
    }
    assert_eq!(core.verdicts(vec![settle]).await.len(), 1);
    let reads = offers("reads", &["sum"], &["results"]);
    let mut reads = Worker::connect(&caller, reads).await.unwrap();
    let reduce = reads.assignment().await;
    assert_eq!(reduce.subtask.unwrap().kind(), Kind::Reduce);
    // What else it offers is still given to the other one.
    caller.submit(vec![submission(0)]).await.unwrap();
    assert_eq!(core.assignment().await.handler, "mail");
    let waiting = caller.context(&root.context_id).await.unwrap();
    assert_eq!(waiting.state(), v1::ContextState::WaitingForSubtasks);
}
