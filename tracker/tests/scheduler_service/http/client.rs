//! A caller of HTTP that writes its bytes itself.

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Caller, configured, serving};

/// A tracker with HTTP, its caller of gRPC, and where HTTP is.
pub(super) async fn served() -> Option<(Caller, Http)> {
    let mut config = configured()?;
    config.http_listen = Some(([127, 0, 0, 1], 0).into());
    let caller = serving(config).await;
    let address = caller.http.unwrap();
    Some((caller, Http { address }))
}

/// Where HTTP is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Http {
    pub(super) address: SocketAddr,
}

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// One answer, and the bytes behind it.
    pub(super) fn parse(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let mut reply = Self {
            status,
            head,
            body: Vec::new(),
        };
        let length = reply
            .header("content-length")
            .map_or(0, |length| length.parse().unwrap());
        let rest = &bytes[end + 4..];
        reply.body = rest.get(..length)?.to_vec();
        Some((reply, &rest[length..]))
    }

    pub(super) fn header(&self, name: &str) -> Option<String> {
        let lines = self.head.lines().skip(1);
        let mut pairs = lines.filter_map(|line| line.split_once(':'));
        let found = pairs.find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim().to_owned())
    }

    pub(super) fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The problem, which has the shape of all of them.
    pub(super) fn problem(&self) -> Value {
        assert_eq!(
            self.header("content-type").as_deref(),
            Some("application/problem+json"),
            "{self:?}"
        );
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        let code = problem["code"].as_str().unwrap();
        assert_eq!(problem["type"], format!("urn:tickwheel:error:{code}"));
        assert!(
            problem["title"]
                .as_str()
                .is_some_and(|title| !title.is_empty())
        );
        assert!(
            problem["detail"]
                .as_str()
                .is_some_and(|detail| !detail.is_empty())
        );
        assert_eq!(
            problem["request_id"].as_str(),
            self.header("x-request-id").as_deref()
        );
        problem
    }

    /// The fields of its violations.
    pub(super) fn fields(&self) -> Vec<String> {
        assert_eq!(self.status, 400, "{self:?}");
        let problem = self.problem();
        let violations = problem["violations"].as_array().unwrap();
        let field = |one: &Value| one["field"].as_str().unwrap().to_owned();
        violations.iter().map(field).collect()
    }
}

impl Http {
    /// Everything that is answered to some bytes until the connection ends.
    pub(super) async fn raw(self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // What is refused early is not read to its end.
        stream.write_all(bytes).await.ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok();
        answer
    }

    /// Asks for a path below `/api/v1`.
    pub(super) async fn ask(
        self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let path = format!("/api/v1{path}");
        self.ask_at(method, &path, headers, body).await
    }

    /// Asks for any path.
    pub(super) async fn ask_at(
        self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        let typed = headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if !body.is_empty() {
            if !typed {
                head += "Content-Type: application/json\r\n";
            }
            write!(head, "Content-Length: {}\r\n", body.len()).unwrap();
        }
        head += "Connection: close\r\n\r\n";
        let answer = self.raw(&[head.as_bytes(), body].concat()).await;
        let text = String::from_utf8_lossy(&answer).into_owned();
        let (reply, rest) =
            Reply::parse(&answer).unwrap_or_else(|| panic!("{method} {path}: {text}"));
        assert!(rest.is_empty(), "{text}");
        reply
    }

    /// The same by who shows a token.
    pub(super) async fn ask_as(self, token: &str, method: &str, path: &str, body: &str) -> Reply {
        let shown = format!("Bearer {token}");
        self.ask(method, path, &[("Authorization", &shown)], body.as_bytes())
            .await
    }

    pub(super) async fn get(self, path: &str) -> Reply {
        self.ask("GET", path, &[], b"").await
    }

    pub(super) async fn post(self, path: &str, body: &str) -> Reply {
        self.ask("POST", path, &[], body.as_bytes()).await
    }
}
