//! One connection of gRPC, watched: it says something soon, shakes hands soon, sends no flood of empty frames, and takes its answers.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};
use tonic::transport::server::Connected;

use super::frames::{Frames, PREFACE};
use super::peers::{Connection, Seat};
use crate::access::Origin;
use crate::metrics::measure;
use crate::tls::ShownCertificate;

/// The first byte of a connection comes within this. Keepalive of HTTP/2 begins behind the handshake.
const SAY_WITHIN: Duration = Duration::from_secs(5);
/// And the preface with the header of the first frame.
const SHAKE_WITHIN: Duration = Duration::from_secs(10);
const SHAKEN: usize = PREFACE + 9;

/// A connection that fails when its peer does not do its part.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    stream: S,
    address: SocketAddr,
    certificate: ShownCertificate,
    connection: Connection,
    /// Until the handshake is over.
    limit: Option<Pin<Box<Sleep>>>,
    since: Instant,
    /// Bytes of the handshake so far.
    shaken: usize,
    frames: Frames,
    _seat: Seat,
}

/// Who calls, as the extensions of a request tell.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// The connection of the call.
    pub(super) connection: Connection,
    address: SocketAddr,
    certificate: ShownCertificate,
}

impl Peer {
    #[cfg(test)]
    pub(super) fn of(address: SocketAddr) -> Self {
        Self {
            connection: Connection::new(),
            address,
            certificate: ShownCertificate::default(),
        }
    }

    /// From where it comes, and by which certificate. A request comes behind the handshake.
    pub(super) fn origin(&self) -> Origin {
        Origin::new(self.address, self.certificate.get())
    }
}

impl<S> Watched<S> {
    pub(super) fn new(
        (stream, certificate): (S, ShownCertificate),
        address: SocketAddr,
        seat: Seat,
    ) -> Self {
        Self {
            stream,
            address,
            certificate,
            connection: Connection::new(),
            limit: Some(Box::pin(sleep(SAY_WITHIN))),
            since: Instant::now(),
            shaken: 0,
            frames: Frames::new(),
            _seat: seat,
        }
    }

    fn fail(&self, reason: &'static str, kind: io::ErrorKind) -> io::Error {
        measure::connection_closed(reason);
        tracing::debug!(address = %self.address, reason, "a connection is closed");
        io::Error::new(kind, reason)
    }

    fn read(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.limit.is_some() {
            self.shaken = self.shaken.saturating_add(bytes.len());
            if self.shaken >= SHAKEN {
                self.limit = None;
            } else if let Some(limit) = &mut self.limit {
                limit.as_mut().reset(self.since + SHAKE_WITHIN);
            }
        }
        if self.frames.take(bytes).is_err() {
            return Err(self.fail("flood", io::ErrorKind::InvalidData));
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let over = match &mut this.limit {
            Some(limit) => limit.as_mut().poll(cx).is_ready().then_some("silent"),
            // Keepalive has the connection read every few seconds.
            None => this.connection.is_stuck(Instant::now()).then_some("stuck"),
        };
        if let Some(reason) = over {
            return Poll::Ready(Err(this.fail(reason, io::ErrorKind::TimedOut)));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buffer))?;
        let read = buffer.filled().get(before..).unwrap_or_default();
        Poll::Ready(this.read(read))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

impl<S> Connected for Watched<S> {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        Peer {
            connection: self.connection.clone(),
            address: self.address,
            certificate: self.certificate.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::super::peers::Peers;
    use super::*;

    fn pair() -> (Watched<tokio::io::DuplexStream>, tokio::io::DuplexStream) {
        let (near, far) = tokio::io::duplex(1 << 20);
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let seat = Peers::new(1, 1).seat(address.ip()).unwrap();
        let near = (near, ShownCertificate::default());
        (Watched::new(near, address, seat), far)
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_is_gone_after_five_seconds() {
        let (mut watched, _far) = pair();
        let began = Instant::now();
        let error = AsyncReadExt::read(&mut watched, &mut [0; 8])
            .await
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), SAY_WITHIN.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_handshake_that_drips_is_cut_and_one_that_is_made_is_not() {
        let (mut watched, mut far) = pair();
        let began = Instant::now();
        let drip = tokio::spawn(async move {
            for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" {
                far.write_all(&[*byte]).await.unwrap();
                sleep(Duration::from_secs(1)).await;
            }
        });
        let error = loop {
            match AsyncReadExt::read(&mut watched, &mut [0; 8]).await {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), SHAKE_WITHIN.as_secs());
        drip.abort();

        let (mut watched, mut far) = pair();
        far.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .await
            .unwrap();
        far.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
        AsyncReadExt::read(&mut watched, &mut [0; 64])
            .await
            .unwrap();
        sleep(Duration::from_secs(3_600)).await;
        far.write_all(b"later").await.unwrap();
        assert_eq!(
            AsyncReadExt::read(&mut watched, &mut [0; 64])
                .await
                .unwrap(),
            5
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_and_an_answer_that_is_not_taken_end_it() {
        let (mut watched, mut far) = pair();
        far.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .await
            .unwrap();
        far.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0].repeat(1_001))
            .await
            .unwrap();
        let error = loop {
            match AsyncReadExt::read(&mut watched, &mut [0; 1_024]).await {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);

        let (mut watched, mut far) = pair();
        far.write_all(&[0; SHAKEN]).await.unwrap();
        AsyncReadExt::read(&mut watched, &mut [0; 64])
            .await
            .unwrap();
        let answer = watched.connect_info().connection.answering();
        tokio::time::advance(Duration::from_secs(61)).await;
        let error = AsyncReadExt::read(&mut watched, &mut [0; 64])
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "stuck");
        drop(answer);
    }
}
