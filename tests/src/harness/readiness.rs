//! What a tracker says of its health and its figures over HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::wait::until;

/// The answer for `path`: its status line, headers and body.
///
/// # Errors
/// When nobody answers.
pub async fn get(address: SocketAddr, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Waits until `/readyz` is green.
///
/// # Errors
/// What it says instead after `limit`.
pub async fn is_ready(address: SocketAddr, limit: Duration) -> Result<()> {
    until("it is ready", limit, async || {
        let answer = get(address, "/readyz").await?;
        ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        Ok(())
    })
    .await
}

/// Waits until `/readyz` is red for this reason.
///
/// # Errors
/// What it says instead after `limit`.
pub async fn is_red(address: SocketAddr, reason: &str, limit: Duration) -> Result<()> {
    until("it is not ready", limit, async || {
        let answer = get(address, "/readyz").await?;
        ensure!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        ensure!(answer.contains(reason), "{answer}");
        Ok(())
    })
    .await
}
