//! The binary itself as a cluster: trackers, a worker and the commands of operators, each a process of its own.
//!
//! Without a redis-server the tests are skipped with a loud line; where `CI` or `TICKWHEEL_REQUIRE_REDIS` is set, that is an error.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise, and says when it does nothing"
)]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "it waits for processes, in no runtime"
)]

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
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A Redis, two trackers and a worker.
struct Cluster {
    // The worker goes first, Redis last.
    _worker: Process,
    _trackers: [Process; 2],
    _redis: Process,
    dir: TempDir,
    redis: u16,
    grpc: [u16; 2],
    http: [u16; 2],
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn start(program: &str, args: &[String], log: &Path) -> std::io::Result<Process> {
    let log = std::fs::File::create(log)?;
    Command::new(program)
        .args(args)
        .env_remove("TICKWHEEL_SERVER")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .map(Process)
}

/// Waits for a fact.
fn until<T>(what: &str, mut fact: impl FnMut() -> Result<T, String>) -> T {
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
fn ask(port: u16, request: &str, ends: impl Fn(&str) -> bool) -> Result<String, String> {
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
    fn start() -> Option<Self> {
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
                "tracker --redis redis://127.0.0.1:{redis} --grpc-listen 127.0.0.1:{} --http-listen 127.0.0.1:{}",
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
            _trackers: trackers,
            _redis: server,
            dir,
            redis,
            grpc,
            http,
        })
    }

    /// Runs a command against the second tracker, to which no worker came.
    fn output(&self, args: &[&str]) -> Output {
        let server = format!("http://127.0.0.1:{}", self.grpc[1]);
        Command::new(env!("CARGO_BIN_EXE_tickwheel"))
            .args(["--server", &server])
            .args(args)
            .env_remove("TICKWHEEL_SERVER")
            .env_remove("RUST_LOG")
            .output()
            .unwrap()
    }

    /// The same, which must succeed; with what it printed.
    fn run(&self, args: &[&str]) -> String {
        let output = self.output(args);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The names of all jobs, in their order.
    fn jobs(&self) -> Vec<String> {
        let listed = self.run(&["job", "list", "-o", "json"]);
        let listed: Value = serde_json::from_str(&listed).unwrap();
        let jobs = listed["jobs"].as_array().or(listed.as_array()).unwrap();
        let name = |job: &Value| job["name"].as_str().unwrap().to_owned();
        let mut names: Vec<String> = jobs.iter().map(name).collect();
        names.sort_unstable();
        names
    }

    /// Writes a manifest; answers with its path.
    fn manifest(&self, name: &str, text: &str) -> String {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    }

    /// Waits until a firing of the job succeeded.
    fn fires(&self, job: &str) {
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
fn readyz(port: u16) -> Result<String, String> {
    let request = "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    ask(port, request, |_| false)
}

fn ready(port: u16) -> Result<(), String> {
    let answer = readyz(port)?;
    let is_ready = answer.starts_with("HTTP/1.1 200");
    is_ready.then_some(()).ok_or(answer)
}

/// Jobs of these names that nobody runs.
fn on_demand(names: &[&str]) -> String {
    let jobs: Vec<String> = names
        .iter()
        .map(|name| format!("  - name: {name}\n    handler: noop\n    trigger: api\n"))
        .collect();
    format!("jobs:\n{}", jobs.concat())
}

const HEARTBEATS: &str =
    "jobs:\n  - name: heartbeats/often\n    handler: noop\n    trigger: { fixed_rate: 200ms }\n";

#[test]
fn an_emptied_redis_is_adopted_by_the_command_and_work_goes_on_without_a_restart() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let manifest = cluster.manifest("heartbeats.yaml", HEARTBEATS);
    cluster.run(&["job", "apply", "-f", &manifest]);
    cluster.fires("heartbeats/often");
    let flushed = ask(cluster.redis, "FLUSHALL\r\n", |answer| {
        answer.ends_with('\n')
    })
    .unwrap();
    assert!(flushed.contains("OK"), "{flushed}");
    for port in cluster.http {
        until("it is red", || {
            let answer = readyz(port)?;
            let is_red = answer.starts_with("HTTP/1.1 503") && answer.contains("emptied");
            is_red.then_some(()).ok_or(answer)
        });
    }
    let refused = cluster.output(&["job", "apply", "-f", &manifest]);
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && error.contains("store adopt"),
        "{error}"
    );
    let redis = format!("redis://127.0.0.1:{}", cluster.redis);
    let unasked = cluster.output(&["store", "adopt", "--redis", &redis]);
    assert_eq!(unasked.status.code(), Some(2), "it asks for --yes");
    cluster.run(&["store", "adopt", "--redis", &redis, "--yes"]);
    for port in cluster.http {
        until("it is ready again", || ready(port));
    }
    assert_eq!(cluster.jobs(), [""; 0]);
    cluster.run(&["job", "apply", "-f", &manifest]);
    cluster.fires("heartbeats/often");
    let checked = cluster.output(&["store", "check", "--redis", &redis, "--progress"]);
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(checked.status.success(), "{said}");
    assert!(said.contains("16 of 16 partitions"), "{said}");
}

#[test]
fn what_is_exported_can_be_applied_again_and_changes_nothing() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/examples");
    cluster.run(&["job", "apply", "-f", examples]);
    let names = cluster.jobs();
    assert!(names.len() > 10, "{names:?}");
    let exported = cluster.run(&["job", "export"]);
    let manifest = cluster.manifest("exported.yaml", &exported);
    let again = cluster.run(&["job", "apply", "-f", &manifest, "-o", "json"]);
    assert_eq!(
        again.matches("\"unchanged\"").count(),
        names.len(),
        "{again}"
    );
    for name in &names {
        cluster.run(&["job", "delete", "--force", name]);
    }
    assert_eq!(cluster.jobs(), [""; 0]);
    cluster.run(&["job", "apply", "-f", &manifest]);
    assert_eq!(cluster.jobs(), names);
    assert_eq!(cluster.run(&["job", "export"]), exported);
}

#[test]
fn a_prefix_prunes_and_deletes_its_own_and_no_other() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let all = ["p/a", "p/b", "p/c", "pq/a", "q/a"];
    let all = cluster.manifest("all.yaml", &on_demand(&all));
    cluster.run(&["job", "apply", "-f", &all]);
    let one = cluster.manifest("one.yaml", &on_demand(&["p/a", "p/new"]));
    let dry = ["job", "apply", "-f", &one, "--prune", "p/", "--dry-run"];
    let said = cluster.run(&dry);
    assert!(
        said.contains("p/b") && said.contains("p/c") && !said.contains("q/a"),
        "{said}"
    );
    assert_eq!(cluster.jobs(), ["p/a", "p/b", "p/c", "pq/a", "q/a"]);
    cluster.run(&["job", "apply", "-f", &one, "--prune", "p/"]);
    assert_eq!(cluster.jobs(), ["p/a", "p/new", "pq/a", "q/a"]);
    cluster.run(&["job", "delete", "--prefix", "p/"]);
    assert_eq!(cluster.jobs(), ["pq/a", "q/a"]);
    cluster.run(&["job", "delete", "--prefix", "none/"]);
    assert_eq!(cluster.jobs(), ["pq/a", "q/a"]);
}
