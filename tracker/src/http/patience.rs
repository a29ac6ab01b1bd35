//! A listener that bounds what peers can hold: so many connections, and so long for one request.
//!
//! `axum::serve` has no limit on the time a peer takes to send its request. The limit here is on the connection: from its start, and again
//! from the last byte of each answer, a whole request must arrive and be answered within [`REQUEST_WITHIN`], however slowly its bytes drip.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// Time for one request. Longer than a scraper's usual interval of 15 s, so that its connection is kept.
pub(super) const REQUEST_WITHIN: Duration = Duration::from_secs(20);
/// Connections at once; further ones wait in the system's backlog.
const CONNECTIONS_MAX: usize = 256;

/// Accepts [`Bounded`] streams.
pub(super) struct Patient {
    listener: TcpListener,
    connections: Arc<Semaphore>,
}

impl Patient {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self {
            listener,
            connections: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
        }
    }
}

impl Listener for Patient {
    type Io = Bounded<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // The semaphore is never closed; without a permit the connection would only be unbounded in number.
        let permit = Arc::clone(&self.connections).acquire_owned().await.ok();
        // The listener's own accept waits and goes on after errors such as too many open files.
        let (stream, address) = Listener::accept(&mut self.listener).await;
        (Bounded::new(stream, permit), address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A stream that fails reading when nothing was written for [`REQUEST_WITHIN`].
pub(super) struct Bounded<S> {
    stream: S,
    limit: Pin<Box<Sleep>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl<S> Bounded<S> {
    pub(super) fn new(stream: S, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            stream,
            limit: Box::pin(sleep(REQUEST_WITHIN)),
            _permit: permit,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.limit.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.limit.as_mut().reset(Instant::now() + REQUEST_WITHIN);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn dripping_bytes_do_not_stretch_the_limit_and_an_answer_renews_it() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut bounded = Bounded::new(near, None);
        let mut byte = [0; 1];
        for _ in 0..3 {
            tokio::time::advance(REQUEST_WITHIN / 4).await;
            far.write_all(b"x").await.unwrap();
            bounded.read_exact(&mut byte).await.unwrap();
        }
        bounded.write_all(b"answer").await.unwrap();
        tokio::time::advance(REQUEST_WITHIN / 2).await;
        far.write_all(b"x").await.unwrap();
        bounded.read_exact(&mut byte).await.unwrap();
        let error = bounded.read_exact(&mut byte).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
