//! Plain Redis commands over a socket: what checks Redis must not read it with the code that is checked.
//!
//! On a Redis Cluster a connection follows the keys of its commands from node to node.

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

/// A command that is sent on more often than this has no home.
const REDIRECTIONS_MAX: usize = 5;

/// The port in `MOVED 3999 127.0.0.1:6381`.
fn moved_to(error: &str) -> Option<u16> {
    let mut words = error.split(' ');
    (words.next() == Some("MOVED")).then(|| words.nth(1)?.rsplit(':').next()?.parse().ok())?
}

/// A connection to one server.
#[derive(Debug)]
pub struct Wire {
    stream: BufStream<TcpStream>,
}

/// A reply. Errors are not values: they end the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Nil,
    /// A number.
    Int(i64),
    /// A text of any bytes.
    Bytes(Vec<u8>),
    /// Several replies.
    List(Vec<Self>),
}

impl Value {
    /// The elements of a list; of anything else, none.
    #[must_use]
    pub fn list(self) -> Vec<Self> {
        match self {
            Self::List(list) => list,
            Self::Nil | Self::Int(_) | Self::Bytes(_) => Vec::new(),
        }
    }

    /// The bytes; a number as its digits.
    #[must_use]
    pub fn bytes(self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Int(number) => number.to_string().into_bytes(),
            Self::Nil | Self::List(_) => Vec::new(),
        }
    }

    /// The bytes as text.
    #[must_use]
    pub fn text(self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}

impl Wire {
    /// Connects to a port of the loopback.
    ///
    /// # Errors
    /// When nothing listens there.
    pub async fn connect(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufStream::new(stream),
        })
    }

    /// Sends one command and answers with its reply.
    ///
    /// # Errors
    /// What the server said, or that it is gone.
    pub async fn command(&mut self, words: &[&str]) -> Result<Value> {
        let name = || format!("redis command {}", words.first().unwrap_or(&""));
        for _ in 0..REDIRECTIONS_MAX {
            match self.once(words).await.with_context(name)? {
                Ok(value) => return Ok(value),
                Err(error) => {
                    let port = moved_to(&error)
                        .with_context(|| format!("redis: {error}"))
                        .with_context(name)?;
                    *self = Self::connect(port).await?;
                }
            }
        }
        bail!("redis sends {} in circles", name())
    }

    /// Sends a command whose words are any bytes; true when the server took it. Not on a Redis Cluster.
    ///
    /// # Errors
    /// When the server is gone.
    pub async fn raw(&mut self, words: &[Vec<u8>]) -> Result<bool> {
        Ok(self.once(words).await?.is_ok())
    }

    /// The reply, or the server's error.
    async fn once(
        &mut self,
        words: &[impl AsRef<[u8]>],
    ) -> Result<std::result::Result<Value, String>> {
        let mut frame = format!("*{}\r\n", words.len()).into_bytes();
        for word in words.iter().map(AsRef::as_ref) {
            frame.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            frame.extend_from_slice(word);
            frame.extend_from_slice(b"\r\n");
        }
        self.stream.write_all(&frame).await?;
        self.stream.flush().await?;
        self.reply().await
    }

    async fn reply(&mut self) -> Result<std::result::Result<Value, String>> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            bail!("redis closed the connection");
        }
        let line = line.trim_end();
        let (kind, rest) = line
            .split_at_checked(1)
            .context("redis sent an empty line")?;
        match kind {
            "+" => Ok(Ok(Value::Bytes(rest.as_bytes().to_vec()))),
            ":" => Ok(Ok(Value::Int(rest.parse()?))),
            "-" => Ok(Err(rest.to_owned())),
            "$" => self.bulk(rest.parse()?).await.map(Ok),
            "*" => {
                let Ok(length) = usize::try_from(rest.parse::<i64>()?) else {
                    return Ok(Ok(Value::Nil));
                };
                let mut list = Vec::with_capacity(length);
                for _ in 0..length {
                    match Box::pin(self.reply()).await? {
                        Ok(value) => list.push(value),
                        Err(error) => bail!("redis: {error}"),
                    }
                }
                Ok(Ok(Value::List(list)))
            }
            other => bail!("redis sent a reply of unknown kind {other:?}"),
        }
    }

    async fn bulk(&mut self, length: i64) -> Result<Value> {
        let Ok(length) = usize::try_from(length) else {
            return Ok(Value::Nil);
        };
        let mut bytes = vec![0; length + 2];
        self.stream.read_exact(&mut bytes).await?;
        bytes.truncate(length);
        Ok(Value::Bytes(bytes))
    }
}
