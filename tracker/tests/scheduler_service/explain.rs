//! Why a job did or did not run at an instant, in words.

use tickwheel_proto::v1;
use tickwheel_proto::v1::ledger_record::Verdict;

use super::harness::{Caller, api, caller, cron, every, job, named, once};

/// Redis' clock has passed `until`.
async fn passed(caller: &mut Caller, until: u64) {
    while caller.now().await <= until {}
}

/// The newest records of a job, once there are so many of this verdict.
async fn records(
    caller: &mut Caller,
    name: &str,
    verdict: Verdict,
    count: usize,
) -> Vec<v1::LedgerRecord> {
    loop {
        let request = v1::GetLedgerRequest {
            name: name.to_owned(),
            limit: 0,
            ..v1::GetLedgerRequest::default()
        };
        let answer = caller.rpc.get_ledger(request).await.unwrap().into_inner();
        let found = answer.records.into_iter();
        let found: Vec<_> = found.filter(|one| one.verdict() == verdict).collect();
        if found.len() >= count {
            return found;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_firing_is_told_with_its_context() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let due = caller.now().await + 50;
    caller.apply(vec![job("soon", once(due))]).await.unwrap();
    let fired = records(&mut caller, "soon", Verdict::Fired, 1).await;
    assert_eq!(fired[0].due_ms, due);
    let explained = caller.explain("soon", due).await;
    let record = explained.record.unwrap();
    assert_eq!(record.verdict(), Verdict::Fired);
    let id = &fired[0].context_id;
    assert!(id.ends_with(".f@default/soon"), "{fired:?}");
    let text = explained.text;
    assert!(
        text.starts_with("It fired at") && text.contains(id),
        "{text}"
    );
    assert!(text.contains("is ready"), "{text}");
}

#[tokio::test]
async fn a_skipped_due_time_names_the_policy() {
    let Some(mut caller) = caller().await else {
        return;
    };
    // The first firing waits for a worker that never comes, so the next ones are discarded.
    caller.apply(vec![job("tick", every(30))]).await.unwrap();
    let skipped = records(&mut caller, "tick", Verdict::Skipped, 1).await;
    let explained = caller.explain("tick", skipped[0].due_ms).await;
    assert!(
        explained.text.contains("overlap policy is discard"),
        "{}",
        explained.text
    );
    let beside = caller.explain("tick", skipped[0].due_ms + 1).await.text;
    assert!(beside.contains("is no due time"), "{beside}");
    assert!(
        beside.contains("The one before it was") && beside.contains("The next one"),
        "{beside}"
    );
}

#[tokio::test]
async fn a_due_time_in_a_pause_is_told_as_such() {
    let Some(mut caller) = caller().await else {
        return;
    };
    caller.apply(vec![job("tick", every(40))]).await.unwrap();
    let pause = v1::PauseJobRequest {
        name: "tick".to_owned(),
        note: String::new(),
    };
    caller.rpc.pause_job(pause).await.unwrap();
    let until = caller.now().await + 200;
    passed(&mut caller, until).await;
    caller.rpc.resume_job(named("tick")).await.unwrap();
    let skipped = records(&mut caller, "tick", Verdict::Skipped, 1).await;
    let run = skipped.iter().find(|one| one.reason == "paused").unwrap();
    let explained = caller.explain("tick", run.due_ms + 40).await;
    assert!(explained.text.contains("was paused"), "{}", explained.text);
    assert!(
        explained.text.contains("One record stands for"),
        "{}",
        explained.text
    );
    let beside = caller.explain("tick", run.due_ms + 41).await;
    assert!(beside.record.is_none(), "{}", beside.text);
}

#[tokio::test]
async fn what_no_record_stands_for_is_told_by_calendar_and_state() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let yearly = job("yearly", cron("0 0 1 1 *", ""));
    caller
        .apply(vec![yearly, job("asked", api())])
        .await
        .unwrap();
    let next = caller.job("yearly").await.unwrap().next_due_ms.unwrap();
    let text = async |caller: &mut Caller, name: &str, at: u64| caller.explain(name, at).await.text;
    let told = text(&mut caller, "yearly", next).await;
    assert!(told.contains("a due time to come"), "{told}");
    let told = text(&mut caller, "yearly", next + 1).await;
    assert!(told.contains("no due time of its trigger cron"), "{told}");
    let told = text(&mut caller, "yearly", 1_000).await;
    assert!(told.contains("was registered at"), "{told}");
    let told = text(&mut caller, "asked", next).await;
    assert!(told.contains("do not follow from a calendar"), "{told}");
    let pause = v1::PauseJobRequest {
        name: "yearly".to_owned(),
        note: String::new(),
    };
    caller.rpc.pause_job(pause).await.unwrap();
    let told = text(&mut caller, "yearly", next).await;
    assert!(told.contains("the job is paused"), "{told}");
}

#[tokio::test]
async fn beyond_the_bound_of_the_ledger_nothing_is_known() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let spec = v1::JobSpec {
        ledger_limit: Some(2),
        ..job("tick", every(10))
    };
    caller.apply(vec![spec]).await.unwrap();
    let first = caller.job("tick").await.unwrap().next_due_ms.unwrap();
    passed(&mut caller, first + 1_000).await;
    let told = caller.explain("tick", first).await.text;
    assert!(told.contains("no longer known"), "{told}");
}

async fn run_explained(caller: &mut Caller, id: &str) -> String {
    let request = v1::ContextRef { id: id.to_owned() };
    let answer = caller.rpc.explain_context(request).await.unwrap();
    answer.into_inner().text
}

#[tokio::test]
async fn a_run_is_told_where_it_stands_and_why() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let waiting = |when| v1::Submission {
        handler: "nobody".to_owned(),
        when,
        ..v1::Submission::default()
    };
    let later = v1::submission::When::DelayMs(3_600_000);
    let contexts = vec![waiting(Some(later)), waiting(None)];
    let submitted = caller.submit(contexts).await.unwrap();
    let (scheduled, ready) = (&submitted[0].id, &submitted[1].id);
    let text = run_explained(&mut caller, scheduled).await;
    assert!(
        text.starts_with("It is due at ") && text.contains(", in "),
        "{text}"
    );
    let text = loop {
        let text = run_explained(&mut caller, ready).await;
        if text.contains("It has waited for ") {
            break text;
        }
        tokio::task::yield_now().await;
    };
    assert!(text.contains("`nobody`"), "{text}");
    let request = v1::ContextRef { id: ready.clone() };
    caller.rpc.cancel_context(request).await.unwrap();
    let text = run_explained(&mut caller, ready).await;
    assert!(
        text.contains("It was cancelled, and ended at ") && text.contains("without having started"),
        "{text}"
    );
    // The first run waits for a worker that never comes, and the second one for the first.
    let queue = v1::Overlap {
        policy: v1::overlap::Policy::Queue.into(),
        limit: 5,
    };
    let queued = v1::JobSpec {
        overlap: Some(queue),
        ..job("one-by-one", api())
    };
    caller.apply(vec![queued]).await.unwrap();
    let first = caller.run("one-by-one").await.unwrap().id;
    let second = caller.run("one-by-one").await.unwrap().id;
    let text = run_explained(&mut caller, &second).await;
    assert!(
        text.contains(&format!(
            "earlier runs of the job `default/one-by-one` (`{first}`)"
        )) && text.contains("overlap policy queue(5)"),
        "{text}"
    );
}
