//! A listener that bounds what peers can hold: so many connections, and so long for each.
//!
//! A request and its answer have [`WITHIN`], however slowly their bytes drip in or out; between two requests a connection may rest
//! ([`Clock`]). When there are as many as there may be, one of whoever has most makes room, the oldest that rests or else the oldest: a probe
//! that asks now is answered now, whoever holds the others.

use axum::serve::Listener;
use parking_lot::{Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep_until};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::clock::Clock;
use crate::tls::{Acceptor, Secured, ShownCertificate};

/// Connections of one address at once; loopback has all there are, as everything on a developer's machine comes from there.
const PER_ADDRESS: usize = 16;

/// Accepts [`Bounded`] streams.
pub(super) struct Patient {
    listener: TcpListener,
    acceptor: Acceptor,
    seats: Arc<Seats>,
}

impl Patient {
    pub(super) fn new(listener: TcpListener, acceptor: Acceptor, most: u32) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Self {
            listener,
            acceptor,
            seats: Arc::new(Seats::new(most)),
        }
    }

    /// The next connection, with the certificate that its peer will have shown.
    pub(super) async fn accept(
        &mut self,
    ) -> ((Bounded<Secured<TcpStream>>, ShownCertificate), SocketAddr) {
        // The listener's own accept waits and goes on after errors such as too many open files.
        let (stream, address) = Listener::accept(&mut self.listener).await;
        let seat = self.seats.take(address.ip());
        let (stream, certificate) = self.acceptor.accept(stream);
        ((Bounded::new(stream, seat), certificate), address)
    }
}

/// The connections there are, in the order in which they came.
#[derive(Debug)]
pub(super) struct Seats {
    most: usize,
    taken: Mutex<Taken>,
}

/// A connection that is open.
#[derive(Debug)]
struct Held {
    address: IpAddr,
    leave: CancellationToken,
    clock: Arc<Clock>,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    by_age: BTreeMap<u64, Held>,
}

impl Seats {
    fn new(most: usize) -> Self {
        Self {
            most,
            taken: Mutex::default(),
        }
    }

    /// A seat; another connection may have to leave for it.
    fn take(self: &Arc<Self>, address: IpAddr) -> Seat {
        let address = address.to_canonical();
        let (leave, clock) = (CancellationToken::new(), Arc::new(Clock::new()));
        let mut taken = self.taken();
        let of = |taken: &Taken, whose: IpAddr| {
            let seats = taken.by_age.values();
            seats.filter(|held| held.address == whose).count()
        };
        if of(&taken, address) >= PER_ADDRESS && !address.is_loopback() {
            taken.send_away(address);
        }
        while taken.by_age.len() >= self.most {
            let addresses = taken.by_age.values().map(|held| held.address);
            let Some(greediest) = addresses.max_by_key(|address| of(&taken, *address)) else {
                break;
            };
            taken.send_away(greediest);
        }
        let number = taken.next;
        taken.next += 1;
        let held = Held {
            address,
            leave: leave.clone(),
            clock: Arc::clone(&clock),
        };
        taken.by_age.insert(number, held);
        drop(taken);
        Seat {
            seats: Arc::clone(self),
            number,
            clock,
            leave: Box::pin(leave.cancelled_owned()),
        }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock()
    }
}

impl Taken {
    /// The oldest connection of `whose` that has no request under way, or else the oldest.
    fn send_away(&mut self, whose: IpAddr) {
        let of_whose = || self.by_age.iter().filter(|(_, held)| held.address == whose);
        let resting = of_whose().find(|(_, held)| held.clock.rests());
        let gone = resting.or_else(|| of_whose().next());
        if let Some(number) = gone.map(|(number, _)| *number)
            && let Some(held) = self.by_age.remove(&number)
        {
            held.leave.cancel();
        }
    }
}

/// A connection that is counted until it is dropped.
pub(super) struct Seat {
    seats: Arc<Seats>,
    number: u64,
    clock: Arc<Clock>,
    leave: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.taken().by_age.remove(&self.number);
    }
}

/// A stream that fails when its time is over, or when it has to make room.
pub(super) struct Bounded<S> {
    stream: S,
    limit: Pin<Box<Sleep>>,
    seat: Seat,
}

impl<S> Bounded<S> {
    fn new(stream: S, seat: Seat) -> Self {
        Self {
            stream,
            limit: Box::pin(sleep_until(seat.clock.until())),
            seat,
        }
    }

    /// What tells it how long it has.
    pub(super) fn clock(&self) -> Arc<Clock> {
        Arc::clone(&self.seat.clock)
    }

    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let until = self.seat.clock.until();
        if self.limit.deadline() != until {
            self.limit.as_mut().reset(until);
        }
        if self.limit.as_mut().poll(cx).is_ready() {
            return Poll::Ready(io::ErrorKind::TimedOut.into());
        }
        self.seat
            .leave
            .as_mut()
            .poll(cx)
            .map(|()| io::ErrorKind::ConnectionAborted.into())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(error) = self.poll_over(cx) {
            return Poll::Ready(Err(error));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.seat.clock.begin();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(error) = self.poll_over(cx) {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    // What many are told is written from where it lies, and not copied for each of them.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(error) = self.poll_over(cx) {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(error) = self.poll_over(cx) {
            return Poll::Ready(Err(error));
        }
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if let Poll::Ready(Ok(())) = &flushed {
            self.seat.clock.sent();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(error) = self.poll_over(cx) {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::{Instant, sleep};

    use super::super::clock::{RESTS_WITHIN, WITHIN};
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn pair(seats: &Arc<Seats>, whose: &str) -> (Bounded<DuplexStream>, DuplexStream) {
        let (near, far) = duplex(64);
        (Bounded::new(near, seats.take(address(whose))), far)
    }

    #[tokio::test(start_paused = true)]
    async fn neither_bytes_that_drip_in_nor_answers_that_drip_out_stretch_the_time() {
        let seats = Arc::new(Seats::new(8));
        let (mut dripping, mut far) = pair(&seats, "127.0.0.1");
        let began = Instant::now();
        let drip = tokio::spawn(async move {
            while far.write_all(b"x").await.is_ok() {
                sleep(WITHIN / 8).await;
            }
        });
        let mut byte = [0; 1];
        let error = loop {
            if let Err(error) = dripping.read_exact(&mut byte).await {
                break error;
            }
        };
        assert_eq!(
            (error.kind(), began.elapsed()),
            (io::ErrorKind::TimedOut, WITHIN)
        );
        drip.abort();

        let (mut unread, mut far) = pair(&seats, "127.0.0.1");
        let began = Instant::now();
        let drip = tokio::spawn(async move {
            while far.read_exact(&mut [0; 8]).await.is_ok() {
                sleep(WITHIN / 8).await;
            }
        });
        let error = unread.write_all(&[0; 100_000]).await.unwrap_err();
        assert_eq!(
            (error.kind(), began.elapsed()),
            (io::ErrorKind::TimedOut, WITHIN)
        );
        drip.abort();
    }

    #[tokio::test]
    async fn the_oldest_of_whoever_has_most_makes_room() {
        let seats = Arc::new(Seats::new(4));
        let (mut lonely, _lonely) = pair(&seats, "10.0.0.1");
        let mut greedy: Vec<_> = (0..3).map(|_| pair(&seats, "10.0.0.2")).collect();
        let (mut newest, _newest) = pair(&seats, "10.0.0.1");
        let gone = greedy[0].0.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::ConnectionAborted);
        let rest = greedy.iter_mut().skip(1).map(|(open, _)| open);
        for open in rest.chain([&mut lonely, &mut newest]) {
            open.write_all(b"still there").await.unwrap();
        }
        drop(greedy);
        assert_eq!(seats.taken().by_age.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_rests_leaves_first_and_in_its_own_time() {
        let seats = Arc::new(Seats::new(2));
        let (mut busy, _busy) = pair(&seats, "10.0.0.1");
        let (mut resting, mut far) = pair(&seats, "10.0.0.1");
        far.write_all(b"request").await.unwrap();
        resting.read_exact(&mut [0; 7]).await.unwrap();
        resting.clock().answered();
        resting.write_all(b"answer").await.unwrap();
        resting.flush().await.unwrap();
        sleep(WITHIN / 2).await;
        let (_newest, _newest_far) = pair(&seats, "10.0.0.1");
        let gone = resting.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::ConnectionAborted);
        busy.write_all(b"still there").await.unwrap();

        let seats = Arc::new(Seats::new(2));
        let (mut kept, _far) = pair(&seats, "10.0.0.1");
        kept.clock().answered();
        kept.flush().await.unwrap();
        let began = Instant::now();
        let late = kept.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(
            (late.kind(), began.elapsed()),
            (io::ErrorKind::TimedOut, RESTS_WITHIN)
        );
    }

    #[tokio::test]
    async fn one_address_has_sixteen_and_loopback_all() {
        let seats = Arc::new(Seats::new(40));
        let mut remote: Vec<_> = (0..17).map(|_| pair(&seats, "10.0.0.1")).collect();
        remote[0].0.read(&mut [0; 1]).await.unwrap_err();
        let mut local: Vec<_> = (0..24).map(|_| pair(&seats, "127.0.0.1")).collect();
        assert_eq!(seats.taken().by_age.len(), 40);
        let (mut probe, _far) = pair(&seats, "127.0.0.1");
        local[0].0.read(&mut [0; 1]).await.unwrap_err();
        probe.write_all(b"alive").await.unwrap();
    }
}
