//! Whoever answers in the place of a tracker or of Redis is named.

use std::time::Duration;

use crate::cluster::{Cluster, free_port, start, until};

#[test]
fn a_worker_that_reaches_no_tracker_warns_of_the_address_and_the_cause() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let nobody = free_port();
    for (port, cause) in [
        (nobody, "Connection refused"),
        (cluster.redis, "a redis answers there"),
        (cluster.http[0], "health and metrics"),
    ] {
        let log = format!("worker-{port}.log");
        let url = format!("http://127.0.0.1:{port}");
        let args = ["worker", "--tracker-url", &url].map(str::to_owned);
        let path = cluster.dir.path().join(&log);
        let _worker = start(env!("CARGO_BIN_EXE_tickwheel"), &args, &path).unwrap();
        until("it warns", || {
            let log = cluster.log(&log);
            let warned = |line: &&str| line.contains("WARN") && line.contains(&url);
            let line = log.lines().find(warned).ok_or_else(|| log.clone())?;
            line.contains(cause)
                .then_some(())
                .ok_or_else(|| line.to_owned())
        });
        // It goes on trying, several times a second at first.
        std::thread::sleep(Duration::from_secs(2));
        let said = cluster.log(&log);
        let warned = |line: &&str| line.contains("WARN") && line.contains(&url);
        assert_eq!(said.lines().filter(warned).count(), 1, "{said}");
    }
}

#[test]
fn what_is_no_tracker_is_named() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    for (port, cause) in [
        (cluster.redis, "a redis answers there"),
        (cluster.http[0], "health and metrics"),
    ] {
        let server = format!("http://127.0.0.1:{port}");
        let listed = cluster.output_of(&["--server", &server, "job", "list"]);
        let said = String::from_utf8_lossy(&listed.stderr).into_owned();
        assert_eq!(listed.status.code(), Some(5), "{said}");
        assert!(said.contains(cause), "{said}");
    }
    for (url, cause) in [
        (
            format!("redis://127.0.0.1:{}", cluster.http[0]),
            "a web server answers there",
        ),
        (
            format!("rediss://127.0.0.1:{}", cluster.redis),
            "does not: write the port that it has as tls-port, or redis://",
        ),
        (
            format!("http://127.0.0.1:{}", cluster.grpc[0]),
            "URL of a tracker",
        ),
        (
            format!("redis://127.0.0.1:{}", free_port()),
            "Connection refused",
        ),
    ] {
        let args = ["tracker", "--redis", &url, "--http-listen", "off"];
        let args = [&args[..], &["--grpc-listen", "127.0.0.1:0"]].concat();
        let output = cluster.output_of(&args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(cause), "{url}: {said}");
        for form in ["Os {", "Custom {", "Kind(", "WithoutBase"] {
            assert!(!said.contains(form), "{url}: {said}");
        }
    }
}
