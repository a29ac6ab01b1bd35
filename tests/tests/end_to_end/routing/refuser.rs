//! A worker that is connected, has permits, and answers every context with `busy`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, bail};
use tickwheel_proto::v1::worker_service_client::WorkerServiceClient;
use tickwheel_proto::v1::{Credit, Heartbeat, Hello, Rejection, WorkerMessage, rejection};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::UnboundedReceiverStream;

const PERMITS: u32 = 10;

pub(crate) struct Refuser {
    refused: Arc<AtomicU64>,
    streams: Vec<JoinHandle<()>>,
}

impl Refuser {
    /// Connects to every tracker. Its handler comes first, its tags behind it.
    pub(crate) async fn connect(urls: &[String], name: &str, words: &[&str]) -> Result<Self> {
        let refused: Arc<AtomicU64> = Arc::default();
        let mut streams = Vec::new();
        let (handler, tags) = words.split_first().context("a handler")?;
        for url in urls {
            let (say, said) = mpsc::unbounded_channel();
            let hello = Hello {
                worker_id: format!("{name}-aaaaaaaa"),
                group: "default".to_owned(),
                handlers: vec![(*handler).to_owned()],
                permits: PERMITS,
                tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
                ..Hello::default()
            };
            say.send(WorkerMessage {
                hello: Some(hello),
                heartbeat: Some(Heartbeat {
                    primary: urls.first() == Some(url),
                    report: None,
                    ..Heartbeat::default()
                }),
                ..WorkerMessage::default()
            })?;
            let mut client = WorkerServiceClient::connect(url.clone()).await?;
            let mut heard = client
                .session(UnboundedReceiverStream::new(said))
                .await?
                .into_inner();
            if heard
                .message()
                .await?
                .is_none_or(|first| first.welcome.is_none())
            {
                bail!("not welcome");
            }
            let counter = Arc::clone(&refused);
            streams.push(tokio::spawn(async move {
                let mut received = 0;
                while let Ok(Some(message)) = heard.message().await {
                    let rejected: Vec<Rejection> = message
                        .dispatch
                        .into_iter()
                        .map(|assignment| Rejection {
                            context_id: assignment.context_id,
                            attempt: assignment.attempt,
                            reason: rejection::Reason::Busy.into(),
                            handler: String::new(),
                        })
                        .collect();
                    if rejected.is_empty() {
                        continue;
                    }
                    received += rejected.len() as u64;
                    counter.fetch_add(rejected.len() as u64, Ordering::Relaxed);
                    // It says that it has permits, and takes nothing.
                    let answer = WorkerMessage {
                        rejected,
                        credit: Some(Credit {
                            free: PERMITS,
                            received,
                        }),
                        ..WorkerMessage::default()
                    };
                    if say.send(answer).is_err() {
                        break;
                    }
                }
            }));
        }
        Ok(Self { refused, streams })
    }

    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

impl Drop for Refuser {
    fn drop(&mut self) {
        for stream in &self.streams {
            stream.abort();
        }
    }
}
