//! The endpoints of xcron as a tracker of the command line has them: by its configuration, with a worker that makes the callback.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::cluster::{Cluster, Process, ask, free_port, ready, start, until};

/// A tracker with these settings; it, and where it answers HTTP.
fn tracker(cluster: &Cluster, log: &str, settings: &[&str]) -> (Process, u16) {
    let http = free_port();
    let args = format!(
        "tracker --redis redis://127.0.0.1:{} --grpc-listen 127.0.0.1:0 --http-listen 127.0.0.1:{http}",
        cluster.redis
    );
    let args = args.split(' ').map(ToOwned::to_owned);
    let settings = settings.iter().map(|one| format!("--set={one}"));
    let args: Vec<String> = args.chain(settings).collect();
    let log = cluster.dir.path().join(log);
    let process = start(env!("CARGO_BIN_EXE_tickwheel"), &args, &log).unwrap();
    until("it is ready", || ready(http));
    (process, http)
}

/// What is answered to a request; `Err` has the whole of what is no envelope.
fn post(port: u16, path: &str, body: &str) -> Result<Value, String> {
    let request = format!(
        "POST /xcron/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let answer = ask(port, &request, |_| false).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    if !head.starts_with("HTTP/1.1 200") {
        return Err(answer);
    }
    Ok(serde_json::from_str(body).unwrap())
}

#[test]
fn a_task_is_called_back_by_a_worker_of_the_group() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let soon = SystemTime::now() + Duration::from_secs(3);
    let at = soon.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let task = format!(
        r#"{{"type":2,"format":"{at}","callback":{{"url":"http://127.0.0.1:{port}/hook","body":{{"n":9007199254740993}}}}}}"#
    );
    // A tracker that is told nothing knows that nobody calls this machine.
    let refused = post(cluster.http[0], "createTask", &task).unwrap();
    assert_eq!(refused["code"], 1003, "{refused}");
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("http_handler.ports"), "{message}");

    let allow = [
        "http_handler.allow=127.0.0.1".to_owned(),
        format!("http_handler.ports={port}"),
    ];
    let [allow, ports] = &allow;
    let (_tracker, http) = tracker(&cluster, "xcron.log", &[allow, ports]);
    let worker = format!(
        "worker --tracker http://127.0.0.1:{} --group xcron --name callbacks --handlers http --allow 127.0.0.1 --ports {port}",
        cluster.grpc[0]
    );
    let worker: Vec<String> = worker.split(' ').map(ToOwned::to_owned).collect();
    let log = cluster.dir.path().join("callbacks.log");
    let _worker = start(env!("CARGO_BIN_EXE_tickwheel"), &worker, &log).unwrap();
    let created = post(http, "createTask", &task).unwrap();
    assert_eq!(created["code"], 0, "{created}");
    let (mut stream, _) = listener.accept().unwrap();
    let (mut called, mut some) = (String::new(), [0; 4096]);
    while !called.ends_with("9007199254740993}") {
        let read = stream.read(&mut some).unwrap();
        assert_ne!(read, 0, "{called}");
        called.push_str(&String::from_utf8_lossy(&some[..read]));
    }
    stream
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        .unwrap();
    assert!(called.starts_with("POST /hook HTTP/1.1\r\n"), "{called}");
    assert!(
        called.contains("\r\ncontent-type: application/json\r\n"),
        "{called}"
    );
    assert!(
        called.ends_with("\r\n\r\n{\"n\":9007199254740993}"),
        "{called}"
    );
    // To whoever works with jobs, it is one.
    let id = created["data"]["task_id"].as_str().unwrap();
    cluster.fires(&format!("xcron/{id}"));
}

#[test]
fn the_section_of_the_configuration_is_read_and_wrong_values_stop_the_start() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let (_tracker, http) = tracker(&cluster, "off.log", &["xcron.enabled=false"]);
    let none = post(http, "createTask", "{}").unwrap_err();
    assert!(none.starts_with("HTTP/1.1 404"), "{none}");
    let (_tracker, http) = tracker(&cluster, "shanghai.log", &["xcron.zone=Asia/Shanghai"]);
    let task = r#"{"type":1,"format":"0 1 * * *","callback":{"url":"https://example.com/"}}"#;
    let created = post(http, "createTask", task).unwrap();
    let name = format!("xcron/{}", created["data"]["task_id"].as_str().unwrap());
    let shown = cluster.run(&["job", "get", &name, "-o", "yaml"]);
    assert!(shown.contains("Asia/Shanghai"), "{shown}");
    let wrong = cluster.output_of(&["tracker", "--set", "xcron.zone=Mars"]);
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(
        !wrong.status.success() && said.contains("xcron.zone"),
        "{said}"
    );
    let wrong = cluster.output_of(&["tracker", "--set", "xcron.max_attempts=0"]);
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(said.contains("from 1 to 1000"), "{said}");
}
