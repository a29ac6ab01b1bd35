//! The gRPC side of the tracker double.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::Stream;
use tickwheel_proto::protocol::USER_AGENT;
use tickwheel_proto::v1::confirmation::Verdict;
use tickwheel_proto::v1::worker_service_server::WorkerService;
use tickwheel_proto::v1::{
    AttemptRef, Confirmation, Renewed, Settlement, TrackerMessage, WorkerMessage,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::heard::Heard;
use super::state::{State, StreamHandle};

#[derive(Debug)]
pub(super) struct Service(pub(super) Arc<State>);

#[tonic::async_trait]
impl WorkerService for Service {
    type SessionStream = Pin<Box<dyn Stream<Item = Result<TrackerMessage, Status>> + Send>>;

    async fn session(
        &self,
        request: Request<Streaming<WorkerMessage>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        if !self.0.lock().open {
            return Err(Status::unavailable("the double takes no streams"));
        }
        let agent = request.metadata().get(USER_AGENT);
        let agent = agent
            .and_then(|agent| agent.to_str().ok())
            .unwrap_or_default();
        self.0.lock().heard.agents.push(agent.to_owned());
        let (to_worker, from_test) = mpsc::channel(64);
        let state = Arc::clone(&self.0);
        tokio::spawn(async move { hear(&state, request.into_inner(), to_worker).await });
        Ok(Response::new(Box::pin(ReceiverStream::new(from_test))))
    }
}

type ToWorker = mpsc::Sender<Result<TrackerMessage, Status>>;

/// One stream, from its Hello to its end.
async fn hear(state: &State, mut incoming: Streaming<WorkerMessage>, to_worker: ToWorker) {
    let Ok(Some(WorkerMessage {
        hello: Some(hello), ..
    })) = incoming.message().await
    else {
        return;
    };
    let stop = CancellationToken::new();
    let welcome = state.lock().welcome.clone();
    let welcome = TrackerMessage {
        welcome: Some(welcome),
        ..TrackerMessage::default()
    };
    if to_worker.send(Ok(welcome)).await.is_err() {
        return;
    }
    let id = {
        let mut inner = state.lock();
        let id = inner.heard.hellos.len();
        inner.heard.hellos.push(hello);
        inner.heard.open_streams += 1;
        inner.streams.push(StreamHandle {
            id,
            to_worker: to_worker.clone(),
            stop: stop.clone(),
        });
        id
    };
    state.changed.notify_waiters();
    loop {
        let message = tokio::select! {
            biased;
            () = stop.cancelled() => {
                let broken = to_worker.send(Err(Status::unknown("the double broke the stream")));
                if broken.await.is_err() {
                    tracing::debug!("the worker was gone before its stream was broken");
                }
                break;
            }
            message = incoming.message() => message,
        };
        let Ok(Some(message)) = message else { break };
        let answer = take(state, message);
        if let Some(answer) = answer
            && to_worker.send(Ok(answer)).await.is_err()
        {
            break;
        }
    }
    let mut inner = state.lock();
    inner.streams.retain(|stream| stream.id != id);
    inner.heard.open_streams -= 1;
    drop(inner);
    state.changed.notify_waiters();
}

/// Keeps what the frame says; the answer confirms its outcomes and prolongs its leases.
fn take(state: &State, message: WorkerMessage) -> Option<TrackerMessage> {
    let answer = {
        let mut inner = state.lock();
        let mut answer = TrackerMessage::default();
        if let Some(verdict) = inner.verdict {
            answer.confirm = message
                .settle
                .iter()
                .map(|settled| confirm(settled, verdict))
                .collect();
        }
        if inner.renews {
            let lease_ms = inner.welcome.lease_ms;
            let asked = message.renew.iter();
            answer.renewed = asked.map(|attempt| renew(attempt, lease_ms)).collect();
        }
        answer.split = message
            .split
            .iter()
            .filter_map(|split| inner.fans.split(split))
            .collect();
        answer.results = message
            .fetch
            .iter()
            .filter_map(|fetch| inner.fans.page(fetch))
            .collect();
        keep(&mut inner.heard, message);
        answer
    };
    state.changed.notify_waiters();
    (answer != TrackerMessage::default()).then_some(answer)
}

fn keep(heard: &mut Heard, message: WorkerMessage) {
    heard.frames += 1;
    heard.draining += u64::from(message.draining);
    heard.settled.extend(message.settle);
    heard.rejected.extend(message.rejected);
    heard.renewed.extend(message.renew);
    heard.progress.extend(message.progress);
    heard.logs.extend(message.log);
    heard.heartbeats.extend(message.heartbeat);
    heard.credits.extend(message.credit);
    heard.splits.extend(message.split);
    heard.fetches.extend(message.fetch);
}

fn confirm(settled: &Settlement, verdict: Verdict) -> Confirmation {
    Confirmation {
        context_id: settled.context_id.clone(),
        attempt: settled.attempt,
        verdict: verdict.into(),
        error: String::new(),
    }
}

fn renew(attempt: &AttemptRef, lease_ms: u64) -> Renewed {
    Renewed {
        context_id: attempt.context_id.clone(),
        attempt: attempt.attempt,
        lease_ms,
    }
}
