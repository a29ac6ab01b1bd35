//! Workers that say what cannot be true, on a real stream: they are refused or left out, and nobody else waits for it.

use std::collections::HashMap;
use std::time::Duration;

use tickwheel_proto::v1;
use tickwheel_proto::v1::confirmation::Verdict;
use tickwheel_proto::v1::settlement::Outcome;
use tickwheel_proto::v1::worker_service_client::WorkerServiceClient;
use tickwheel_proto::v1::{
    Assignment, Confirmation, Credit, Heartbeat, Hello, Report, Settlement, SplitConfirmation,
    TrackerMessage, Units, Welcome, WorkerMessage,
};
use tokio::sync::mpsc;
use tonic::{Code, Status, Streaming};

use crate::harness::{Caller, caller, submission};

const LIMIT: Duration = Duration::from_secs(20);

/// A worker that says what the test wants it to say.
pub(crate) struct Worker {
    say: mpsc::Sender<WorkerMessage>,
    heard: Streaming<TrackerMessage>,
    pub(crate) welcome: Welcome,
    pub(crate) told: Vec<Confirmation>,
    pub(crate) confirmed: Vec<Verdict>,
    pub(crate) dispatched: Vec<Assignment>,
    pub(crate) mapped: Vec<SplitConfirmation>,
}

pub(crate) fn hello(name: &str) -> Hello {
    Hello {
        worker_id: format!("{name}-00000001"),
        handlers: vec!["mail".to_owned()],
        permits: 100,
        ..Hello::default()
    }
}

impl Worker {
    pub(crate) async fn connect(caller: &Caller, hello: Hello) -> Result<Self, Status> {
        let (say, said) = mpsc::channel(16);
        let first = WorkerMessage {
            hello: Some(hello),
            ..WorkerMessage::default()
        };
        say.send(first).await.unwrap();
        let mut client = WorkerServiceClient::connect(caller.url()).await.unwrap();
        let said = tokio_stream::wrappers::ReceiverStream::new(said);
        let mut worker = Self {
            say,
            heard: client.session(said).await?.into_inner(),
            welcome: Welcome::default(),
            told: Vec::new(),
            confirmed: Vec::new(),
            dispatched: Vec::new(),
            mapped: Vec::new(),
        };
        worker.hear().await?;
        Ok(worker)
    }

    pub(crate) async fn hear(&mut self) -> Result<(), Status> {
        let heard = tokio::time::timeout(LIMIT, self.heard.message()).await;
        let message = heard.map_err(|_| Status::deadline_exceeded("heard nothing"))??;
        let message = message.ok_or_else(|| Status::cancelled("the stream ended"))?;
        let verdicts = message.confirm.iter().map(|one| one.verdict());
        self.confirmed.extend(verdicts);
        self.told.extend(message.confirm);
        if let Some(welcome) = message.welcome {
            self.welcome = welcome;
        }
        self.dispatched.extend(message.dispatch);
        self.mapped.extend(message.split);
        Ok(())
    }

    pub(crate) async fn say(&self, message: WorkerMessage) {
        self.say.send(message).await.unwrap();
    }

    /// Says that it lives, again and again, until its stream ends.
    pub(crate) fn keep_beating(&self) {
        let say = self.say.clone();
        tokio::spawn(async move {
            let alive = WorkerMessage {
                heartbeat: Some(Heartbeat {
                    primary: true,
                    ..Heartbeat::default()
                }),
                ..WorkerMessage::default()
            };
            while say.send(alive.clone()).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
    }

    /// Says how it does, and that all its permits are free.
    pub(crate) async fn heartbeat(&self, report: Report, units: &[(&str, u64)]) {
        let amounts: HashMap<String, u64> = units
            .iter()
            .map(|(name, amount)| ((*name).to_owned(), *amount))
            .collect();
        self.say(WorkerMessage {
            heartbeat: Some(Heartbeat {
                primary: true,
                report: Some(report),
                ..Heartbeat::default()
            }),
            credit: Some(Credit {
                free: 100,
                received: 0,
            }),
            units: Some(Units { amounts }),
            ..WorkerMessage::default()
        })
        .await;
    }

    pub(crate) async fn assignment(&mut self) -> Assignment {
        while self.dispatched.is_empty() {
            self.hear().await.unwrap();
        }
        self.dispatched.remove(0)
    }

    pub(crate) async fn verdicts(&mut self, settle: Vec<Settlement>) -> Vec<Verdict> {
        let count = settle.len();
        self.say(WorkerMessage {
            settle,
            ..WorkerMessage::default()
        })
        .await;
        while self.confirmed.len() < count {
            self.hear().await.unwrap();
        }
        std::mem::take(&mut self.confirmed)
    }
}

pub(crate) fn settlement(context: &str, attempt: u32, outcome: Outcome) -> Settlement {
    Settlement {
        context_id: context.to_owned(),
        attempt,
        outcome: outcome.into(),
        ..Settlement::default()
    }
}

fn routed(policy: &str, gpus: u64) -> v1::Submission {
    let resources = (gpus > 0).then(|| ("gpu".to_owned(), gpus));
    let options = v1::ContextOptions {
        routing: Some(v1::Routing {
            policy: policy.to_owned(),
            ..v1::Routing::default()
        }),
        resources: resources.into_iter().collect(),
        ..v1::ContextOptions::default()
    };
    v1::Submission {
        options: Some(options),
        ..submission(0)
    }
}

#[tokio::test]
async fn a_worker_that_breaks_a_rule_is_told_which() {
    let Some(caller) = caller().await else { return };
    let mut refused = Vec::new();
    for wrong in [
        Hello {
            resources: [("GPU".to_owned(), 1_000)].into(),
            ..hello("a")
        },
        Hello {
            host: "\u{1b}]0;x\u{7}".to_owned(),
            ..hello("a")
        },
        Hello {
            permits: 0,
            ..hello("a")
        },
    ] {
        let status = Worker::connect(&caller, wrong).await.err().unwrap();
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        refused.push(status.message().split(':').next().unwrap().to_owned());
    }
    assert_eq!(
        refused,
        ["hello.resources.GPU", "hello.host", "hello.permits"]
    );
}

#[tokio::test]
async fn figures_and_amounts_that_cannot_be_true_stop_no_partition() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let with_gpu = |name: &str| Hello {
        resources: [("gpu".to_owned(), 4_000)].into(),
        ..hello(name)
    };
    let liar = Worker::connect(&caller, with_gpu("liar")).await.unwrap();
    let honest = Worker::connect(&caller, with_gpu("w")).await.unwrap();
    let calm = Report {
        cpu_load: 0.5,
        response_ms: Some(3.0),
        memory_total_bytes: 1 << 30,
        cpus: 4,
        ..Report::default()
    };
    honest.heartbeat(calm, &[("gpu", 4_000)]).await;
    for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1e30] {
        let report = Report {
            cpu_load: wrong,
            response_ms: Some(wrong),
            load: wrong,
            ..calm
        };
        liar.heartbeat(report, &[("gpu", u64::MAX), ("GPU", 1), ("gpu mem", 1)])
            .await;
        for (policy, gpus) in [("cpu_first", 0), ("fastest_response", 0), ("any", 1_000)] {
            let submitted = caller.submit(vec![routed(policy, gpus)]).await.unwrap();
            let id = submitted[0].id.clone();
            let running = async {
                while caller.context(&id).await.unwrap().state() != v1::ContextState::Running {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            let started = tokio::time::timeout(LIMIT, running).await;
            assert!(started.is_ok(), "{policy} with {wrong} did not start");
            caller
                .rpc
                .cancel_context(v1::ContextRef { id })
                .await
                .unwrap();
        }
    }
    drop(liar);
}

#[tokio::test]
async fn a_retry_in_a_million_years_is_refused_with_the_limit_and_lists_go_on() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let mut worker = Worker::connect(&caller, hello("w")).await.unwrap();
    let submitted = caller.submit(vec![submission(0)]).await.unwrap();
    let given = worker.assignment().await;
    let report = Settlement {
        retry_after_ms: u64::MAX,
        ..settlement(&given.context_id, given.attempt, Outcome::RetryAfter)
    };
    assert_eq!(worker.verdicts(vec![report]).await, [Verdict::Refused]);
    let ended = caller.context(&submitted[0].id).await.unwrap();
    assert_eq!(ended.state(), v1::ContextState::Failed);
    let limit = "18446744073709551615 ms, at most 316224000000 (ten years) are allowed";
    assert!(ended.error.contains(limit), "{}", ended.error);
    let listed = caller
        .rpc
        .list_contexts(v1::ListContextsRequest::default())
        .await;
    listed.unwrap();
}

#[tokio::test]
async fn reports_of_attempts_that_nobody_holds_are_answered_all_and_a_stream_of_nonsense_ends() {
    let Some(caller) = caller().await else { return };
    let mut worker = Worker::connect(&caller, hello("w")).await.unwrap();
    let stale = |number: u32| {
        let id = format!("{}.1000000.x-{number}", number % 4);
        settlement(&id, 1, Outcome::Succeeded)
    };
    for round in 0..5 {
        let reports = (0..1_000).map(|number| stale(1_000 * round + number));
        let verdicts = worker.verdicts(reports.collect()).await;
        assert!(verdicts.iter().all(|one| *one == Verdict::Stale));
    }
    // Of a cluster with more partitions, and of a later protocol: no nonsense, however often.
    let foreign = settlement("900.1000000.x-1", 1, Outcome::Succeeded);
    let unknown = Settlement {
        outcome: 99,
        ..stale(1)
    };
    for report in [foreign, unknown] {
        let verdicts = worker.verdicts(vec![report; 500]).await;
        assert_eq!(verdicts, [Verdict::Refused; 500]);
    }
    // Few mistakes cost nothing.
    let verdicts = worker.verdicts(vec![Settlement::default(); 99]).await;
    assert_eq!(verdicts, [Verdict::Refused; 99]);
    assert_eq!(worker.verdicts(vec![stale(1)]).await, [Verdict::Stale]);
    worker
        .say(WorkerMessage {
            settle: vec![Settlement::default(); 4_000],
            ..WorkerMessage::default()
        })
        .await;
    let ended = loop {
        if let Err(status) = worker.hear().await {
            break status;
        }
    };
    assert_eq!(ended.code(), Code::InvalidArgument, "{ended:?}");
    assert!(ended.message().starts_with("100 items"), "{ended:?}");
    let answered = worker.confirmed.len();
    assert_eq!(answered, 4_000, "each before the end of the stream");
}
