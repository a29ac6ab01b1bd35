//! Who is connected by gRPC, and whether one more may be.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::memory::{MEMORY_OF_CONNECTION, permits};
use crate::access::network_of;

/// An answer that its caller has not taken after so long ends its connection.
const TAKE_WITHIN: Duration = Duration::from_secs(60);

/// The connections of this tracker, counted in all and by address.
#[derive(Debug)]
pub(crate) struct Peers {
    max: u32,
    per_address: u32,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: u32,
    by_address: HashMap<IpAddr, u32>,
}

/// Why a connection is closed at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// There are as many as there may be.
    All,
    /// Its address has as many as one may have.
    Address,
}

impl Peers {
    /// So many connections in all, and of one address; loopback addresses share the first bound only.
    pub(crate) fn new(max: u32, per_address: u32) -> Arc<Self> {
        Arc::new(Self {
            max,
            per_address,
            open: Mutex::default(),
        })
    }

    /// A seat for a connection from `address`, kept until it is dropped.
    pub(crate) fn seat(self: &Arc<Self>, address: IpAddr) -> Result<Seat, Full> {
        let address = address.to_canonical();
        let counted = network_of(address);
        let mut open = self.open();
        if open.all >= self.max {
            return Err(Full::All);
        }
        let of_address = open.by_address.entry(counted).or_default();
        if *of_address >= self.per_address && !address.is_loopback() {
            return Err(Full::Address);
        }
        *of_address += 1;
        open.all += 1;
        drop(open);
        Ok(Seat {
            peers: Arc::clone(self),
            counted,
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock()
    }
}

/// A connection that is counted.
#[derive(Debug)]
pub(crate) struct Seat {
    peers: Arc<Peers>,
    counted: IpAddr,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.peers.open();
        open.all = open.all.saturating_sub(1);
        if let Some(count) = open.by_address.get_mut(&self.counted) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.by_address.remove(&self.counted);
            }
        }
    }
}

/// What the calls of one connection have in common.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// What its messages may take in memory together.
    pub(super) memory: Arc<Semaphore>,
    answers: Arc<Mutex<Answers>>,
}

#[derive(Debug, Default)]
struct Answers {
    next: u64,
    /// Since when each answer waits to be taken.
    waiting: std::collections::BTreeMap<u64, Instant>,
}

impl Connection {
    pub(super) fn new() -> Self {
        Self {
            memory: Arc::new(Semaphore::new(permits(MEMORY_OF_CONNECTION))),
            answers: Arc::default(),
        }
    }

    /// An answer is ready: until what is returned is dropped, its caller has not taken all of it.
    pub(super) fn answering(&self) -> Answering {
        let mut answers = self.answers.lock();
        let number = answers.next;
        answers.next += 1;
        answers.waiting.insert(number, Instant::now());
        drop(answers);
        Answering {
            answers: Arc::clone(&self.answers),
            number,
        }
    }

    /// Whether an answer waits for longer than a caller may need to take it.
    pub(super) fn is_stuck(&self, now: Instant) -> bool {
        let oldest = self.answers.lock().waiting.values().next().copied();
        oldest.is_some_and(|since| now >= since + TAKE_WITHIN)
    }
}

/// An answer that waits to be taken.
#[derive(Debug)]
pub(super) struct Answering {
    answers: Arc<Mutex<Answers>>,
    number: u64,
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.answers.lock().waiting.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn seats_are_bounded_in_all_and_by_address_and_free_again() {
        let peers = Peers::new(5, 2);
        let first = peers.seat(address("10.0.0.1")).unwrap();
        let _second = peers.seat(address("::ffff:10.0.0.1")).unwrap();
        assert_eq!(peers.seat(address("10.0.0.1")).unwrap_err(), Full::Address);
        drop(first);
        let _again = peers.seat(address("10.0.0.1")).unwrap();
        let loopback = address("127.0.0.1");
        let _loopback = [0; 3].map(|_| peers.seat(loopback).unwrap());
        assert_eq!(peers.seat(loopback).unwrap_err(), Full::All);
        assert_eq!(peers.seat(address("10.0.0.2")).unwrap_err(), Full::All);
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let peers = Peers::new(5, 1);
        let _seat = peers.seat(address("2001:db8::1")).unwrap();
        assert_eq!(
            peers.seat(address("2001:db8::2")).unwrap_err(),
            Full::Address
        );
        let _other = peers.seat(address("2001:db8:0:1::1")).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_stuck_when_its_oldest_answer_is_not_taken() {
        let connection = Connection::new();
        let taken = connection.answering();
        tokio::time::advance(TAKE_WITHIN / 2).await;
        let waiting = connection.answering();
        drop(taken);
        tokio::time::advance(TAKE_WITHIN / 2).await;
        assert!(!connection.is_stuck(Instant::now()));
        tokio::time::advance(TAKE_WITHIN / 2).await;
        assert!(connection.is_stuck(Instant::now()));
        drop(waiting);
        assert!(!connection.is_stuck(Instant::now()));
    }
}
