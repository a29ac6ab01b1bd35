//! A listener on the loopback address stands for Redis, for the trackers and for whatever else listens there: nobody may reach it by a
//! call.

use serde_json::json;

use crate::scene::{Names, call, fatal, guard, harness};
use crate::server::Server;

/// Every way to write this machine, `{port}` being the canary's, and places that are refused for other reasons.
const PLACES: &[&str] = &[
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST.:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://127.8.9.10:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://017700000001:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://127。0。0。1:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::ffff:0:127.0.0.1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[64:ff9b::127.0.0.1]:{port}/",
    "http://[64:ff9b:1::127.0.0.1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[2001:0:7f00:1::80ff:fffe]:{port}/",
    "http://user@127.0.0.1:{port}/",
    "http://user:pw@127.0.0.1:{port}/",
    "http://example.com@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@example.com/",
    "http://127.0.0.1:{port}#@example.com/",
    "http://127.0.0.1:{port}?@example.com/",
    "http:127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_FLUSHALL",
    "ftp://127.0.0.1:{port}/",
    "redis://127.0.0.1:{port}/",
    "unix:/var/run/docker.sock",
    "http://loopback.test:{port}/",
    "http://mapped.test:{port}/",
    "http://both.test:{port}/",
    "http://six.test:{port}/",
    "http://zero.test:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://metadata.test/computeMetadata/v1/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://100.100.100.200/latest/meta-data/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://100.64.0.1/",
    "http://[fe80::1]/",
    "http://[fc00::1]/",
    "http://[fec0::1]/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://198.18.0.1/",
    "http://192.0.2.1/",
    "http://[2001:db8::1]/",
];

fn names() -> Names {
    Names::default()
        .with("front.test", &[&["127.0.0.1"]])
        .with("localhost", &[&["::1", "127.0.0.1"]])
        .with("loopback.test", &[&["127.0.0.1"]])
        .with("mapped.test", &[&["::ffff:127.0.0.1"]])
        .with("both.test", &[&["1.1.1.1", "127.0.0.1"]])
        .with("six.test", &[&["::1"]])
        .with("zero.test", &[&["0.0.0.0"]])
        .with("metadata.test", &[&["169.254.169.254"]])
}

#[tokio::test]
async fn no_spelling_reaches_the_canary() {
    let canary = Server::canary("127.0.0.1:0").await;
    // All ports are open here: addresses alone have to hold.
    let harness = harness(guard("", ""), &names());
    for place in PLACES {
        let url = place.replace("{port}", &canary.port().to_string());
        let said = fatal(&call(&harness, &json!({"url": url})).await);
        assert!(!said.contains(&canary.port().to_string()), "{said}");
        assert!(!said.contains("127."), "{said}");
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn no_redirect_reaches_the_canary() {
    let canary = Server::canary("127.0.0.1:0").await;
    let harness = harness(guard("front.test", ""), &names());
    for place in PLACES {
        // What browsers read as a path of the same server leads to no canary, and is asked of that server again.
        let location = place.replace("{port}", &canary.port().to_string());
        let answer =
            format!("HTTP/1.1 302 Moved\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let front = Server::answering(move |_| answer.clone()).await;
        let url = format!("http://front.test:{}/", front.port());
        let body = json!({"url": url, "follow_redirects": 5});
        let said = fatal(&call(&harness, &body).await);
        let refused = said.starts_with("refused: redirect ") || said.starts_with("status 302");
        assert!(refused, "{place}: {said}");
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn a_name_that_changes_its_mind_reaches_nobody() {
    // 127.0.0.1 stands for a public address here, and 127.0.0.2 for a private one on the same port.
    let front = Server::answering(|request| {
        let host = request.lines().find(|line| line.starts_with("host: "));
        let host = host.unwrap().trim_start_matches("host: ");
        format!("HTTP/1.1 307 Moved\r\nlocation: http://{host}/\r\ncontent-length: 0\r\n\r\n")
    })
    .await;
    let canary = Server::canary(&format!("127.0.0.2:{}", front.port())).await;
    let names = Names::default()
        .with("rebind.test", &[&["127.0.0.1"], &["127.0.0.2"]])
        .with("mixed.test", &[&["127.0.0.1", "127.0.0.2"]])
        .with("turned.test", &[&["127.0.0.2", "127.0.0.1"]]);
    let harness = harness(guard("127.0.0.1", ""), &names);
    let url = |name: &str| format!("http://{name}:{}/", front.port());

    // One connection, one look-up: what is connected to is what was vetted.
    let ran = call(&harness, &json!({"url": url("rebind.test")})).await;
    assert_eq!(fatal(&ran), "status 307");
    assert_eq!(names.asked(), ["rebind.test"]);
    let ran = call(&harness, &json!({"url": url("rebind.test")})).await;
    let said = "refused: the address of the host is not public: loopback (http_handler.allow)";
    assert_eq!(fatal(&ran), said);
    for name in ["mixed.test", "turned.test"] {
        let ran = call(&harness, &json!({"url": url(name)})).await;
        assert_eq!(fatal(&ran), said, "{name}");
    }
    assert_eq!(front.connections(), 1);

    // And within one call: the redirect is a connection of its own.
    let names = Names::default().with("rebind.test", &[&["127.0.0.1"], &["127.0.0.2"]]);
    let harness = crate::scene::harness(guard("127.0.0.1", ""), &names);
    let body = json!({"url": url("rebind.test"), "follow_redirects": 5});
    let said = fatal(&call(&harness, &body).await);
    assert!(said.starts_with("refused: redirect 1: "), "{said}");
    assert_eq!(front.connections(), 2);
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn ports_and_denials_hold_where_the_address_is_allowed() {
    let canary = Server::canary("127.0.0.1:0").await;
    let mut closed = guard("127.0.0.1", "");
    closed.ports = "80, 443".parse().unwrap();
    for guard in [closed, guard("127.0.0.1, *.test", "127.0.0.0/8, ::/0")] {
        let harness = harness(guard, &names());
        for host in ["127.0.0.1", "loopback.test", "[::ffff:127.0.0.1]"] {
            let url = format!("http://{host}:{}/", canary.port());
            let said = fatal(&call(&harness, &json!({"url": url})).await);
            assert!(said.starts_with("refused: this worker "), "{said}");
        }
    }
    assert_eq!(canary.connections(), 0);
}
