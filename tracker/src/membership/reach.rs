//! Whether a tracker that a worker lost can be reached from here.

use std::time::Duration;

use tickwheel_core::peer::TLS_GREETING;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A tracker of the same network answers in a millisecond. One that does not within this may be slow, or cut off: its heartbeat decides.
const PATIENCE: Duration = Duration::from_millis(250);
/// What an HTTP/2 client says first, and empty settings: a server answers with its own.
const GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// True when nobody serves this url any more: the connection is refused, or ends before a word. A server that does not answer in time is
/// not gone.
pub(super) async fn is_gone(url: &str) -> bool {
    let (authority, greeting) = match url.split_once("://") {
        Some(("http", authority)) => (authority, GREETING),
        // Who speaks TLS goes on with it, or refuses it, and is there either way.
        Some(("https", authority)) => (authority, TLS_GREETING),
        Some(_) | None => return false,
    };
    let authority = authority.trim_end_matches('/');
    let greeted = tokio::time::timeout(PATIENCE, greet(authority, greeting)).await;
    matches!(greeted, Ok(false))
}

async fn greet(authority: &str, greeting: &[u8]) -> bool {
    let Ok(mut stream) = TcpStream::connect(authority).await else {
        return false;
    };
    let mut word = [0; 1];
    stream.write_all(greeting).await.is_ok() && matches!(stream.read(&mut word).await, Ok(1))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn gone_is_who_refuses_or_hangs_up_not_who_is_slow() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        // Nobody takes the connection, and the system holds it: frozen, not gone.
        assert!(!is_gone(&url).await);
        let hangs_up = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                drop(stream);
            }
        });
        assert!(is_gone(&url).await);
        hangs_up.abort();
        hangs_up.await.unwrap_err();
        assert!(is_gone(&url).await);
        assert!(!is_gone("unix:/x").await);
    }

    #[tokio::test]
    async fn a_server_that_greets_back_is_there() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut said = [0; GREETING.len()];
            stream.read_exact(&mut said).await.unwrap();
            assert_eq!(said, GREETING);
            stream.write_all(b"\0\0\0\x04\0\0\0\0\0").await.unwrap();
        });
        assert!(!is_gone(&url).await);
    }
}
