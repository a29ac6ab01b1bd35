//! The body of a request as it arrives: no longer than its service allows, whole in time, and with room in memory for what it becomes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use parking_lot::Mutex;
use prost::Message as _;
use tickwheel_core::error::Violation;
use tickwheel_proto::v1;
use tickwheel_proto::wire::refusal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use tokio_util::sync::PollSemaphore;
use tonic::Status;
use tonic::codegen::Body;

use super::framing::{Broken, Framing};
use super::memory::permits;
use crate::rates::Meter;
use crate::rpc::error::ErrorCode;

/// The request of a call is there within this.
pub(super) const WHOLE_WITHIN: Duration = Duration::from_secs(10);
/// A message of no more bytes is taken in without asking for memory.
const SMALL: usize = 64 << 10;
/// In memory, a message takes at most so many times its bytes: as it comes, as it is decoded, as it is handed on.
const GROWS: usize = 4;
/// Of a message that is refused, so many bytes are still read, so that its sender comes to reading the answer.
const DRAINED_MAX: usize = 64 << 20;

/// Memory that is set aside for a message, kept until its call is answered.
pub(super) type Kept = Arc<Mutex<Vec<OwnedSemaphorePermit>>>;

/// A body that is watched.
#[derive(Debug)]
pub(crate) struct Arriving {
    body: tonic::body::Body,
    framing: Framing,
    call: Option<Call>,
    /// Why the message is refused, and how much of it was read since.
    refused: Option<(Violation, usize)>,
}

/// A frame that waits for the memory of its message.
#[derive(Debug)]
struct Asking {
    /// How many of the semaphores have given it.
    given: usize,
    /// Of the message.
    bytes: usize,
    frame: Frame<Bytes>,
}

/// What holds for a single message.
#[derive(Debug)]
struct Call {
    limit: Pin<Box<Sleep>>,
    memory: [PollSemaphore; 2],
    asking: Option<Asking>,
    kept: Kept,
    /// Counts what comes, also of a message that is refused.
    meter: Option<Meter>,
}

impl Arriving {
    /// Any number of messages, of `most` bytes each.
    pub(super) fn stream(body: tonic::body::Body, most: usize) -> Self {
        Self {
            body,
            framing: Framing::new(most, false),
            call: None,
            refused: None,
        }
    }

    /// One message of `most` bytes, whose memory is that of both semaphores, counted in permits; what it takes is put into `kept`.
    pub(super) fn call(
        body: tonic::body::Body,
        most: usize,
        memory: [Arc<Semaphore>; 2],
        kept: Kept,
    ) -> Self {
        Self {
            body,
            framing: Framing::new(most, true),
            call: Some(Call {
                limit: Box::pin(sleep(WHOLE_WITHIN)),
                memory: memory.map(PollSemaphore::new),
                asking: None,
                kept,
                meter: None,
            }),
            refused: None,
        }
    }

    /// Whether it is a single message.
    pub(super) const fn is_call(&self) -> bool {
        self.call.is_some()
    }

    /// Has the bytes of a single message counted.
    pub(super) fn count_by(&mut self, meter: Meter) {
        if let Some(call) = &mut self.call {
            call.meter = Some(meter);
        }
    }

    fn refuse(&mut self, broken: Broken) -> Option<Status> {
        if self.call.is_some() {
            self.refused = Some((broken.into(), 0));
            return None;
        }
        Some(match broken {
            Broken::Malformed(wrong) => refusal::invalid(&wrong),
            // A worker that does not know its limit would send the same again.
            Broken::Long(wrong) => refusal::too_long(&Violation {
                field: "frame".to_owned(),
                rule: format!("{}, as `Welcome.frame_bytes_max` says", wrong.rule),
                ..wrong
            }),
        })
    }

    /// Looks at a frame; `None` when it is not handed on.
    fn look(&mut self, frame: Frame<Bytes>) -> Option<Result<Frame<Bytes>, Status>> {
        let Some(data) = frame.data_ref() else {
            return Some(Ok(frame));
        };
        if let Some(meter) = self.call.as_ref().and_then(|call| call.meter.as_ref()) {
            meter.count(data.len());
        }
        if let Some((wrong, read)) = &mut self.refused {
            *read = read.saturating_add(data.len());
            return (*read > DRAINED_MAX).then(|| Err(refusal::invalid(wrong)));
        }
        match self.framing.take(data) {
            Ok(begins) => {
                if let Some((call, bytes)) = self.call.as_mut().zip(begins)
                    && bytes > SMALL
                {
                    call.asking = Some(Asking {
                        given: 0,
                        bytes,
                        frame,
                    });
                    return None;
                }
                Some(Ok(frame))
            }
            Err(wrong) => self.refuse(wrong).map(Err),
        }
    }

    fn end(&mut self) -> Option<Result<Frame<Bytes>, Status>> {
        let wrong = match self.refused.take() {
            Some((wrong, _)) => Err(wrong),
            None => self.framing.end(),
        };
        // A worker that leaves cuts its stream anywhere.
        self.call.as_ref()?;
        wrong.err().map(|wrong| Err(refusal::invalid(&wrong)))
    }
}

impl Call {
    /// Waits for the memory that a message takes.
    fn poll_memory(&mut self, cx: &mut Context<'_>) -> Poll<Option<Frame<Bytes>>> {
        while let Some(Asking { given, bytes, .. }) = &mut self.asking {
            let Some(memory) = self.memory.get_mut(*given) else {
                return Poll::Ready(self.asking.take().map(|asking| asking.frame));
            };
            let count = u32::try_from(permits(bytes.saturating_mul(GROWS))).unwrap_or(u32::MAX);
            // Nobody closes it.
            if let Some(permit) = ready!(memory.poll_acquire_many(cx, count)) {
                self.kept.lock().push(permit);
            }
            *given += 1;
        }
        Poll::Ready(None)
    }

    fn too_late(&self) -> Status {
        if self.asking.is_some() {
            let detail = v1::ErrorDetail {
                code: ErrorCode::Exhausted.as_str().to_owned(),
                violations: Vec::new(),
                ..v1::ErrorDetail::default()
            };
            return Status::with_details(
                ErrorCode::Exhausted.grpc(),
                "too many large messages arrive at once: try again in a moment",
                detail.encode_to_vec().into(),
            );
        }
        Status::deadline_exceeded(format!(
            "the request was not whole within {} s",
            WHOLE_WITHIN.as_secs()
        ))
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        if let Some(call) = &mut this.call {
            if call.limit.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Some(Err(call.too_late())));
            }
            if let Some(frame) = ready!(call.poll_memory(cx)) {
                return Poll::Ready(Some(Ok(frame)));
            }
        }
        loop {
            let Some(frame) = ready!(Pin::new(&mut this.body).poll_frame(cx)) else {
                return Poll::Ready(this.end());
            };
            if let Some(looked) = this.look(frame?) {
                return Poll::Ready(Some(looked));
            }
            if let Some(call) = &mut this.call
                && let Some(frame) = ready!(call.poll_memory(cx))
            {
                return Poll::Ready(Some(Ok(frame)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::sync::mpsc;
    use tokio_stream::wrappers::ReceiverStream;
    use tonic::Code;

    use super::super::memory::MEMORY_OF_CONNECTION;
    use super::*;

    /// Data as it comes; it has not ended before its sender is dropped.
    struct Wire(ReceiverStream<Bytes>);

    impl Body for Wire {
        type Data = Bytes;
        type Error = Status;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
            let next = ready!(futures::Stream::poll_next(Pin::new(&mut self.0), cx));
            Poll::Ready(next.map(|data| Ok(Frame::data(data))))
        }
    }

    fn wire() -> (mpsc::Sender<Bytes>, tonic::body::Body) {
        let (sender, receiver) = mpsc::channel(100);
        (
            sender,
            tonic::body::Body::new(Wire(ReceiverStream::new(receiver))),
        )
    }

    fn begin(length: usize) -> Bytes {
        let mut bytes = vec![0];
        bytes.extend(u32::try_from(length).unwrap().to_be_bytes());
        bytes.into()
    }

    fn call(body: tonic::body::Body, memory: &Arc<Semaphore>) -> (Arriving, Kept) {
        let kept = Kept::default();
        let all = Arc::new(Semaphore::new(permits(MEMORY_OF_CONNECTION)));
        let memory = [Arc::clone(memory), all];
        (
            Arriving::call(body, 4 << 20, memory, Arc::clone(&kept)),
            kept,
        )
    }

    fn plenty() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(permits(MEMORY_OF_CONNECTION)))
    }

    async fn next(arriving: &mut Arriving) -> Option<Result<Bytes, Status>> {
        let frame = poll_fn(|cx| Pin::new(&mut *arriving).poll_frame(cx)).await?;
        Some(frame.map(|frame| frame.into_data().unwrap()))
    }

    #[tokio::test(start_paused = true)]
    async fn half_a_request_is_given_up_and_a_drip_does_not_help() {
        let (sender, body) = wire();
        let (mut arriving, _kept) = call(body, &plenty());
        sender.send(begin(1_000)).await.unwrap();
        let drip = tokio::spawn(async move {
            while sender.send(Bytes::from_static(b"x")).await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        });
        let status = loop {
            match next(&mut arriving).await.unwrap() {
                Ok(_) => {}
                Err(status) => break status,
            }
        };
        assert_eq!(status.code(), Code::DeadlineExceeded);
        drip.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_too_long_is_read_to_its_end_before_it_is_refused() {
        let (sender, body) = wire();
        let (mut arriving, kept) = call(body, &plenty());
        sender.send(begin((4 << 20) + 1)).await.unwrap();
        sender.send(vec![0; 10_000].into()).await.unwrap();
        drop(sender);
        let status = next(&mut arriving).await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(
            status.message(),
            "has at most 4194304 bytes (given: 4194305 bytes)"
        );
        assert!(kept.lock().is_empty());

        let (sender, body) = wire();
        let mut stream = Arriving::stream(body, 100);
        sender.send(begin(101)).await.unwrap();
        let status = next(&mut stream).await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert_eq!(
            status.message(),
            "frame: has at most 100 bytes, as `Welcome.frame_bytes_max` says (given: 101 bytes)"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn large_messages_wait_for_memory_and_small_ones_do_not() {
        let memory = plenty();
        let (sender, body) = wire();
        let (mut first, kept) = call(body, &memory);
        sender.send(begin(4 << 20)).await.unwrap();
        next(&mut first).await.unwrap().unwrap();
        let rest = memory.available_permits();
        assert_eq!(permits(MEMORY_OF_CONNECTION) - rest, permits(16 << 20));
        let taken = Arc::clone(&memory).acquire_many_owned(u32::try_from(rest).unwrap());
        let taken = taken.await.unwrap();

        let (sender, body) = wire();
        let (mut small, _kept) = call(body, &memory);
        sender.send(begin(SMALL)).await.unwrap();
        next(&mut small).await.unwrap().unwrap();

        let (sender, body) = wire();
        let (mut large, _kept) = call(body, &memory);
        sender.send(begin(4 << 20)).await.unwrap();
        let status = next(&mut large).await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted);
        drop(large);

        let (sender, body) = wire();
        let (mut large, _kept) = call(body, &memory);
        sender.send(begin(4 << 20)).await.unwrap();
        let freed = async {
            sleep(Duration::from_secs(1)).await;
            kept.lock().clear();
        };
        let (frame, ()) = tokio::join!(next(&mut large), freed);
        frame.unwrap().unwrap();
        drop((taken, first));
    }

    #[tokio::test]
    async fn bytes_pass_as_they_are() {
        let (sender, body) = wire();
        let (mut arriving, _kept) = call(body, &plenty());
        sender.send(begin(4)).await.unwrap();
        sender.send(Bytes::from_static(b"body")).await.unwrap();
        drop(sender);
        let mut all = Vec::new();
        while let Some(data) = next(&mut arriving).await {
            all.extend(data.unwrap());
        }
        assert_eq!(all, b"\0\0\0\0\x04body");
    }
}
