//! A connection with TLS or without. Whoever serves it does not wait for its handshake: that is made elsewhere, and what is read or written
//! in the meantime waits for it.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tickwheel_core::access::Fingerprint;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;
use tokio_util::task::AbortOnDropHandle;

use super::serving::{Serving, Wire};
use crate::metrics::measure;

/// A handshake takes so long at most, with its wait for a thread: its connection has a seat that others may want.
pub(super) const SHAKE_WITHIN: Duration = Duration::from_secs(5);

/// The certificate that whoever connects has shown, and an authority has vouched for: it is here before the first byte of the stream is.
#[derive(Debug, Clone, Default)]
pub(crate) struct ShownCertificate(Arc<OnceLock<Fingerprint>>);

impl ShownCertificate {
    /// `None` where there is none, also while hands are shaken.
    pub(crate) fn get(&self) -> Option<Fingerprint> {
        self.0.get().copied()
    }

    /// Takes down the one of a handshake that is over.
    fn take<S>(&self, stream: &TlsStream<S>) {
        let (_, session) = stream.get_ref();
        let shown = session.peer_certificates().and_then(<[_]>::first);
        if let Some(own) = shown {
            // A handshake is over once.
            self.0.set(Fingerprint::of(own)).ok();
        }
    }
}

/// Whoever is refused has so long to read why.
const PART_WITHIN: Duration = Duration::from_millis(200);
/// What it may have sent meanwhile.
const PART_BYTES: u64 = 64 << 10;

/// How connections begin.
#[derive(Debug, Clone)]
pub(crate) enum Acceptor {
    /// As they are.
    Plain,
    /// With a handshake of TLS, made on these threads.
    Tls(Arc<Serving>, Wire, Handle),
}

impl Acceptor {
    /// With what `serving` has at each connection's time; handshakes are made on `threads`.
    pub(crate) fn tls(serving: Arc<Serving>, wire: Wire, threads: &Handle) -> Self {
        Self::Tls(serving, wire, threads.clone())
    }

    /// The stream of a connection, and the certificate that its peer will have shown. Returns at once; a handshake that fails ends the stream.
    pub(crate) fn accept<S>(&self, stream: S) -> (Secured<S>, ShownCertificate)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let shown = ShownCertificate::default();
        let secured = match self {
            Self::Plain => Secured::Plain(stream),
            Self::Tls(serving, wire, threads) => {
                let shaking = shake(serving.config(*wire), stream, shown.clone());
                Secured::Shaking(AbortOnDropHandle::new(threads.spawn(shaking)))
            }
        };
        (secured, shown)
    }
}

async fn shake<S>(
    config: Arc<ServerConfig>,
    stream: S,
    shown: ShownCertificate,
) -> io::Result<TlsStream<S>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let accepting = TlsAcceptor::from(config).accept(stream).into_fallible();
    let shaken = match timeout(SHAKE_WITHIN, accepting).await {
        Ok(Ok(shaken)) => Ok(shaken),
        Ok(Err((error, stream))) => {
            part(stream).await;
            Err(error)
        }
        Err(late) => Err(late.into()),
    };
    shaken
        .inspect(|stream| shown.take(stream))
        .inspect_err(|error| {
            measure::connection_closed("handshake");
            tracing::debug!(%error, "a handshake of TLS failed");
        })
}

/// Closes a connection so that its peer reads why: what it had sent on would have it cut off, with the alert behind it.
async fn part<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let read = async {
        stream.shutdown().await.ok();
        let mut rest = stream.take(PART_BYTES);
        tokio::io::copy(&mut rest, &mut tokio::io::sink()).await
    };
    // However it ends, it ends.
    timeout(PART_WITHIN, read).await.ok();
}

/// A stream that may be encrypted.
#[derive(Debug)]
pub(crate) enum Secured<S> {
    /// It is not.
    Plain(S),
    /// Its handshake is under way; dropping it ends that.
    Shaking(AbortOnDropHandle<io::Result<TlsStream<S>>>),
    /// It is.
    Open(Box<TlsStream<S>>),
    /// Its handshake failed.
    Failed,
}

impl<S> Secured<S> {
    /// Ready once it is known what becomes of the handshake.
    fn poll_shaken(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self::Shaking(shaking) = self else {
            return Poll::Ready(Ok(()));
        };
        let shaken = ready!(Pin::new(shaking).poll(cx));
        // Its threads have ended with the tracker.
        let shaken = shaken.unwrap_or_else(|_| Err(io::ErrorKind::ConnectionAborted.into()));
        Poll::Ready(match shaken {
            Ok(stream) => {
                *self = Self::Open(Box::new(stream));
                Ok(())
            }
            Err(error) => {
                *self = Self::Failed;
                Err(error)
            }
        })
    }
}

/// Does with the stream that there is what is asked.
macro_rules! on_stream {
    ($this:ident, $cx:ident, $stream:ident => $call:expr) => {{
        let this = $this.get_mut();
        ready!(this.poll_shaken($cx))?;
        match this {
            Self::Plain($stream) => {
                let $stream = Pin::new($stream);
                $call
            }
            Self::Open($stream) => {
                let $stream = Pin::new(&mut **$stream);
                $call
            }
            Self::Shaking(_) | Self::Failed => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }};
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Secured<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        on_stream!(self, cx, stream => stream.poll_read(cx, buffer))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Secured<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        on_stream!(self, cx, stream => stream.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, cx, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, cx, stream => stream.poll_shutdown(cx))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        on_stream!(self, cx, stream => stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            // A stream of TLS always gathers.
            Self::Shaking(_) | Self::Open(_) | Self::Failed => true,
        }
    }
}
