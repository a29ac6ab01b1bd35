//! A Redis server of our own, for development: on a free loopback port, with its data in the data directory.
//!
//! ```text
//! take over ──▶ write config ──▶ spawn ──▶ wait until it serves ──▶ … ──▶ SHUTDOWN ──▶ ended
//!     │                            └─ port taken meanwhile: again with another port
//!     └─ a server left by a killed run is found by its port, known by its directory, and ended
//! ```
//!
//! The server gets a process group of its own: Ctrl-C in the terminal must reach us alone, so that the tracker hands over
//! before its Redis goes. Dropping the value kills the server, so that a failed start leaves none behind.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::datadir::DataDir;
use super::redis_wire;
use crate::failure::Failure;

const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];
const CONFIG_FILE: &str = "redis.conf";
const LOG_FILE: &str = "redis.log";

/// Loading a large append-only file takes its time.
const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Between looks at a starting or stopping server.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A port that was free may be taken before the server binds it.
const START_ATTEMPTS: usize = 3;

/// A running server.
#[derive(Debug)]
pub(super) struct OwnRedis {
    child: Child,
    port: u16,
    dir: DataDir,
}

impl OwnRedis {
    /// Starts a server with its data in `dir`.
    ///
    /// # Errors
    /// Usage, when no server program is installed; failed, when it does not come up.
    pub(super) async fn start(dir: DataDir) -> Result<Self, Failure> {
        end_leftover(dir.path()).await?;
        for _ in 0..START_ATTEMPTS {
            let port = free_port()?;
            write_config(dir.path(), port)?;
            let mut child = spawn(dir.path())?;
            if wait_until_it_serves(&mut child, port).await? {
                return Ok(Self { child, port, dir });
            }
        }
        Err(Failure::broken(format!(
            "the Redis server does not start; its last lines in {}:\n{}",
            dir.path().join(LOG_FILE).display(),
            last_lines(dir.path())
        )))
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(super) fn cli_line(&self) -> String {
        format!("redis-cli -p {}", self.port)
    }

    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Returns when the server has ended by itself. Cancellation safe.
    pub(super) async fn ended(&mut self) {
        if let Err(e) = self.child.wait().await {
            tracing::warn!(error = %e, "the Redis server cannot be watched");
        }
    }

    /// Lets the server write what it has and end.
    pub(super) async fn stop(mut self) {
        redis_wire::shut_down(self.port).await;
        if timeout(STOP_LIMIT, self.child.wait()).await.is_err() {
            tracing::warn!(
                "the Redis server did not end by itself and was killed; its append-only file is intact"
            );
            if let Err(e) = self.child.kill().await {
                tracing::error!(error = %e, "the Redis server could not be killed");
            }
        }
    }
}

/// A run that was killed leaves its server behind, and two servers must not write one append-only file. Its port is in
/// the config file; it is ended only if what answers there is a Redis that works in this very directory.
async fn end_leftover(dir: &Path) -> Result<(), Failure> {
    let Some(port) = std::fs::read_to_string(dir.join(CONFIG_FILE))
        .ok()
        .and_then(|config| port_in(&config))
    else {
        return Ok(());
    };
    let Some(pid) = redis_wire::pid_of_server_in(port, &dir.display().to_string()).await else {
        return Ok(());
    };
    tracing::info!(
        pid,
        port,
        "ending the Redis server that an earlier run left behind"
    );
    redis_wire::shut_down(port).await;
    let started = Instant::now();
    while std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
        if started.elapsed() > STOP_LIMIT {
            return Err(Failure::broken(format!(
                "an earlier run left a Redis server behind that does not end: process {pid}, port {port}"
            )));
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

fn port_in(config: &str) -> Option<u16> {
    config
        .lines()
        .find_map(|line| line.strip_prefix("port "))?
        .trim()
        .parse()
        .ok()
}

fn free_port() -> Result<u16, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|e| Failure::broken(format!("no free port: {e}")))
}

fn write_config(dir: &Path, port: u16) -> Result<(), Failure> {
    let path = dir.join(CONFIG_FILE);
    std::fs::write(&path, config_text(dir, port))
        .map_err(|e| Failure::broken(format!("cannot write {}: {e}", path.display())))
}

/// Loopback only; AOF, so that a restarted `dev` goes on where it was; noeviction, as an evicted key is a lost job.
fn config_text(dir: &Path, port: u16) -> String {
    let dir = dir.display().to_string();
    format!(
        "# Written at each start of `tickwheel dev`.\n\
         port {port}\n\
         bind 127.0.0.1\n\
         protected-mode yes\n\
         daemonize no\n\
         dir {}\n\
         logfile {LOG_FILE}\n\
         appendonly yes\n\
         appendfsync everysec\n\
         save \"\"\n\
         maxmemory-policy noeviction\n",
        quoted(&dir)
    )
}

/// A value of a Redis config file that may hold spaces.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn spawn(dir: &Path) -> Result<Child, Failure> {
    for program in PROGRAMS {
        let spawned = Command::new(program)
            .arg(dir.join(CONFIG_FILE))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn();
        match spawned {
            Ok(child) => return Ok(child),
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(Failure::broken(format!("cannot start {program}: {e}"))),
        }
    }
    Err(Failure::usage(format!(
        "no redis-server or valkey-server is installed. Install it with:\n\n  {}\n\nor use a running one with --redis redis://HOST:PORT",
        install_command()
    )))
}

/// The command for this system's package manager.
fn install_command() -> &'static str {
    [
        ("apt-get", "sudo apt-get install -y redis-server"),
        ("dnf", "sudo dnf install -y redis"),
        ("apk", "sudo apk add redis"),
        ("pacman", "sudo pacman -S valkey"),
        ("zypper", "sudo zypper install -y redis"),
        ("brew", "brew install redis"),
    ]
    .into_iter()
    .find(|(program, _)| is_installed(program))
    .map_or(
        "the package manager of this system: package redis or valkey",
        |(_, command)| command,
    )
}

fn is_installed(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|dir: PathBuf| dir.join(program).is_file())
    })
}

/// False when the server ended instead.
async fn wait_until_it_serves(child: &mut Child, port: u16) -> Result<bool, Failure> {
    let started = Instant::now();
    while started.elapsed() < START_LIMIT {
        match child.try_wait() {
            Ok(None) => {}
            Ok(Some(_)) => return Ok(false),
            Err(e) => {
                return Err(Failure::broken(format!(
                    "cannot watch the Redis server: {e}"
                )));
            }
        }
        if redis_wire::serves(port).await {
            return Ok(true);
        }
        sleep(LOOK_EVERY).await;
    }
    Err(Failure::broken(format!(
        "the Redis server does not answer within {} s",
        START_LIMIT.as_secs()
    )))
}

fn last_lines(dir: &Path) -> String {
    let log = std::fs::read_to_string(dir.join(LOG_FILE)).unwrap_or_default();
    let lines: Vec<_> = log.lines().rev().take(5).collect();
    lines
        .into_iter()
        .rev()
        .map(|line| format!("  {line}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_found_in_the_config_we_write() {
        let config = config_text(Path::new("/with space/\"quote\""), 7777);
        assert_eq!(port_in(&config), Some(7777));
        assert!(
            config.contains(r#"dir "/with space/\"quote\"""#),
            "{config}"
        );
        assert_eq!(port_in("bind 127.0.0.1\n"), None);
    }

    #[tokio::test]
    async fn a_server_starts_serves_and_ends_and_a_leftover_is_taken_over() {
        if !PROGRAMS.iter().any(|p| is_installed(p)) {
            eprintln!("SKIPPED: no redis-server is installed");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let redis = OwnRedis::start(DataDir::take(dir.path()).unwrap())
            .await
            .unwrap();
        let first_port = redis.port;
        assert!(redis_wire::serves(first_port).await);
        let path = redis.dir().display().to_string();
        let pid = redis_wire::pid_of_server_in(first_port, &path).await;
        assert_eq!(pid, redis.child.id());
        assert_eq!(
            redis_wire::pid_of_server_in(first_port, "/elsewhere").await,
            None
        );

        // As if our process had been killed: the server lives on, the lock is free.
        let OwnRedis {
            mut child,
            dir: taken,
            ..
        } = redis;
        drop(taken);
        let second = OwnRedis::start(DataDir::take(dir.path()).unwrap())
            .await
            .unwrap();
        timeout(STOP_LIMIT, child.wait()).await.unwrap().unwrap();
        assert!(redis_wire::serves(second.port).await);
        let second_port = second.port;
        second.stop().await;
        assert!(!redis_wire::serves(second_port).await);
    }

    #[tokio::test]
    async fn another_program_on_the_old_port_is_left_alone() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let dir = tempfile::tempdir().unwrap();
        write_config(dir.path(), port).unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            drop(stream);
        });
        end_leftover(dir.path()).await.unwrap();
    }
}
