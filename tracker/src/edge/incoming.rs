//! Accepting connections for gRPC: only as many as there may be, and on after every error.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use tokio::net::{TcpListener, TcpStream};

use super::peers::{Full, Peers, Seat};
use super::seldom::Seldom;
use super::stream::Watched;
use crate::metrics::measure;
use crate::tls::{Acceptor, Secured};

/// After an error such as too many open files; without it a full table would be asked for as fast as the machine can.
const PAUSE: Duration = Duration::from_millis(100);

struct Door {
    listener: TcpListener,
    peers: Arc<Peers>,
    acceptor: Acceptor,
    refused: Seldom,
    failed: Seldom,
}

/// The connections that `listener` accepts and `peers` has seats for, each as `acceptor` has it; without end.
pub(crate) fn incoming(
    listener: TcpListener,
    peers: Arc<Peers>,
    acceptor: Acceptor,
) -> impl Stream<Item = std::io::Result<Watched<Secured<TcpStream>>>> {
    let door = Door {
        listener,
        peers,
        acceptor,
        refused: Seldom::default(),
        failed: Seldom::default(),
    };
    futures::stream::unfold(door, async |door| {
        let next = door.next().await;
        Some((Ok(next), door))
    })
}

impl Door {
    async fn next(&self) -> Watched<Secured<TcpStream>> {
        loop {
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    if let Some(seat) = self.seat(address) {
                        // A stream that cannot be told has ended; its reader will see.
                        stream.set_nodelay(true).ok();
                        return Watched::new(self.acceptor.accept(stream), address, seat);
                    }
                }
                Err(error) => {
                    if let Some(times) = self.failed.due() {
                        tracing::warn!(%error, times, "connections cannot be accepted");
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Without one, the connection is closed at once: its peer looks for another tracker, instead of waiting.
    fn seat(&self, address: SocketAddr) -> Option<Seat> {
        let full = match self.peers.seat(address.ip()) {
            Ok(seat) => return Some(seat),
            Err(full) => full,
        };
        let (reason, key) = match full {
            Full::All => ("full", "grpc_connections"),
            Full::Address => ("address", "grpc_connections_per_address"),
        };
        measure::connection_closed(reason);
        if let Some(times) = self.refused.due() {
            tracing::warn!(%address, times, key, "connections are refused: there are as many as this key allows");
        }
        None
    }
}
