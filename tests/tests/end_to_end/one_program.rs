//! One program that submits tasks and works on them: the client and the SDK mean the same by a task.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};
use tickwheel_client::{Client, Error, KeyOf, RefusalKind, Submission, Task, Trigger, job};
use tickwheel_tests::harness::Small;
use tickwheel_worker::{Context, RunningWorker, Worker, fatal};

/// Longer than anything here takes, on a busy machine too.
const LIMIT: Option<Duration> = Some(Duration::from_secs(60));

#[derive(Debug, Serialize, Deserialize)]
struct CloseOrder {
    id: u64,
}

impl Task for CloseOrder {
    const HANDLER: &'static str = "close";
    const GROUP: &'static str = "orders";
    type Output = String;
}

/// A tracker, a worker of the task, and a client whose first tracker nobody is.
struct Program {
    client: Client,
    worker: RunningWorker,
    _small: Small,
}

impl Program {
    async fn start() -> Result<Option<Self>> {
        let Some(small) = Small::without_worker().await? else {
            return Ok(None);
        };
        let tracker = small.tracker.as_ref().context("a tracker")?;
        let url = format!("http://{}", tracker.grpc_addr());
        let worker = Worker::builder(&url)
            .group(CloseOrder::GROUP)
            .task(|_: Context, order: CloseOrder| async move {
                if order.id == 0 {
                    return Err(fatal("order 0 is none"));
                }
                Ok(format!("order {} is closed", order.id))
            })
            .start()?;
        let client = Client::connect(["http://127.0.0.1:1", url.as_str()]).await?;
        Ok(Some(Self {
            client,
            worker,
            _small: small,
        }))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_submitted_run_and_answered() -> Result<()> {
    let Some(program) = Program::start().await? else {
        return Ok(());
    };
    let client = &program.client;
    let run = client.submit(&CloseOrder { id: 7 }).await?;
    ensure!(run.result(LIMIT).await? == "order 7 is closed", "{run:?}");

    let again = || anyhow::Ok(Submission::of(&CloseOrder { id: 8 })?.dedup_key("order 8"));
    let (first, second) = (client.send(again()?).await?, client.send(again()?).await?);
    ensure!(
        first.id() == second.id() && second.submitted().duplicate,
        "{second:?}"
    );
    ensure!(
        second.result(LIMIT).await? == "order 8 is closed",
        "{second:?}"
    );
    ensure!(
        client.find("order 8", KeyOf::Submitted).await?.id == first.id(),
        "{first:?}"
    );

    let wrong = client.submit(&CloseOrder { id: 0 }).await?;
    let error = wrong.result(LIMIT).await.err().context("it has failed")?;
    ensure!(
        matches!(
            error,
            Error::Ended {
                state: "failed",
                ..
            }
        ),
        "{error:?}"
    );
    ensure!(
        error.to_string().ends_with("failed: order 0 is none"),
        "{error}"
    );
    program.worker.drain().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_of_a_task_runs_and_mistakes_come_back_as_such() -> Result<()> {
    let Some(program) = Program::start().await? else {
        return Ok(());
    };
    let client = &program.client;
    let spec = job("orders/close", &CloseOrder { id: 9 }, Trigger::Manual)?;
    client.apply([&spec]).await?;
    ensure!(client.apply([&spec]).await?.len() == 1, "it is as it was");
    let started = client
        .run_job(tickwheel_client::v1::RunJobRequest {
            name: "orders/close".to_owned(),
            ..Default::default()
        })
        .await?;
    let ended = client.wait(&started.id, LIMIT).await?;
    ensure!(ended.result == "\"order 9 is closed\"", "{ended:?}");

    let far = Submission::of(&CloseOrder { id: 10 })?.delay(Duration::from_secs(3_600));
    let far = client.send(far).await?;
    ensure!(far.cancel().await?.ended_ms > 0, "it waited");

    let error = client.get_job("orders/none").await.err().context("none")?;
    let kind = error.refusal().map(|refusal| refusal.kind);
    ensure!(kind == Some(RefusalKind::NotFound), "{error:?}");
    let error = client
        .send(Submission::to("no such handler!").priority(9))
        .await
        .err()
        .context("refused")?;
    let refusal = error.refusal().context("a refusal")?;
    ensure!(refusal.violations.len() == 2, "all at once: {error}");
    program.worker.drain().await?;
    Ok(())
}

#[tokio::test]
async fn a_worker_of_another_group_does_not_take_a_task() -> Result<()> {
    let worker = Worker::builder("http://127.0.0.1:1")
        .group("invoices")
        .task(|_: Context, _: CloseOrder| async move { Ok(String::new()) });
    let error = worker.start().err().context("it does not start")?;
    let text = error.to_string();
    ensure!(
        text == "invalid group: task \"close\" is one of group \"orders\", and the worker of \"invoices\"",
        "{text}"
    );
    Ok(())
}
