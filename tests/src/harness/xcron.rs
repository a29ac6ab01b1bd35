//! A client of the endpoints of xcron, which keeps its connection, and a worker that calls back to this machine.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::{Value, json};
use tickwheel_http_handler::{Guard, HttpHandler};
use tickwheel_worker::{RunningWorker, Worker};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::TcpStream;

/// What trackers and workers of a rig may call: this machine.
#[must_use]
pub fn loopback() -> Guard {
    Guard {
        allow: "127.0.0.1".parse().unwrap_or_default(),
        ports: "1-65535".parse().unwrap_or_default(),
        ..Guard::default()
    }
}

/// A worker with the handler `http` in the group of tasks.
///
/// # Errors
/// When it does not start.
pub fn worker(trackers: &[String]) -> Result<RunningWorker> {
    let handler = HttpHandler::new(loopback()).map_err(|error| anyhow!("{error}"))?;
    let builder = Worker::builder(trackers.join(","))
        .name("callbacks")
        .group("xcron")
        .concurrency(64)
        .handler(HttpHandler::NAME, handler);
    Ok(builder.start()?)
}

/// A connection to a tracker.
#[derive(Debug)]
pub struct Xcron {
    stream: BufStream<TcpStream>,
}

impl Xcron {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let stream = BufStream::new(stream);
        Ok(Self { stream })
    }

    /// Creates a task whose callback has this body, if one; answers with its id.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn create(
        &mut self,
        (kind, format): (u8, &str),
        url: &str,
        body: Option<Value>,
    ) -> Result<String> {
        let mut callback = json!({ "url": url });
        if let (Some(map), Some(body)) = (callback.as_object_mut(), body) {
            map.insert("body".to_owned(), body);
        }
        let task = json!({ "type": kind, "format": format, "callback": callback });
        let made = self.post("createTask", &task).await?;
        ensure!(made.get("code") == Some(&json!(0)), "{task}: {made}");
        let id = made.pointer("/data/task_id").and_then(Value::as_str);
        id.map(str::to_owned).context("an id")
    }

    /// Deletes a task; answers with the code.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn delete(&mut self, id: &str) -> Result<u64> {
        let answer = self.post("deleteTask", &json!({ "task_id": id })).await?;
        let code = answer.get("code").and_then(Value::as_u64);
        code.with_context(|| answer.to_string())
    }

    /// Reads a task; answers with the code and what is said of the task.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn query(&mut self, id: &str) -> Result<(u64, Value)> {
        let head = format!("GET /xcron/queryTask?task_id={id} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        let mut answer = self.ask(head.as_bytes()).await?;
        let code = answer.get("code").and_then(Value::as_u64);
        let code = code.with_context(|| answer.to_string())?;
        Ok((
            code,
            answer.get_mut("data").map(Value::take).unwrap_or_default(),
        ))
    }

    async fn post(&mut self, path: &str, body: &Value) -> Result<Value> {
        let body = body.to_string();
        let request = format!(
            "POST /xcron/{path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.ask(request.as_bytes()).await
    }

    async fn ask(&mut self, request: &[u8]) -> Result<Value> {
        self.stream.write_all(request).await?;
        self.stream.flush().await?;
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let from = head.len();
            let read = self.stream.read_line(&mut head).await?;
            ensure!(read > 0, "the connection ended: {head}");
            let line = head.get(from..).unwrap_or_default().trim_end();
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(": ")
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.parse()?;
            }
        }
        ensure!(head.starts_with("HTTP/1.1 200"), "{head}");
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok(serde_json::from_slice(&body)?)
    }
}
