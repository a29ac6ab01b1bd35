//! Clients that send what no proper client would: bytes as messages, and workers that say what the test wants.

use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::{Buf as _, BufMut as _, Bytes};
use tickwheel_proto::v1::worker_service_client::WorkerServiceClient;
use tickwheel_proto::v1::{Assignment, Credit, Heartbeat, Hello, TrackerMessage, WorkerMessage};
use tokio::sync::mpsc;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};

const HEAR_LIMIT: Duration = Duration::from_secs(20);
const CALL_LIMIT: Duration = Duration::from_secs(20);

/// Messages are bytes, whatever they mean.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Plain;

impl Codec for Plain {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let size = from.remaining();
        Ok(Some(from.copy_to_bytes(size)))
    }
}

/// A connection to `url`.
pub(crate) async fn channel(url: &str) -> Result<Channel> {
    let endpoint = Endpoint::from_shared(url.to_owned())?.timeout(CALL_LIMIT);
    Ok(endpoint.connect().await?)
}

fn path(method: &str) -> Result<PathAndQuery> {
    Ok(PathAndQuery::try_from(format!("/tickwheel.v1.{method}"))?)
}

/// Calls `Service/Method` with these bytes.
pub(crate) async fn call(channel: &Channel, method: &str, message: Bytes) -> Result<Bytes, Status> {
    let mut grpc = Grpc::new(channel.clone());
    let gone = |error: &dyn std::fmt::Display| Status::unavailable(error.to_string());
    grpc.ready().await.map_err(|error| gone(&error))?;
    let path = path(method).map_err(|error| gone(&error))?;
    let answer = grpc.unary(Request::new(message), path, Plain).await?;
    Ok(answer.into_inner())
}

/// Opens a session and sends these frames; answers with the status that the stream ended with, `None` while it goes on.
pub(crate) async fn session(channel: &Channel, frames: Vec<Bytes>) -> Result<Option<Status>> {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await?;
    // The stream stays open behind the frames.
    let frames =
        futures::StreamExt::chain(futures::stream::iter(frames), futures::stream::pending());
    let answer = grpc.streaming(Request::new(frames), path("WorkerService/Session")?, Plain);
    let mut heard = match answer.await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return Ok(Some(status)),
    };
    loop {
        match tokio::time::timeout(Duration::from_secs(3), heard.message()).await {
            Ok(Ok(Some(_))) => {}
            Ok(Ok(None)) => return Ok(Some(Status::ok("it ended"))),
            Ok(Err(status)) => return Ok(Some(status)),
            Err(_) => return Ok(None),
        }
    }
}

/// `count` empty submessages of field `number`: two bytes each.
pub(crate) fn empties(number: u8, count: usize) -> Bytes {
    let one = [number << 3 | 2, 0];
    Bytes::from(one.repeat(count))
}

/// A worker that says what the test wants it to say.
pub(crate) struct Puppet {
    pub(crate) say: mpsc::Sender<WorkerMessage>,
    heard: Streaming<TrackerMessage>,
}

/// A proper Hello.
pub(crate) fn hello(id: &str, group: &str, handlers: &[&str]) -> Hello {
    Hello {
        worker_id: id.to_owned(),
        group: group.to_owned(),
        handlers: handlers.iter().map(|name| (*name).to_owned()).collect(),
        permits: 4,
        ..Hello::default()
    }
}

impl Puppet {
    /// Connects, says `hello`, and offers its permits.
    pub(crate) async fn connect(
        channel: &Channel,
        hello: Hello,
        heartbeat: Heartbeat,
    ) -> Result<Self> {
        let (say, said) = mpsc::channel(16);
        let free = hello.permits;
        say.send(WorkerMessage {
            hello: Some(hello),
            heartbeat: Some(Heartbeat {
                primary: true,
                ..heartbeat
            }),
            credit: Some(Credit { free, received: 0 }),
            ..WorkerMessage::default()
        })
        .await?;
        let outgoing = tokio_stream::wrappers::ReceiverStream::new(said);
        let mut client = WorkerServiceClient::new(channel.clone());
        let heard = client.session(outgoing).await?.into_inner();
        Ok(Self { say, heard })
    }

    /// Says that it lives.
    pub(crate) async fn heartbeat(&self) -> Result<()> {
        let heartbeat = Heartbeat {
            primary: true,
            ..Heartbeat::default()
        };
        let message = WorkerMessage {
            heartbeat: Some(heartbeat),
            ..WorkerMessage::default()
        };
        Ok(self.say.send(message).await?)
    }

    /// The next frame; `None` at the end of the stream.
    pub(crate) async fn hear(&mut self) -> Result<Option<TrackerMessage>, Status> {
        let heard = tokio::time::timeout(HEAR_LIMIT, self.heard.message()).await;
        heard.map_err(|_| Status::deadline_exceeded("heard nothing"))?
    }

    /// The next context it is given.
    pub(crate) async fn assignment(&mut self) -> Result<Assignment> {
        loop {
            let message = self.hear().await?.context("the stream ended")?;
            if let Some(assignment) = message.dispatch.into_iter().next() {
                return Ok(assignment);
            }
        }
    }

    /// Sends a frame; whether the stream still takes it is not asked.
    pub(crate) async fn frame(&self, message: WorkerMessage) {
        self.say.send(message).await.ok();
    }
}
