//! A Redis, two trackers and a worker, each a process of its own.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// The longest wait for a fact, on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A process that ends with its test.
pub(crate) struct Process(Child);

impl Process {
    /// Asks it to end, and waits until it has; its exit code.
    pub(crate) fn ends_when_told(&mut self) -> Option<i32> {
        let pid = self.0.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(told.unwrap().success());
        let child = &mut self.0;
        until("it ends", || {
            let ended = child.try_wait().map_err(|error| error.to_string())?;
            ended.ok_or_else(|| "it still runs".to_owned())
        })
        .code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A Redis, two trackers and a worker.
pub(crate) struct Cluster {
    // The worker goes first, Redis last.
    _worker: Process,
    trackers: [Process; 2],
    _redis: Process,
    pub(crate) dir: TempDir,
    pub(crate) redis: u16,
    pub(crate) grpc: [u16; 2],
    pub(crate) http: [u16; 2],
}

/// A port that is free now. It is none of those that the system gives to whoever asks for any: one of these could be taken, by a connection of
/// another test even, before a process of this one listens.
pub(crate) fn free_port() -> u16 {
    let ports =
        (0..1_000).map(|_| 10_000 + (RandomState::new().build_hasher().finish() % 20_000) as u16);
    let mut free = ports.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.next().unwrap()
}

pub(crate) fn start(program: &str, args: &[String], log: &Path) -> std::io::Result<Process> {
    let log = std::fs::File::create(log)?;
    Command::new(program)
        .args(args)
        .env_remove("TICKWHEEL_SERVER")
        // Everything is on loopback, and nobody shows a token.
        .env("TICKWHEEL_ACCESS__MODE", "open")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .map(Process)
}

/// Waits for a fact.
pub(crate) fn until<T>(what: &str, mut fact: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + LIMIT;
    loop {
        match fact() {
            Ok(found) => return found,
            Err(why) => assert!(Instant::now() < end, "{what}: {why}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// One exchange of text with a port of this machine.
pub(crate) fn ask(port: u16, request: &str, ends: impl Fn(&str) -> bool) -> Result<String, String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(|error| error.to_string())?;
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let sent = stream.write_all(request.as_bytes());
    sent.map_err(|error| error.to_string())?;
    let (mut answer, mut some) = (String::new(), [0; 4096]);
    while !ends(&answer) {
        let read = stream.read(&mut some).map_err(|error| error.to_string())?;
        if read == 0 {
            break;
        }
        answer.push_str(&String::from_utf8_lossy(&some[..read]));
    }
    Ok(answer)
}

impl Cluster {
    /// `None` where there is no Redis.
    pub(crate) fn start() -> Option<Self> {
        let dir = TempDir::new().unwrap();
        let redis = free_port();
        let data = dir.path().to_string_lossy().into_owned();
        let args = format!("--port {redis} --bind 127.0.0.1 --appendonly no --dir {data}");
        let mut args: Vec<String> = args.split(' ').map(ToOwned::to_owned).collect();
        args.extend(["--save".to_owned(), String::new()]);
        let Ok(server) = start("redis-server", &args, &dir.path().join("redis.log")) else {
            let required = ["CI", "TICKWHEEL_REQUIRE_REDIS"]
                .iter()
                .any(|name| std::env::var_os(name).is_some());
            assert!(
                !required,
                "redis-server is required here, and is not installed"
            );
            eprintln!(
                "SKIPPED: redis-server is not installed; the tests with trackers did nothing"
            );
            return None;
        };
        until("redis answers", || {
            let answer = ask(redis, "PING\r\n", |answer| answer.ends_with('\n'))?;
            answer.contains("PONG").then_some(()).ok_or(answer)
        });
        let (grpc, http) = ([free_port(), free_port()], [free_port(), free_port()]);
        let tickwheel = env!("CARGO_BIN_EXE_tickwheel");
        let tracker = |number: usize| {
            let args = format!(
                "tracker --redis redis://127.0.0.1:{redis} --grpc-listen 127.0.0.1:{} --http-listen 127.0.0.1:{} --set history.once_keep=1s",
                grpc[number], http[number]
            );
            let args: Vec<String> = args.split(' ').map(ToOwned::to_owned).collect();
            let log = dir.path().join(format!("tracker-{number}.log"));
            start(tickwheel, &args, &log).unwrap()
        };
        let trackers = [tracker(0), tracker(1)];
        for port in http {
            until("it is ready", || ready(port));
        }
        let args = format!("worker --tracker-url http://127.0.0.1:{}", grpc[0]);
        let args: Vec<String> = args.split(' ').map(ToOwned::to_owned).collect();
        let worker = start(tickwheel, &args, &dir.path().join("worker.log")).unwrap();
        Some(Self {
            _worker: worker,
            trackers,
            _redis: server,
            dir,
            redis,
            grpc,
            http,
        })
    }

    /// One more tracker, with ports that are free.
    pub(crate) fn tracker(&self, log: &str, more: &[&str]) -> Process {
        let redis = format!("redis://127.0.0.1:{}", self.redis);
        let args = ["tracker", "--redis", &redis, "--http-listen", "off"];
        let args = [&args[..], &["--grpc-listen", "127.0.0.1:0"], more].concat();
        let args: Vec<String> = args.iter().map(|word| (*word).to_owned()).collect();
        let log = self.dir.path().join(log);
        start(env!("CARGO_BIN_EXE_tickwheel"), &args, &log).unwrap()
    }

    /// The process of the first tracker.
    pub(crate) fn tracker_pid(&self) -> u32 {
        self.trackers[0].0.id()
    }

    /// Tells the first tracker to stop; its exit code.
    pub(crate) fn tracker_ends(&mut self) -> Option<i32> {
        self.trackers[0].ends_when_told()
    }

    /// Runs a command against the second tracker, to which no worker came.
    pub(crate) fn output(&self, args: &[&str]) -> Output {
        let server = format!("http://127.0.0.1:{}", self.grpc[1]);
        Command::new(env!("CARGO_BIN_EXE_tickwheel"))
            .args(args)
            .env("TICKWHEEL_SERVER", server)
            .env_remove("RUST_LOG")
            .output()
            .unwrap()
    }

    /// Runs a command that names its server itself, or has none.
    pub(crate) fn output_of(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_tickwheel"))
            .args(args)
            .current_dir(self.dir.path())
            .env_remove("TICKWHEEL_SERVER")
            .env_remove("RUST_LOG")
            .output()
            .unwrap()
    }

    /// The same, which must succeed; with what it printed.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        let output = self.output(args);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The names of all jobs, in their order.
    pub(crate) fn jobs(&self) -> Vec<String> {
        let listed = self.run(&["job", "list", "-o", "json"]);
        let listed: Value = serde_json::from_str(&listed).unwrap();
        let jobs = listed["jobs"].as_array().or(listed.as_array()).unwrap();
        let name = |job: &Value| job["name"].as_str().unwrap().to_owned();
        let mut names: Vec<String> = jobs.iter().map(name).collect();
        names.sort_unstable();
        names
    }

    /// Writes a manifest; answers with its path.
    pub(crate) fn manifest(&self, name: &str, text: &str) -> String {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    }

    /// Runs a command with its `id` as JSON.
    pub(crate) fn id_of(&self, args: &[&str]) -> String {
        let answer = self.run(&[args, &["-o", "json"]].concat());
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["id"].as_str().unwrap().to_owned()
    }

    /// What the processes wrote into their logs.
    pub(crate) fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(name)).unwrap_or_default()
    }

    /// Waits until a firing of the job succeeded.
    pub(crate) fn fires(&self, job: &str) {
        until("it fires", || {
            let output = self.output(&["run", "list", "--job", job, "-o", "json"]);
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let error = String::from_utf8_lossy(&output.stderr);
            let fired = text.contains("succeeded");
            fired.then_some(()).ok_or_else(|| format!("{text}{error}"))
        });
    }
}

/// What `/readyz` says.
pub(crate) fn readyz(port: u16) -> Result<String, String> {
    let request = "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    ask(port, request, |_| false)
}

pub(crate) fn ready(port: u16) -> Result<(), String> {
    let answer = readyz(port)?;
    let is_ready = answer.starts_with("HTTP/1.1 200");
    is_ready.then_some(()).ok_or(answer)
}
