//! The handler `http`: a context submitted from the command line becomes one request, by a worker that is allowed to make it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;

use serde_json::Value;

use crate::cluster::{Cluster, start};

/// Answers `/gone` with 404 and everything else with 200, and tells what was asked.
fn server() -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, requests) = mpsc::channel();
    std::thread::spawn(move || {
        // Ends with the test's process.
        for mut stream in listener.incoming().flatten() {
            let request = read(&mut stream);
            let line = if request.contains(" /gone ") {
                "404 Gone"
            } else {
                "200 OK"
            };
            let answer = format!("HTTP/1.1 {line}\r\ncontent-length: 6\r\n\r\nsecret");
            stream.write_all(answer.as_bytes()).ok();
            asked.send(request).ok();
        }
    });
    (port, requests)
}

/// A request with the body `{}`.
fn read(stream: &mut TcpStream) -> String {
    let (mut request, mut some) = (String::new(), [0; 4096]);
    while !request.ends_with("{}") {
        let read = stream.read(&mut some).unwrap();
        assert_ne!(read, 0, "{request}");
        request.push_str(&String::from_utf8_lossy(&some[..read]));
    }
    request
}

#[test]
fn a_worker_calls_what_it_may_and_nothing_else() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let (port, requests) = server();
    let args = format!(
        "worker --tracker http://127.0.0.1:{} --group hooks --name hooks --permits 4 --handlers http --allow 127.0.0.1 --ports {port}",
        cluster.grpc[0]
    );
    let args: Vec<String> = args.split(' ').map(ToOwned::to_owned).collect();
    let log = cluster.dir.path().join("hooks.log");
    let mut worker = start(env!("CARGO_BIN_EXE_tickwheel"), &args, &log).unwrap();
    let body =
        |path: &str| format!("{{\"url\": \"http://127.0.0.1:{port}{path}\", \"body\": {{}}}}");

    let ok = body("/hook");
    let submit = [
        "submit", "http", "--group", "hooks", "--body", &ok, "--wait",
    ];
    let ran = cluster.run(&[&submit[..], &["-o", "json"]].concat());
    let ran: Value = serde_json::from_str(&ran).unwrap();
    let id = ran["id"].as_str().unwrap();
    let request = requests.recv().unwrap();
    assert!(request.starts_with("POST /hook HTTP/1.1\r\n"), "{request}");
    for header in ["tickwheel-run", "idempotency-key"] {
        assert!(
            request.contains(&format!("{header}: {id}\r\n")),
            "{request}"
        );
    }
    let result: Value = serde_json::from_str(ran["result_text"].as_str().unwrap()).unwrap();
    assert_eq!(result["status"], 200, "{ran}");

    // What fails for good is tried once, and shows nothing of the answer.
    let gone = body("/gone");
    let submit = [
        "submit", "http", "--group", "hooks", "--body", &gone, "--wait",
    ];
    let failed = cluster.output(&submit);
    let said = String::from_utf8_lossy(&failed.stderr).into_owned()
        + &String::from_utf8_lossy(&failed.stdout);
    assert_eq!(failed.status.code(), Some(1), "{said}");
    assert!(
        said.contains("status 404") && !said.contains("secret"),
        "{said}"
    );
    assert!(
        requests
            .recv()
            .unwrap()
            .contains("tickwheel-attempt: 1\r\n")
    );

    // The other worker has the handler as well, and is allowed nothing.
    let submit = ["submit", "http", "--body", &ok, "--wait"];
    let refused = cluster.output(&submit);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned()
        + &String::from_utf8_lossy(&refused.stdout);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(
        said.contains("refused: this worker does not call port"),
        "{said}"
    );
    assert!(requests.try_recv().is_err());

    assert_eq!(
        worker.ends_when_told(),
        Some(0),
        "{}",
        cluster.log("hooks.log")
    );
}
