//! A server on loopback that is called back: it answers what it is told to, and remembers who called, with what and when.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::clock::wall_us;

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// When the last byte of it had come, by [`wall_us`].
    pub at_us: u64,
    /// The request line and the headers.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Called {
    /// The path.
    #[must_use]
    pub fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// A header; empty where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let mut pairs = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = pairs.find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }
}

/// See the module. Dropping it ends it.
#[derive(Debug)]
pub struct Canary {
    /// Where it listens.
    pub address: SocketAddr,
    calls: Arc<Mutex<Vec<Called>>>,
    _serving: JoinSet<()>,
}

impl Canary {
    /// Answers the first calls with these statuses, and every further one with 200.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start(first: &[u16]) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (calls, first) = (Arc::default(), first.to_vec());
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, Arc::clone(&calls), first));
        Ok(Self {
            address,
            calls,
            _serving: serving,
        })
    }

    /// A URL of it.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Everything that came so far, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Called> {
        self.calls.lock().clone()
    }
}

async fn serve(listener: TcpListener, calls: Arc<Mutex<Vec<Called>>>, first: Vec<u16>) {
    let mut open = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        while open.try_join_next().is_some() {}
        let (calls, first) = (Arc::clone(&calls), first.clone());
        open.spawn(async move {
            // Whoever breaks off did not call.
            answer(stream, &calls, &first).await.ok();
        });
    }
}

async fn answer(mut stream: TcpStream, calls: &Mutex<Vec<Called>>, first: &[u16]) -> Result<()> {
    let (mut text, mut some) = (Vec::new(), [0; 4096]);
    let (head, body) = loop {
        let read = stream.read(&mut some).await?;
        anyhow::ensure!(read > 0, "it broke off");
        text.extend_from_slice(some.get(..read).context("what was read")?);
        if let Some(whole) = whole(&text) {
            break whole;
        }
    };
    let status = {
        let mut calls = calls.lock();
        let at_us = wall_us();
        calls.push(Called { at_us, head, body });
        first.get(calls.len() - 1).copied().unwrap_or(200)
    };
    let said = format!("HTTP/1.1 {status} x\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
    stream.write_all(said.as_bytes()).await?;
    Ok(stream.shutdown().await?)
}

/// Head and body, when all of it is there.
fn whole(text: &[u8]) -> Option<(String, String)> {
    let text = str::from_utf8(text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lengths = head.lines().filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        value.parse::<usize>().ok().filter(|_| is_length)
    });
    let length = lengths.next().unwrap_or(0);
    (body.len() >= length).then(|| (head.to_owned(), body.to_owned()))
}
