//! A few commands to a Redis without a client library: requests are written in one go, answers are read in their order.
//!
//! The bench measures Redis; what stands between it and Redis must cost next to nothing and be the same in every run.

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A status or a string.
    Text(Vec<u8>),
    /// An integer.
    Number(i64),
    /// Nothing.
    Nil,
    /// An error, as Redis worded it.
    Refused(String),
    /// A list.
    List(Vec<Answer>),
}

impl Answer {
    /// As text; numbers in decimal, lists and nothing as the empty string.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Self::Number(number) => number.to_string(),
            Self::Refused(text) => text.clone(),
            Self::Nil | Self::List(_) => String::new(),
        }
    }

    /// The elements of a list; nothing else has any.
    pub(crate) fn list(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            Self::Text(_) | Self::Number(_) | Self::Nil | Self::Refused(_) => &[],
        }
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: BufReader<TcpStream>,
}

impl Wire {
    /// Connects to `host:port`.
    pub(crate) async fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("no Redis at {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::with_capacity(256 * 1024, stream),
        })
    }

    /// Sends one command and reads its answer; an error answer is an error.
    pub(crate) async fn call<W: AsRef<[u8]>>(&mut self, words: &[W]) -> Result<Answer> {
        let mut request = Vec::new();
        append(&mut request, words);
        self.send(&request).await?;
        let answer = self.answer().await?;
        if let Answer::Refused(text) = &answer {
            bail!("Redis: {text}");
        }
        Ok(answer)
    }

    /// Sends what [`append`] has made.
    pub(crate) async fn send(&mut self, requests: &[u8]) -> Result<()> {
        self.stream.get_mut().write_all(requests).await?;
        Ok(())
    }

    /// Reads the next answer.
    pub(crate) async fn answer(&mut self) -> Result<Answer> {
        let mut open: Vec<(usize, Vec<Answer>)> = Vec::new();
        loop {
            let mut answer = match self.item().await? {
                Item::Whole(answer) => answer,
                Item::List(0) => Answer::List(Vec::new()),
                Item::List(size) => {
                    open.push((size, Vec::with_capacity(size)));
                    continue;
                }
            };
            loop {
                let Some((size, mut items)) = open.pop() else {
                    return Ok(answer);
                };
                items.push(answer);
                if items.len() < size {
                    open.push((size, items));
                    break;
                }
                answer = Answer::List(items);
            }
        }
    }

    async fn item(&mut self) -> Result<Item> {
        let mut line = String::new();
        ensure!(
            self.stream.read_line(&mut line).await? > 0,
            "Redis closed the connection"
        );
        let line = line.trim_end();
        let (kind, rest) = line.split_at_checked(1).context("an empty answer")?;
        Ok(Item::Whole(match kind {
            "+" => Answer::Text(rest.as_bytes().to_vec()),
            "-" => Answer::Refused(rest.to_owned()),
            ":" => Answer::Number(rest.parse()?),
            "$" | "*" if rest.starts_with('-') => Answer::Nil,
            "$" => {
                let size: usize = rest.parse()?;
                let mut bytes = vec![0; size + 2];
                self.stream.read_exact(&mut bytes).await?;
                bytes.truncate(size);
                Answer::Text(bytes)
            }
            "*" => return Ok(Item::List(rest.parse()?)),
            other => bail!("an answer of an unknown kind: {other}"),
        }))
    }
}

enum Item {
    Whole(Answer),
    /// A list of so many elements, which follow.
    List(usize),
}

/// Appends one command to `request`.
pub(crate) fn append<W: AsRef<[u8]>>(request: &mut Vec<u8>, words: &[W]) {
    request.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        let word = word.as_ref();
        request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        request.extend_from_slice(word);
        request.extend_from_slice(b"\r\n");
    }
}
