//! TLS between everything that speaks with a tracker: what goes over it, who is not believed, and certificates that are replaced.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tickwheel_certificates::testing::{self, DAY};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::cluster::{Cluster, Process, free_port, start, until};

/// An authority, and the file of its certificate.
pub(crate) struct Authority {
    pub(crate) made: testing::Authority,
    pub(crate) file: PathBuf,
}

pub(crate) fn now() -> u64 {
    tickwheel_certificates::now().as_secs()
}

impl Authority {
    pub(crate) fn new(cluster: &Cluster, name: &str) -> Self {
        let made = testing::Authority::new(name).unwrap();
        let file = cluster.dir.path().join(format!("{name}.pem"));
        std::fs::write(&file, &made.pem).unwrap();
        Self { made, file }
    }

    /// A certificate and a key for loopback.
    pub(crate) fn issued(&self, until: u64) -> [String; 2] {
        let hosts = ["127.0.0.1", "tracker.internal"];
        let issued = self.made.issue_until(&hosts, until).unwrap();
        [issued.cert, issued.key]
    }

    pub(crate) fn path(&self) -> &str {
        self.file.to_str().unwrap()
    }
}

/// A tracker that speaks TLS and asks for tokens.
pub(crate) struct Secure {
    tracker: Process,
    files: [PathBuf; 2],
    pub(crate) server: String,
    grpc: u16,
    pub(crate) http: u16,
    pub(crate) admin: PathBuf,
    log: PathBuf,
}

impl Secure {
    fn start(cluster: &Cluster, issued: &[String; 2]) -> Self {
        Self::start_with(cluster, issued, &[])
    }

    /// With more settings.
    pub(crate) fn start_with(
        cluster: &Cluster,
        [cert, key]: &[String; 2],
        settings: &[String],
    ) -> Self {
        let at = |name: &str| cluster.dir.path().join(name);
        let files = [at("cert.pem"), at("key.pem")];
        put(&files, &[cert.clone(), key.clone()]);
        let (grpc, http) = (free_port(), free_port());
        let (admin, log) = (at("admin.token"), at("secure.log"));
        let args = format!(
            "tracker --redis redis://127.0.0.1:{} --prefix secure --grpc-listen 127.0.0.1:{grpc} --http-listen 127.0.0.1:{http} \
             --set access.mode=tokens --set access.bootstrap_token_file={} --set tls.cert={} --set tls.key={}",
            cluster.redis,
            admin.display(),
            files[0].display(),
            files[1].display(),
        );
        let mut args: Vec<String> = args.split(' ').map(ToOwned::to_owned).collect();
        for setting in settings {
            args.extend(["--set".to_owned(), setting.clone()]);
        }
        let tracker = start(env!("CARGO_BIN_EXE_tickwheel"), &args, &log).unwrap();
        let server = format!("https://127.0.0.1:{grpc}");
        until("it turns", || {
            let said = std::fs::read_to_string(&log).unwrap();
            said.contains("the tracker turns").then_some(()).ok_or(said)
        });
        Self {
            tracker,
            files,
            server,
            grpc,
            http,
            admin,
            log,
        }
    }

    fn run(&self, ca: &Path, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tickwheel"));
        command
            .env("TICKWHEEL_SERVER", &self.server)
            .env("TICKWHEEL_TOKEN_FILE", &self.admin)
            .env("TICKWHEEL_CA_FILE", ca)
            .env_remove("RUST_LOG");
        command.args(args).output().unwrap()
    }

    fn done(&self, ca: &Path, args: &[&str]) -> Result<String, String> {
        let output = self.run(ca, args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some(text).ok_or(said)
    }

    /// What a command that does not succeed says.
    fn refused(&self, ca: &Path, args: &[&str]) -> String {
        self.done(ca, args).unwrap_err()
    }

    fn worker(&self, cluster: &Cluster, authority: &Authority, log: &str) -> Process {
        let make = "token make any --role worker --group * --permits 16";
        let args: Vec<&str> = make.split(' ').collect();
        let made = self.done(&authority.file, &args).unwrap();
        let token = cluster.dir.path().join("worker.token");
        std::fs::write(&token, made).unwrap();
        let args = format!(
            "worker --tracker-url {} --set worker.token_file={} --set worker.ca_file={}",
            self.server,
            token.display(),
            authority.path()
        );
        let args: Vec<String> = args.split(' ').map(ToOwned::to_owned).collect();
        let log = cluster.dir.path().join(log);
        start(env!("CARGO_BIN_EXE_tickwheel"), &args, &log).unwrap()
    }

    /// Submits a context and waits until it has succeeded.
    fn runs(&self, ca: &Path) {
        let submitted = self.done(ca, &["submit", "echo", "-o", "json"]).unwrap();
        let submitted: serde_json::Value = serde_json::from_str(&submitted).unwrap();
        let id = submitted["id"].as_str().unwrap();
        let waited = self.done(ca, &["run", "wait", id, "--timeout", "30s"]);
        assert!(waited.is_ok(), "{waited:?}");
    }

    /// Once they say something of the certificate.
    fn metrics(&self, authority: &Authority) -> String {
        until("the certificate is measured", || {
            let metrics = self.asked_for_metrics(authority);
            let is_there = metrics.contains("tickwheel_tls_unfit ");
            is_there.then_some(metrics.clone()).ok_or(metrics)
        })
    }

    fn asked_for_metrics(&self, authority: &Authority) -> String {
        let mut roots = RootCertStore::empty();
        roots.add(authority.made.der.clone()).unwrap();
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let host = ServerName::try_from("127.0.0.1").unwrap();
        let session = ClientConnection::new(Arc::new(config), host).unwrap();
        let stream = TcpStream::connect(("127.0.0.1", self.http)).unwrap();
        let mut stream = StreamOwned::new(session, stream);
        let request = b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        stream.write_all(request).unwrap();
        let mut answer = Vec::new();
        // A server may close without a word of TLS.
        stream.read_to_end(&mut answer).ok();
        String::from_utf8(answer).unwrap()
    }
}

/// One after the other, as whoever renews certificates does.
fn put(files: &[PathBuf; 2], texts: &[String; 2]) {
    for (file, text) in files.iter().zip(texts) {
        std::fs::write(file, text).unwrap();
    }
}

#[test]
fn callers_workers_and_probes_speak_tls_with_a_tracker() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let authority = Authority::new(&cluster, "one");
    let secure = Secure::start(&cluster, &authority.issued(now() + 90 * DAY));
    let _worker = secure.worker(&cluster, &authority, "over-tls.log");
    secure.runs(&authority.file);
    let metrics = secure.metrics(&authority);
    assert!(metrics.contains("tickwheel_tls_unfit 0"), "{metrics}");
    let cluster = secure.done(&authority.file, &["cluster", "-o", "json"]);
    assert!(
        cluster.unwrap().contains(&secure.server),
        "it is advertised"
    );
    // Nobody is talked to without it.
    let plain = format!("http://127.0.0.1:{}", secure.grpc);
    let said = secure.refused(&authority.file, &["job", "list", "--server", &plain]);
    assert!(said.contains("write https://"), "{said}");
}

#[test]
fn who_is_not_believed_is_told_of_with_what_to_do() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let [authority, stranger] = ["one", "two"].map(|name| Authority::new(&cluster, name));
    let secure = Secure::start(&cluster, &authority.issued(now() + 90 * DAY));
    let list = ["job", "list"];
    let said = secure.refused(&stranger.file, &list);
    assert!(
        said.contains("--ca-file") && said.contains("vouches"),
        "{said}"
    );
    let other = format!("https://localhost:{}", secure.grpc);
    let said = secure.refused(&authority.file, &["job", "list", "--server", &other]);
    assert!(said.contains("is for other names"), "{said}");
    let plain = format!("https://127.0.0.1:{}", cluster.grpc[0]);
    let said = secure.refused(&authority.file, &["job", "list", "--server", &plain]);
    assert!(said.contains("speaks no TLS"), "{said}");
    let nothing = cluster.dir.path().join("nothing.pem");
    let said = secure.refused(&nothing, &list);
    assert!(
        said.contains("--ca-file") && said.contains("nothing.pem"),
        "{said}"
    );

    let args = format!(
        "worker --tracker-url {} --set worker.ca_file={}",
        secure.server,
        stranger.path()
    );
    let args: Vec<String> = args.split(' ').map(ToOwned::to_owned).collect();
    let log = cluster.dir.path().join("misled.log");
    let _worker = start(env!("CARGO_BIN_EXE_tickwheel"), &args, &log).unwrap();
    until("the worker says so", || {
        let said = cluster.log("misled.log");
        said.contains("vouches").then_some(()).ok_or(said)
    });
}

#[test]
fn a_new_certificate_is_served_without_a_restart_and_a_broken_one_is_not() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let [old, new] = ["one", "two"].map(|name| Authority::new(&cluster, name));
    let secure = Secure::start(&cluster, &old.issued(now() + 90 * DAY));
    let _worker = secure.worker(&cluster, &old, "over-tls.log");
    secure.runs(&old.file);

    std::fs::write(&secure.files[1], "broken").unwrap();
    until("it is told", || {
        let log = std::fs::read_to_string(&secure.log).unwrap();
        log.contains("the one before is served on")
            .then_some(())
            .ok_or(log)
    });
    let unfit = |authority: &Authority, value: &str| {
        until("it is measured", || {
            let metrics = secure.metrics(authority);
            metrics.contains(value).then_some(()).ok_or(metrics)
        });
    };
    unfit(&old, "tickwheel_tls_unfit 1");
    secure.runs(&old.file);

    put(&secure.files, &new.issued(now() + 90 * DAY));
    until("the new one is served", || {
        secure.done(&new.file, &["job", "list"])
    });
    let said = secure.refused(&old.file, &["job", "list"]);
    assert!(said.contains("vouches"), "{said}");
    // The worker's stream is as old as the first certificate, whose authority is all that it believes.
    secure.runs(&new.file);
    unfit(&new, "tickwheel_tls_unfit 0");
    let log = cluster.log("over-tls.log");
    assert_eq!(log.matches("stream to tracker is up").count(), 1, "{log}");
}

#[test]
fn an_expired_certificate_is_refused_by_callers_and_at_the_start() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let authority = Authority::new(&cluster, "one");
    let soon = authority.issued(now() + 15);
    let mut secure = Secure::start(&cluster, &soon);
    let said = until("it expires", || {
        let listed = secure.done(&authority.file, &["job", "list"]);
        match listed {
            Ok(_) => Err("it is good".to_owned()),
            Err(said) => Ok(said),
        }
    });
    assert!(
        said.contains("has expired") && said.contains("tls.cert"),
        "{said}"
    );
    secure.tracker.ends_when_told();
    let [cert, key] = secure
        .files
        .each_ref()
        .map(|file| file.display().to_string());
    let [cert, key] = [format!("tls.cert={cert}"), format!("tls.key={key}")];
    let output = cluster.output_of(&["tracker", "--set", &cert, "--set", &key]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("tls.cert") && said.contains("it expired at"),
        "{said}"
    );
}

#[test]
fn handshakes_that_stall_end_and_nobody_waits_for_them() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let authority = Authority::new(&cluster, "one");
    let secure = Secure::start(&cluster, &authority.issued(now() + 90 * DAY));
    let began = Instant::now();
    let stalled: Vec<TcpStream> = [secure.grpc, secure.http]
        .into_iter()
        .flat_map(|port| (0..100).map(move |_| TcpStream::connect(("127.0.0.1", port)).unwrap()))
        .collect();
    secure.done(&authority.file, &["job", "list"]).unwrap();
    let metrics = secure.metrics(&authority);
    assert!(metrics.contains("tickwheel_tls_unfit 0"), "{metrics}");
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "all of this is while they stall: {:?}",
        began.elapsed()
    );
    for mut stream in stalled {
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let read = stream.read(&mut [0; 64]);
        assert!(matches!(read, Ok(0)) || read.is_err_and(|error| !would_wait(&error)));
    }
    until("they are counted", || {
        let metrics = secure.metrics(&authority);
        let counted = metrics.split_once("reason=\"handshake\"} ");
        let counted = counted.and_then(|(_, rest)| rest.lines().next()?.parse().ok());
        counted
            .filter(|counted: &u32| *counted >= 100)
            .ok_or(metrics)
    });
}

fn would_wait(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
    )
}

#[test]
fn beyond_loopback_a_tracker_has_a_certificate_or_says_that_it_needs_none() {
    let dir = tempfile::TempDir::new().unwrap();
    let start = |more: &[&str]| {
        let args = [
            "tracker",
            "--grpc-listen",
            "0.0.0.0:0",
            "--http-listen",
            "off",
            "--redis",
            "redis://127.0.0.1:1",
        ];
        let url = ["--advertise-url", "http://tracker-1:7400"];
        let output = Command::new(env!("CARGO_BIN_EXE_tickwheel"))
            .args([&args[..], &url, more].concat())
            .current_dir(dir.path())
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let said = start(&[]);
    assert!(
        said.contains("tls.cert") && said.contains("access.insecure_listen"),
        "{said}"
    );
    let said = start(&["--set", "access.insecure_listen=true"]);
    assert!(
        said.contains("Connection refused"),
        "it gets as far as redis: {said}"
    );
    let said = start(&["--set", "tls.cert=c.pem", "--set", "tls.key=k.pem"]);
    assert!(said.contains("begins with https://"), "{said}");
    // Who wants certificates of callers is not left without them.
    let asks = [
        "--set",
        "tls.client_auth=required",
        "--set",
        "tls.client_ca=",
    ];
    let said = start(&asks);
    assert!(said.contains("tls.client_ca: names a file"), "{said}");
}
