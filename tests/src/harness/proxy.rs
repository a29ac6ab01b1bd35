//! A TCP proxy between two processes whose behaviour can be switched while connections are open.
//!
//! A stalled connection is what a partition looks like from inside: nothing arrives, nothing ends, and what was sent comes when the
//! partition is over, unless somebody gave up. Rules may name the process at the other end, so that one of several workers is cut off.

mod peer;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use peer::Peer;

/// Bytes taken at once.
const CHUNK: usize = 16 * 1024;
/// Chunks under way in one direction; a stalled peer is held back behind them.
const CHUNKS_MAX: usize = 64;

/// What the proxy does with connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Carries everything.
    Pass,
    /// Carries nothing, and ends nothing.
    Stall,
    /// Carries nothing to the side that dialled.
    StallReplies,
    /// Carries nothing from the side that dialled.
    StallRequests,
    /// Resets connections, those that are open and those that come.
    Reset,
    /// Carries everything so much later.
    Delay(Duration),
    /// Carries so many bytes per second in each direction.
    Throttle(u32),
    /// Tells the side that was dialled that nothing more will come, and carries its answers on.
    HalfClose,
}

/// The modes in force: for everybody, or for the connections of single processes.
#[derive(Debug, Clone)]
struct Rules {
    all: Mode,
    peers: BTreeMap<u32, Mode>,
}

impl Rules {
    fn of(&self, peer: &Peer) -> Mode {
        let own = self
            .peers
            .iter()
            .find(|(pid, _)| peer.is_of(**pid))
            .map(|(_, mode)| *mode);
        own.unwrap_or(self.all)
    }
}

/// A listening proxy. Dropping it resets nothing: its connections end with its task.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    rules: watch::Sender<Rules>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port, and carries to `target`, which need not listen yet.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (rules, watched) = watch::channel(Rules {
            all: Mode::Pass,
            peers: BTreeMap::new(),
        });
        let task = tokio::spawn(async move {
            while let Ok((client, from)) = listener.accept().await {
                let peer = Peer::of(from, address);
                tokio::spawn(carry(client, target, peer, watched.clone()));
            }
        });
        Ok(Self {
            address,
            rules,
            task,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as workers name trackers.
    #[must_use]
    pub fn http_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens, as trackers name Redis.
    #[must_use]
    pub fn redis_url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// From now on, for all connections that have no rule of their own.
    pub fn set(&self, mode: Mode) {
        self.rules.send_modify(|rules| rules.all = mode);
    }

    /// From now on, for the connections of process `pid`; `None`: as for everybody.
    pub fn set_for(&self, pid: u32, mode: Option<Mode>) {
        self.rules.send_modify(|rules| {
            match mode {
                Some(mode) => rules.peers.insert(pid, mode),
                None => rules.peers.remove(&pid),
            };
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A connection's view of the rules.
#[derive(Clone)]
struct Watch {
    peer: Peer,
    rules: watch::Receiver<Rules>,
}

impl Watch {
    /// Waits until the mode fulfils `wanted`, and answers with it. Never ends once the proxy is gone.
    async fn until(&mut self, wanted: impl Fn(Mode) -> bool) -> Mode {
        loop {
            let mode = self.rules.borrow_and_update().of(&self.peer);
            if wanted(mode) {
                return mode;
            }
            if self.rules.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Requests,
    Replies,
}

impl Way {
    fn is_open(self, mode: Mode) -> bool {
        match mode {
            Mode::Stall => false,
            Mode::StallReplies => self == Self::Requests,
            Mode::StallRequests => self == Self::Replies,
            Mode::Pass | Mode::Reset | Mode::Delay(_) | Mode::Throttle(_) | Mode::HalfClose => true,
        }
    }
}

async fn carry(
    client: TcpStream,
    target: SocketAddr,
    peer: Peer,
    rules: watch::Receiver<Rules>,
) -> Result<()> {
    let mut watch = Watch { peer, rules };
    let mode = watch
        .until(|mode| mode != Mode::Stall && mode != Mode::StallRequests)
        .await;
    if mode == Mode::Reset {
        client.set_zero_linger()?;
        return Ok(());
    }
    let Ok(server) = TcpStream::connect(target).await else {
        client.set_zero_linger()?;
        return Ok(());
    };
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, mut to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    let mut resets = watch.clone();
    let reset = tokio::select! {
        _ = resets.until(|mode| mode == Mode::Reset) => true,
        // A side that is gone takes the other one with it at once, as it would without a proxy.
        carried = async { tokio::try_join!(
            pump(Way::Requests, from_client, &mut to_server, watch.clone()),
            pump(Way::Replies, from_server, &mut to_client, watch.clone()),
        ) } => carried.is_err(),
    };
    if reset {
        for end in [to_client, to_server] {
            end.as_ref().set_zero_linger()?;
            end.forget();
        }
    }
    Ok(())
}

/// Carries one way until its end. An error when a side is gone without saying so.
async fn pump(
    way: Way,
    mut from: OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    watch: Watch,
) -> std::io::Result<()> {
    let (queue, mut queued) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS_MAX);
    let (mut half, mut reading, mut writing) = (watch.clone(), watch.clone(), watch);
    let read = async move {
        let mut chunk = vec![0; CHUNK];
        loop {
            reading.until(|mode| way.is_open(mode)).await;
            let length = from.read(&mut chunk).await?;
            let bytes = chunk.get(..length).unwrap_or_default().to_vec();
            if length == 0 || queue.send((Instant::now(), bytes)).await.is_err() {
                return Ok::<(), std::io::Error>(());
            }
        }
    };
    let write = async {
        while let Some((since, bytes)) = queued.recv().await {
            match writing.until(|mode| way.is_open(mode)).await {
                Mode::Delay(delay) => tokio::time::sleep_until(since + delay).await,
                Mode::Throttle(rate) => {
                    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                    let span = Duration::from_secs(1) * length / rate.max(1);
                    tokio::time::sleep(span).await;
                }
                Mode::Pass
                | Mode::Stall
                | Mode::StallReplies
                | Mode::StallRequests
                | Mode::Reset
                | Mode::HalfClose => {}
            }
            to.write_all(&bytes).await?;
        }
        Ok(())
    };
    let closed = async {
        half.until(|mode| mode == Mode::HalfClose && way == Way::Requests)
            .await;
    };
    tokio::select! {
        (read, write) = async { tokio::join!(read, write) } => read.and(write)?,
        () = closed => {}
    }
    to.shutdown().await
}

#[cfg(test)]
mod tests;
