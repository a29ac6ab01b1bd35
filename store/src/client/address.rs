//! Addresses of Redis that cannot work, and why one that could does not: another port, or another protocol, is mistaken for it.

use std::time::Duration;

use tickwheel_core::peer::{PLAIN_GREETING, Peer, TLS_GREETING};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::setup::Topology;
use super::tls::is_meant;

/// The schemes of URLs, without what may stand behind them.
const SCHEMES: [&str; 4] = ["redis", "rediss", "valkey", "valkeys"];
/// What may stand behind a scheme.
const ENDINGS: [&str; 3] = ["", "-cluster", "-sentinel"];
/// How long a server is asked what it is.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is wrong with a URL that cannot be one of Redis, and what to write.
pub(super) fn mistake(url: &str) -> Option<String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        // No password is shown: what stands before an @ stays away.
        let host = url.rsplit('@').next().unwrap_or_default();
        return Some(format!(
            "it has no scheme: write redis://{host}, or rediss://{host} for TLS"
        ));
    };
    if scheme.ends_with("+unix") {
        return Some(
            "unix sockets are not supported: have redis listen on a port of 127.0.0.1".to_owned(),
        );
    }
    if rest.is_empty() || rest.starts_with('/') {
        return Some(format!(
            "it names no host: write {scheme}://host:{}",
            usual_port(scheme)
        ));
    }
    if matches!(scheme, "http" | "https") {
        return Some(
            "that is the URL of a tracker or of a web server; redis has redis://host:6379, or rediss:// for TLS"
                .to_owned(),
        );
    }
    let known = SCHEMES.iter().any(|known| {
        scheme
            .strip_prefix(known)
            .is_some_and(|ending| ENDINGS.contains(&ending))
    });
    (!known).then(|| {
        format!(
            "`{scheme}` is no scheme of redis: redis, rediss (TLS), redis-cluster and redis-sentinel are"
        )
    })
}

/// The same URL, or scheme, without TLS.
pub(super) fn without_tls(url: &str) -> String {
    let url = url.replacen("rediss", "redis", usize::from(url.starts_with("rediss")));
    url.replacen("valkeys", "valkey", usize::from(url.starts_with("valkeys")))
}

/// Why nobody answered at `url` as Redis does, where what stands there can be told; with what to write.
pub(super) async fn what_to_do(url: &str, topology: Topology, details: &str) -> String {
    if topology == Topology::Cluster && details.contains("lookup address") {
        return " (a node that never met another does not know its own address, and names none: set `cluster-announce-ip` on it)".to_owned();
    }
    if topology == Topology::Cluster && details.contains("not valid for name") {
        return " (nodes are named as they announce themselves: their certificates have to have that address, or set `cluster-announce-hostname` and \
                `cluster-preferred-endpoint-type hostname` on them)"
            .to_owned();
    }
    let (Some((scheme, _)), Some(address)) = (url.split_once("://"), address(url)) else {
        return String::new();
    };
    let has_tls = is_meant(url);
    let mut peer = ask(&address, PLAIN_GREETING).await;
    if peer.is_none() && !has_tls {
        peer = ask(&address, TLS_GREETING).await;
    }
    let plain = without_tls(scheme);
    match peer {
        Some(Peer::Redis) if has_tls => {
            format!(" (the server there speaks without TLS: write {plain}://, or its TLS port)")
        }
        Some(Peer::Tls) if !has_tls => {
            let secret = scheme.replacen("redis", "rediss", 1);
            let secret = secret.replacen("valkey", "valkeys", 1);
            format!(" (what answers there speaks TLS: write {secret}://)")
        }
        Some(Peer::Http) => " (a web server answers there, and no redis: is it the port of a tracker's health and metrics? redis has 6379 as a rule)".to_owned(),
        Some(Peer::Http2) => " (a server of HTTP/2 answers there, such as a tracker, and no redis: redis has 6379 as a rule)".to_owned(),
        Some(Peer::Redis | Peer::Tls) | None => String::new(),
    }
}

/// Whether Redis answers there without TLS.
pub(super) async fn is_plain(address: &str) -> bool {
    ask(address, PLAIN_GREETING).await == Some(Peer::Redis)
}

/// The port of a URL that names none.
fn usual_port(scheme: &str) -> u16 {
    if scheme.ends_with("-sentinel") {
        26_379
    } else {
        6_379
    }
}

/// Host and port of the first server of a URL.
fn address(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    let host = authority.rsplit('@').next()?;
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    Some(if has_port {
        host.to_owned()
    } else {
        format!("{host}:{}", usual_port(scheme))
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
    fn what_cannot_be_an_address_of_redis_says_what_to_write() {
        for (url, said) in [
            ("db:6379", "write redis://db:6379"),
            ("user:secret@db:6379", "write redis://db:6379"),
            ("", "has no scheme"),
            ("http://127.0.0.1:7400", "URL of a tracker"),
            ("https://redis.example", "rediss:// for TLS"),
            ("redis+unix:///tmp/r.sock", "unix sockets"),
            ("redis+unix://h/tmp/r.sock", "unix sockets"),
            ("redis://", "write redis://host:6379"),
            ("redis-sentinel://", "write redis-sentinel://host:26379"),
            ("postgres://h:5432", "no scheme of redis"),
            ("rediss-tls://h", "no scheme of redis"),
        ] {
            let found = mistake(url).unwrap_or_default();
            assert!(found.contains(said), "{url}: {found}");
            assert!(!found.contains("secret"), "{found}");
        }
        for url in [
            "redis://h",
            "rediss://u:p@h:6380/1",
            "redis-cluster://h:7000?node=i:7001",
            "redis-sentinel://h:26379?sentinelServiceName=main",
            "valkeys-cluster://h",
        ] {
            assert_eq!(mistake(url), None, "{url}");
        }
    }

    #[test]
    fn the_first_server_of_a_url_is_the_one_that_is_asked() {
        for (url, host) in [
            ("redis://h", "h:6379"),
            ("redis-sentinel://h?sentinelServiceName=m", "h:26379"),
            ("rediss-sentinel://u:p@h:5000", "h:5000"),
            ("rediss://u:p@h:6380/1", "h:6380"),
            ("redis-cluster://h:7000?node=i:7001", "h:7000"),
            ("redis://[::1]", "[::1]:6379"),
        ] {
            assert_eq!(address(url).as_deref(), Some(host), "{url}");
        }
    }

    /// Somebody who answers each connection with these bytes.
    async fn somebody(answer: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut heard = [0; 8];
                stream.read_exact(&mut heard).await.ok();
                stream.write_all(answer).await.ok();
            }
        });
        address
    }

    #[tokio::test]
    async fn whoever_answers_in_the_place_of_redis_is_named() {
        for (scheme, answer, said) in [
            ("rediss", &b"+PONG\r\n"[..], "write redis://"),
            ("rediss-cluster", b"-NOAUTH x\r\n", "write redis-cluster://"),
            ("redis", &[0x15, 3, 3, 0, 2, 2, 40], "write rediss://"),
            ("redis", b"HTTP/1.1 400 Bad Request\r\n", "a web server"),
            ("redis", &[0, 0, 6, 4, 0, 0, 0, 0, 0], "such as a tracker"),
        ] {
            let url = format!("{scheme}://{}", somebody(answer).await);
            let found = what_to_do(&url, Topology::Single, "unexpected eof").await;
            assert!(found.contains(said), "{url}: {found}");
        }
        let url = format!("redis://{}", somebody(b"+PONG\r\n").await);
        let found = what_to_do(&url, Topology::Single, "unexpected eof").await;
        assert_eq!(found, "", "it is what it should be");
    }

    #[tokio::test]
    async fn a_node_without_an_address_is_told_apart() {
        let lookup = "failed to lookup address information: Name or service not known";
        let found = what_to_do("redis-cluster://h", Topology::Cluster, lookup).await;
        assert!(found.contains("cluster-announce-ip"));
    }
}
