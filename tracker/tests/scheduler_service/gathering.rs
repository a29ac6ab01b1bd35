//! Submissions of one context each that come together: each caller has its own answer, and Redis few calls.

use std::collections::BTreeSet;

use tickwheel_proto::v1;
use tokio::task::JoinSet;
use tonic::Code;

use super::harness::{Caller, on_its_own, serving, submission};

const HOUR: u64 = 3_600_000;

/// What each request is told, all of them sent while Redis holds still.
async fn at_once(
    caller: &Caller,
    requests: Vec<v1::Submission>,
) -> Vec<Result<v1::Submitted, tonic::Status>> {
    caller.redis("CLIENT PAUSE 300 WRITE").await;
    let mut asked = JoinSet::new();
    for (at, context) in requests.into_iter().enumerate() {
        let mut rpc = caller.rpc.clone();
        asked.spawn(async move {
            let contexts = vec![context];
            let answer = rpc.submit(v1::SubmitRequest { contexts }).await;
            let mut one = answer.map(|answer| answer.into_inner().contexts);
            if let Ok(contexts) = &one {
                assert_eq!(contexts.len(), 1);
            }
            (
                at,
                one.as_mut()
                    .map(|contexts| contexts.remove(0))
                    .map_err(|status| status.clone()),
            )
        });
    }
    let mut answers = asked.join_all().await;
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[tokio::test]
async fn those_that_come_together_share_calls_and_no_answers() {
    let Some((config, _server)) = on_its_own() else {
        return;
    };
    let mut caller = serving(config).await;
    let before = caller.calls("fcall").await;
    let requests = (0..200).map(|_| submission(HOUR)).collect();
    let answers = at_once(&caller, requests).await;
    let ids: BTreeSet<String> = answers.into_iter().map(|one| one.unwrap().id).collect();
    assert_eq!(ids.len(), 200, "each has one of its own");
    // What the tracker asks for itself meanwhile is among them.
    let calls = caller.calls("fcall").await - before;
    assert!(calls < 100, "{calls} calls for 200 contexts");
    for id in ids {
        assert_eq!(caller.context(&id).await.unwrap().id, id);
    }
}

#[tokio::test]
async fn of_one_key_there_is_one_context_however_many_ask_at_once() {
    let Some((config, _server)) = on_its_own() else {
        return;
    };
    let caller = serving(config).await;
    let keyed = |number: u32, reuse: v1::DedupReuse| v1::Submission {
        dedup_key: format!("k{}", number % 5),
        dedup_reuse: reuse.into(),
        ..submission(HOUR)
    };
    let reject = v1::DedupReuse::Reject;
    let requests = (0..50).map(|number| {
        let reuse = if number % 2 == 0 {
            reject
        } else {
            v1::DedupReuse::ReturnExisting
        };
        keyed(number, reuse)
    });
    let answers = at_once(&caller, requests.collect()).await;
    let answers: Vec<v1::Submitted> = answers.into_iter().map(Result::unwrap).collect();
    let ids: BTreeSet<&str> = answers.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids.len(), 5);
    let new = answers.iter().filter(|one| !one.duplicate).count();
    assert_eq!(new, 5);
    for (number, one) in answers.iter().enumerate() {
        assert_eq!(one.id, answers[number % 5].id, "{number}");
        assert_eq!(one.rejected, one.duplicate && number % 2 == 0, "{number}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_one_is_told_to_that_one() {
    let Some((config, _server)) = on_its_own() else {
        return;
    };
    let caller = serving(config).await;
    let key = caller.key("dedup:bad");
    for partition in 0..4 {
        let key = key.replace('}', &format!(":{partition}}}"));
        caller.redis(&format!("RPUSH {key} x")).await;
    }
    let requests = (0..40).map(|number| match number {
        7 => v1::Submission {
            handler: String::new(),
            ..submission(HOUR)
        },
        _ => v1::Submission {
            dedup_key: if number % 10 == 3 {
                "bad".to_owned()
            } else {
                format!("k{number}")
            },
            ..submission(HOUR)
        },
    });
    let answers = at_once(&caller, requests.collect()).await;
    for (number, answer) in answers.into_iter().enumerate() {
        match number {
            7 => assert_eq!(answer.unwrap_err().code(), Code::InvalidArgument),
            _ if number % 10 == 3 => {
                let status = answer.unwrap_err();
                assert_eq!(status.code(), Code::Internal, "{status:?}");
                assert!(status.message().contains("damaged"), "{status:?}");
            }
            _ => assert!(!answer.unwrap().duplicate),
        }
    }
}

#[tokio::test]
async fn who_goes_away_has_all_or_nothing_and_others_do_not_notice() {
    let Some((config, _server)) = on_its_own() else {
        return;
    };
    let mut caller = serving(config).await;
    caller.redis("CLIENT PAUSE 300 WRITE").await;
    let ask = |key: String| {
        let mut rpc = caller.rpc.clone();
        tokio::spawn(async move {
            let context = |part: usize| v1::Submission {
                handler: format!("{key}-{part}"),
                ..submission(HOUR)
            };
            let contexts = (0..3).map(context).collect();
            rpc.submit(v1::SubmitRequest { contexts }).await
        })
    };
    let asked: Vec<_> = (0..60).map(|number| ask(format!("h{number}"))).collect();
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    for gone in asked.iter().step_by(3) {
        gone.abort();
    }
    let mut stayed = BTreeSet::new();
    for (number, asked) in asked.into_iter().enumerate() {
        if number % 3 != 0 {
            let answer = asked.await.unwrap().unwrap().into_inner();
            assert_eq!(answer.contexts.len(), 3);
            stayed.extend(answer.contexts.into_iter().map(|one| one.id));
        }
    }
    assert_eq!(stayed.len(), 120);
    // Of those who went some may be written, each whole.
    let request = v1::ListContextsRequest {
        page_size: 500,
        ..v1::ListContextsRequest::default()
    };
    let listed = caller
        .rpc
        .list_contexts(request)
        .await
        .unwrap()
        .into_inner();
    let mut parts = std::collections::BTreeMap::<String, usize>::new();
    for context in &listed.contexts {
        let (whose, _) = context.handler.split_once('-').unwrap();
        *parts.entry(whose.to_owned()).or_default() += 1;
    }
    assert!(parts.len() >= 40, "{parts:?}");
    assert!(parts.values().all(|count| *count == 3), "{parts:?}");
}
