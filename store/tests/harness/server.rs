//! The servers of a test process: one redis-server, or a Redis Cluster of three.
//!
//! `TICKWHEEL_REDIS_SERVER` names another program than redis-server, `TICKWHEEL_REDIS_TOPOLOGY` chooses `single` or `cluster` for the
//! tests that take either, `TICKWHEEL_REDIS_ACL=1` has the store log in as the user of `deploy/redis/users.acl`.
#![allow(dead_code, reason = "no test uses all of it")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

/// Ends the server when its standard input ends, that is, when the test process is gone, however it went.
const WATCH: &str =
    "program=$1; shift; \"$program\" \"$@\" & server=$!; echo $server; read -r _; kill -9 $server";
/// Another process may take the free port first.
const ATTEMPTS: usize = 5;
/// Primaries of a cluster.
const PRIMARIES: u32 = 3;
const SLOTS: u32 = 16_384;
/// The users that are shipped.
const USERS: &str = include_str!("../../../deploy/redis/users.acl");
/// The password that tests give each of them.
pub(crate) const PASSWORD: &str = "of-tests";

/// A running server, or the first of a cluster; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) port: u16,
    /// Of the server; the watch is its parent.
    pid: u32,
    watch: Child,
    /// Held open while the server is wanted.
    _stdin: Option<ChildStdin>,
    _directory: tempfile::TempDir,
    others: Vec<Self>,
    /// The store logs in as the user that is shipped.
    as_user: bool,
}

fn program() -> String {
    std::env::var("TICKWHEEL_REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned())
}

/// Whether the environment wants the store to log in as the user that is shipped.
fn wanted() -> bool {
    std::env::var("TICKWHEEL_REDIS_ACL").is_ok_and(|given| given == "1")
}

/// The users that are shipped, with a password, for keys and channels that begin so; `default`, which tests look at keys as, may do everything.
fn users(keys: &str, channels: &str) -> String {
    let lines = USERS
        .lines()
        .filter(|line| !line.starts_with("user default "));
    let lines: String = lines.map(|line| format!("{line} >{PASSWORD}\n")).collect();
    let mut lines = lines.replace("~{tw:", keys).replace("&{tw:", channels);
    let version = Command::new(program()).arg("--version").output();
    if version.is_ok_and(|version| String::from_utf8_lossy(&version.stdout).contains(" v=7.0.")) {
        // Not known there, as docs/security.md says.
        lines = lines.replace(" +waitaof", "");
    }
    format!("user default on nopass ~* &* +@all\n{lines}")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

impl Server {
    /// Starts what the environment chooses. `None` where no redis-server is installed.
    pub(crate) fn chosen() -> Option<Self> {
        match std::env::var("TICKWHEEL_REDIS_TOPOLOGY").as_deref() {
            Ok("cluster") => Self::cluster(),
            Ok(_) | Err(_) => Self::start(&[]),
        }
    }

    /// Starts a server on a free port of the loopback with further arguments. `None` where no redis-server is installed.
    pub(crate) fn start(arguments: &[&str]) -> Option<Self> {
        Self::start_as(wanted().then(|| users("~{", "&{")).as_deref(), arguments)
    }

    /// Starts one that has the users that are shipped, for the prefix `tw` as they are.
    pub(crate) fn with_users() -> Option<Self> {
        // Where `DEBUG` may be called at all, it is the user who may not.
        let arguments = ["--enable-debug-command", "yes"];
        Self::start_as(Some(&users("~{tw:", "&{tw:")), &arguments)
    }

    fn start_as(users: Option<&str>, arguments: &[&str]) -> Option<Self> {
        let found = Command::new(program())
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !found.is_ok_and(|status| status.success()) {
            return None;
        }
        let server = (0..ATTEMPTS).find_map(|_| Self::try_start(users, arguments));
        Some(server.expect("a redis-server that is installed starts"))
    }

    fn try_start(users: Option<&str>, arguments: &[&str]) -> Option<Self> {
        let port = free_port();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("users.acl");
        if let Some(users) = users {
            std::fs::write(&file, users).unwrap();
        }
        let users = users.map(|_| ["--aclfile", file.to_str().unwrap()]);
        let mut watch = Command::new("sh")
            .args([
                "-c",
                WATCH,
                "sh",
                &program(),
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
            .args(users.iter().flatten())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdin = watch.stdin.take();
        let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
        let mut said = lines.by_ref().map_while(Result::ok);
        let pid = said.next().and_then(|pid| pid.trim().parse().ok());
        let ready = said.any(|line| line.contains("Ready to accept connections"));
        // The server would be stopped by its next line of log if nobody read it.
        std::thread::spawn(move || lines.for_each(drop));
        let Some(pid) = pid.filter(|_| ready) else {
            watch.kill().ok();
            watch.wait().ok();
            return None;
        };
        Some(Self {
            port,
            pid,
            watch,
            _stdin: stdin,
            _directory: directory,
            others: Vec::new(),
            as_user: users.is_some(),
        })
    }

    /// Starts a cluster of three. `None` where no redis-server is installed.
    pub(crate) fn cluster() -> Option<Self> {
        let mut nodes = Vec::new();
        for number in 0..PRIMARIES {
            // The usual distance of 10,000 between a port and its bus leads beyond the last port.
            let bus = free_port().to_string();
            let node = Self::start(&["--cluster-enabled", "yes", "--cluster-port", &bus])?;
            let (first, last) = (
                SLOTS * number / PRIMARIES,
                SLOTS * (number + 1) / PRIMARIES - 1,
            );
            node.say(&format!("CLUSTER ADDSLOTSRANGE {first} {last}"));
            node.say(&format!("CLUSTER SET-CONFIG-EPOCH {}", number + 1));
            if let Some(known) = nodes.first() {
                let known: &Self = known;
                known.say(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", node.port));
            }
            nodes.push(node);
        }
        for node in &nodes {
            // Nobody can be told; the answer is asked for again.
            while !(node.says("CLUSTER INFO", "cluster_state:ok")
                && node.says("CLUSTER INFO", "cluster_size:3"))
            {
                std::thread::yield_now();
            }
        }
        let mut first = nodes.remove(0);
        first.others = nodes;
        Some(first)
    }

    fn ask(&self, command: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream
            .write_all(format!("{command}\r\nQUIT\r\n").as_bytes())
            .unwrap();
        BufReader::new(stream)
    }

    fn say(&self, command: &str) {
        let mut answer = String::new();
        self.ask(command).read_line(&mut answer).unwrap();
        assert_eq!(answer.trim(), "+OK", "{command}");
    }

    fn says(&self, command: &str, line: &str) -> bool {
        let lines = self.ask(command).lines().map_while(Result::ok);
        lines.into_iter().any(|given| given.trim() == line)
    }

    /// Sends the server a signal, say `STOP` or `CONT`.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.pid.to_string();
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &pid])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Where each server is reached.
    pub(crate) fn urls(&self) -> Vec<String> {
        let ports = std::iter::once(self.port).chain(self.others.iter().map(|node| node.port));
        ports
            .map(|port| format!("redis://{}127.0.0.1:{port}", self.user()))
            .collect()
    }

    /// Who the store logs in as, in front of an address.
    fn user(&self) -> String {
        match self.as_user {
            true => format!("tickwheel:{PASSWORD}@"),
            false => String::new(),
        }
    }

    pub(crate) fn url(&self) -> String {
        if self.others.is_empty() {
            format!("redis://{}127.0.0.1:{}", self.user(), self.port)
        } else {
            format!("redis-cluster://{}127.0.0.1:{}", self.user(), self.port)
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self._stdin.take();
        self.watch.wait().ok();
    }
}
