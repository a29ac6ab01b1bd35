//! A worker that reports of an attempt which another worker runs: it is refused and counted, and the attempt goes on as if nothing was said.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_proto::v1::cancel_attempt::Reason;
use tickwheel_proto::v1::confirmation::Verdict;
use tickwheel_proto::v1::settlement::Outcome;
use tickwheel_proto::v1::worker_service_client::WorkerServiceClient;
use tickwheel_proto::v1::{
    AttemptRef, ContextState, FetchResults, Hello, LogLine, Progress, Rejection, Settlement, Split,
    TrackerMessage, WorkerMessage, rejection, split_confirmation,
};
use tickwheel_tests::harness::jobs::submission;
use tickwheel_tests::harness::{Small, until};
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::Streaming;

const LIMIT: Duration = Duration::from_secs(20);

struct Stranger {
    say: UnboundedSender<WorkerMessage>,
    heard: Streaming<TrackerMessage>,
}

impl Stranger {
    async fn connect(url: String) -> Result<Self> {
        let (say, said) = mpsc::unbounded_channel();
        let hello = Hello {
            worker_id: "stranger-00000001".to_owned(),
            group: "strangers".to_owned(),
            handlers: vec!["other".to_owned()],
            permits: 1,
            ..Hello::default()
        };
        say.send(WorkerMessage {
            hello: Some(hello),
            ..WorkerMessage::default()
        })?;
        let mut client = WorkerServiceClient::connect(url).await?;
        let heard = client
            .session(UnboundedReceiverStream::new(said))
            .await?
            .into_inner();
        Ok(Self { say, heard })
    }

    /// Hears frames until `read` finds in one what it looks for.
    async fn hear<T>(&mut self, read: impl Fn(TrackerMessage) -> Option<T>) -> Result<T> {
        loop {
            let heard = tokio::time::timeout(LIMIT, self.heard.message()).await;
            let message = heard.context("heard nothing")??;
            if let Some(found) = read(message.context("the stream ended")?) {
                return Ok(found);
            }
        }
    }
}

/// A log line, progress and an outcome.
fn forged_end(id: &str, attempt: u32) -> WorkerMessage {
    WorkerMessage {
        log: vec![LogLine {
            context_id: id.to_owned(),
            attempt,
            line: "forged line".to_owned(),
            ..LogLine::default()
        }],
        progress: vec![Progress {
            context_id: id.to_owned(),
            attempt,
            percent: 99,
            message: "forged".to_owned(),
        }],
        settle: vec![Settlement {
            context_id: id.to_owned(),
            attempt,
            outcome: Outcome::Succeeded.into(),
            result: "forged result".into(),
            ..Settlement::default()
        }],
        ..WorkerMessage::default()
    }
}

/// An item, a read of results, and a refusal.
fn forged_work(id: &str, attempt: u32) -> WorkerMessage {
    WorkerMessage {
        split: vec![Split {
            context_id: id.to_owned(),
            attempt,
            handler: "ok".to_owned(),
            items: vec!["forged".into()],
            ..Split::default()
        }],
        fetch: vec![FetchResults {
            context_id: id.to_owned(),
            attempt,
            ..FetchResults::default()
        }],
        rejected: vec![Rejection {
            context_id: id.to_owned(),
            attempt,
            reason: rejection::Reason::Busy.into(),
            handler: String::new(),
        }],
        ..WorkerMessage::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_worker_that_holds_an_attempt_is_believed() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let id = small
        .client
        .submit_one(submission("cancel_aware", 600_000))
        .await?;
    let before = until("it runs", LIMIT, async || {
        let context = small.client.context(&id).await?;
        ensure!(context.state() == ContextState::Running, "{context:?}");
        Ok(context)
    })
    .await?;
    let tracker = small.tracker.as_ref().context("a tracker")?;
    let mut stranger = Stranger::connect(format!("http://{}", tracker.grpc_addr())).await?;

    stranger.say.send(forged_end(&id, before.attempt))?;
    let verdict = stranger
        .hear(|frame| frame.confirm.first().map(|one| one.verdict()))
        .await?;
    ensure!(verdict == Verdict::Stale, "{verdict:?}");

    stranger.say.send(WorkerMessage {
        renew: vec![AttemptRef {
            context_id: id.clone(),
            attempt: before.attempt,
        }],
        ..WorkerMessage::default()
    })?;
    let told = stranger
        .hear(|frame| frame.cancel.first().map(|one| one.reason()))
        .await?;
    ensure!(told == Reason::Fenced, "{told:?}");

    stranger.say.send(forged_work(&id, before.attempt))?;
    let split = stranger
        .hear(|frame| frame.split.first().map(|one| one.verdict()))
        .await?;
    ensure!(split == split_confirmation::Verdict::Stale, "{split:?}");

    // Log and progress, settlement, renewal, refusal, page: each counted once.
    until("every report is counted", LIMIT, async || {
        let snapshot = small.rig.snapshot().await?;
        let foreign = snapshot.stat("foreign");
        ensure!(foreign == 5, "{foreign} are");
        Ok(())
    })
    .await?;
    let after = small.client.context(&id).await?;
    ensure!(after == before, "{after:?} was {before:?}");
    ensure!(small.rig.book.read()?.len() == 1, "it ran again");
    let worker = small.worker.as_ref().context("a worker")?.id();
    small.client.cancel(&id).await?;
    let ended = small.client.end_of(&id).await?;
    ensure!(
        ended.state() == ContextState::Cancelled && ended.worker == worker,
        "{ended:?}"
    );
    small.rig.check().await
}
