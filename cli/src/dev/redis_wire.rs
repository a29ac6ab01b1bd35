//! The few words of the Redis protocol that looking after a server process needs: PING, INFO, CONFIG GET, SHUTDOWN.
//!
//! The wheel itself is read and moved by the store only; nothing here touches a key.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Sends one inline command to the server on this loopback port, and returns what it answers within two seconds.
/// `end` says whether the answer is complete.
async fn ask(port: u16, command: &str, end: impl Fn(&str) -> bool) -> std::io::Result<String> {
    let exchange = async {
        let mut stream = TcpStream::connect(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)).await?;
        stream
            .write_all(format!("{command}\r\n").as_bytes())
            .await?;
        let mut answer = String::new();
        let mut buffer = [0_u8; 4096];
        while !end(&answer) {
            let read = stream.read(&mut buffer).await?;
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            answer.push_str(&String::from_utf8_lossy(bytes));
        }
        Ok(answer)
    };
    tokio::time::timeout(ANSWER_TIMEOUT, exchange)
        .await
        .map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))?
}

/// Whether the server serves commands; while it loads its data it answers, but not this.
pub(super) async fn serves(port: u16) -> bool {
    ask(port, "PING", |answer| answer.ends_with("\r\n"))
        .await
        .is_ok_and(|answer| answer.starts_with("+PONG"))
}

/// The process id of the server that listens on the port, if it is a Redis that works in `dir`.
pub(super) async fn pid_of_server_in(port: u16, dir: &str) -> Option<u32> {
    let answer = ask(port, "CONFIG GET dir", |a| {
        a.starts_with('-') || a.matches("\r\n").count() >= 5
    })
    .await
    .ok()?;
    if answer.lines().nth(4)? != dir {
        return None;
    }
    let info = ask(port, "INFO server", |a| {
        a.contains("process_id:") && a.ends_with("\r\n")
    })
    .await
    .ok()?;
    info.lines()
        .find_map(|line| line.strip_prefix("process_id:"))?
        .trim()
        .parse()
        .ok()
}

/// Asks the server to write what it has and end. It ends without an answer.
pub(super) async fn shut_down(port: u16) {
    if let Err(e) = ask(port, "SHUTDOWN", |answer| answer.ends_with("\r\n")).await {
        tracing::debug!(port, error = %e, "shutdown was not answered");
    }
}
