//! One redis-server for each test process.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Ends the server when its standard input ends, that is, when the test process is gone, however it went.
const WATCH: &str = "redis-server \"$@\" & server=$!; read -r _; kill -9 $server";
/// Another process may take the free port first.
const ATTEMPTS: usize = 5;

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) port: u16,
    watch: Child,
    /// Held open while the server is wanted.
    _stdin: Option<ChildStdin>,
    _directory: tempfile::TempDir,
}

impl Server {
    /// Starts a server on a free port of the loopback with further arguments. `None` where no redis-server is installed.
    pub(crate) fn start(arguments: &[&str]) -> Option<Self> {
        let found = Command::new("redis-server")
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !found.is_ok_and(|status| status.success()) {
            return None;
        }
        let server = (0..ATTEMPTS).find_map(|_| Self::try_start(arguments));
        Some(server.expect("a redis-server that is installed starts"))
    }

    fn try_start(arguments: &[&str]) -> Option<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let directory = tempfile::tempdir().unwrap();
        let mut watch = Command::new("sh")
            .args([
                "-c",
                WATCH,
                "sh",
                "--bind",
                "127.0.0.1",
                "--port",
                &port.to_string(),
                "--save",
                "",
                "--appendonly",
                "no",
            ])
            .args(["--dir", directory.path().to_str().unwrap()])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdin = watch.stdin.take();
        let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
        let ready = lines
            .by_ref()
            .map_while(Result::ok)
            .any(|line| line.contains("Ready to accept connections"));
        // The server would be stopped by its next line of log if nobody read it.
        std::thread::spawn(move || lines.for_each(drop));
        if !ready {
            watch.kill().ok();
            watch.wait().ok();
            return None;
        }
        Some(Self {
            port,
            watch,
            _stdin: stdin,
            _directory: directory,
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self._stdin.take();
        self.watch.wait().ok();
    }
}
