//! What stands where a tracker is expected: callers and workers say so when a call fails.

use std::time::Duration;

use tickwheel_core::peer::{PLAIN_GREETING, Peer, TLS_GREETING};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::trust::{SPEAKS_NONE, SPEAKS_TLS};

/// How long whoever answers is asked what it is.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is said of a server of HTTP that does not know the services of trackers.
const WEB: &str = "a web server answers there: is it the tracker's port for health and metrics? callers and workers have another one, 7400 as a rule (tracker.grpc_listen)";

/// Who answered a call, by the message of its status, where it was a server of HTTP/2 that knows no gRPC.
#[must_use]
pub fn knows_no_grpc(message: &str) -> Option<&'static str> {
    message
        .starts_with("grpc-status header missing")
        .then_some(WEB)
}

/// Who answers at `url` in place of a tracker, in words, with what to do; `None` where nobody does, or it is not known who. It takes two
/// connections and two seconds at most, and may be dropped at any time.
pub async fn in_place_of_tracker(url: &str) -> Option<&'static str> {
    let address = address(url)?;
    let peer = match ask(&address, PLAIN_GREETING).await {
        None => ask(&address, TLS_GREETING).await?,
        Some(peer) => peer,
    };
    match peer {
        Peer::Redis => Some(
            "a redis answers there, and no tracker: trackers have port 7400 as a rule (tracker.grpc_listen)",
        ),
        Peer::Tls if url.starts_with("https://") => None,
        Peer::Tls => {
            Some("what answers there speaks TLS: write https://, or name the address behind it")
        }
        Peer::Http => Some(WEB),
        Peer::Http2 => None,
    }
}

/// What is wrong with a URL that no tracker can have, and what to write.
#[must_use]
pub fn mistake(url: &str) -> Option<String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Some(format!("it has no scheme: write http://{url}"));
    };
    if scheme == "https" {
        return (!SPEAKS_TLS).then(|| SPEAKS_NONE.to_owned());
    }
    if scheme.starts_with("redis") || scheme.starts_with("valkey") {
        return Some(
            "that is the URL of a redis, which only trackers talk to: a tracker has http://host:7400"
                .to_owned(),
        );
    }
    (scheme != "http").then(|| format!("`{scheme}` is no scheme of trackers: write http://{rest}"))
}

/// Host and port of a URL.
fn address(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?']).next()?.rsplit('@').next()?;
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    Some(if has_port {
        host.to_owned()
    } else {
        let port = if scheme == "https" { 443 } else { 80 };
        format!("{host}:{port}")
    })
}

/// Who answers a greeting; `None` where nobody does within [`PATIENCE`], or nobody who is known.
async fn ask(address: &str, greeting: &[u8]) -> Option<Peer> {
    let asked = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        stream.write_all(greeting).await.ok()?;
        let mut answer = [0; 16];
        let mut read = 0;
        while let Some(room) = answer.get_mut(read..).filter(|room| !room.is_empty()) {
            match stream.read(room).await {
                Ok(0) | Err(_) => break,
                Ok(some) => read += some,
            }
            let peer = Peer::of(answer.get(..read)?);
            if peer.is_some() {
                return peer;
            }
        }
        None
    };
    timeout(PATIENCE, asked).await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn what_no_tracker_can_have_says_what_to_write() {
        for (url, said) in [
            ("127.0.0.1:7400", "write http://127.0.0.1:7400"),
            ("redis://h:6379", "URL of a redis"),
            ("ftp://h", "write http://h"),
        ] {
            let found = mistake(url).unwrap_or_default();
            assert!(found.contains(said), "{url}: {found}");
        }
        assert_eq!(mistake("http://h:7400"), None);
        assert_eq!(mistake("https://h:7400").is_none(), SPEAKS_TLS);
    }

    #[test]
    fn an_answer_without_a_grpc_status_is_of_a_web_server() {
        let missing = "grpc-status header missing, mapped from HTTP status code 404";
        assert!(knows_no_grpc(missing).is_some());
        assert_eq!(knows_no_grpc("this tracker is draining"), None);
    }

    #[tokio::test]
    async fn whoever_answers_in_place_of_a_tracker_is_named() {
        for (answer, said) in [
            (&b"-ERR unknown command\r\n"[..], Some("a redis answers")),
            (b"HTTP/1.1 400 Bad Request\r\n", Some("health and metrics")),
            (&[0x15, 3, 3, 0, 2, 2, 40], Some("speaks TLS")),
            (&[0, 0, 6, 4, 0, 0, 0, 0, 0], None),
            (b"", None),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            tokio::spawn(async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    let mut heard = [0; 8];
                    stream.read_exact(&mut heard).await.ok();
                    stream.write_all(answer).await.ok();
                }
            });
            let found = in_place_of_tracker(&url).await;
            assert_eq!(found.is_some(), said.is_some(), "{answer:?}: {found:?}");
            let said = said.unwrap_or_default();
            assert!(found.unwrap_or_default().contains(said), "{found:?}");
        }
    }
}
