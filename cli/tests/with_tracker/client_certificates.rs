//! Certificates of callers and workers: who is let in by them, and tokens that are bound to one.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tickwheel_certificates::testing::{DAY, Issued};
use tickwheel_core::access::Fingerprint;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::cluster::{Cluster, start, until};
use crate::tls::{Authority, Secure, now};

/// Somebody with a certificate.
struct Somebody {
    issued: Issued,
    files: [PathBuf; 2],
}

impl Somebody {
    fn new(cluster: &Cluster, authority: &Authority, name: &str, until: u64) -> Self {
        let issued = authority.made.issue_until(&[name], until).unwrap();
        let at = |end: &str| cluster.dir.path().join(format!("{name}.{end}"));
        let files = [at("cert.pem"), at("key.pem")];
        std::fs::write(&files[0], &issued.cert).unwrap();
        std::fs::write(&files[1], &issued.key).unwrap();
        Self { issued, files }
    }

    fn good(cluster: &Cluster, authority: &Authority, name: &str) -> Self {
        Self::new(cluster, authority, name, now() + 90 * DAY)
    }

    fn fingerprint(&self) -> String {
        Fingerprint::of(&self.issued.der).to_string()
    }
}

/// A tracker that asks for certificates, and whom it is asked by.
struct Asking {
    cluster: Cluster,
    own: Authority,
    /// That vouches for clients.
    clients: Authority,
    secure: Secure,
}

impl Asking {
    fn start(asked: &str) -> Option<Self> {
        let cluster = Cluster::start()?;
        let own = Authority::new(&cluster, "own");
        let clients = Authority::new(&cluster, "clients");
        let settings = [
            format!("tls.client_ca={}", clients.path()),
            format!("tls.client_auth={asked}"),
        ];
        let issued = own.issued(now() + 90 * DAY);
        let secure = Secure::start_with(&cluster, &issued, &settings);
        Some(Self {
            cluster,
            own,
            clients,
            secure,
        })
    }

    /// What a command answers, of `who` with this token.
    fn run(&self, who: Option<&Somebody>, token: &Path, args: &[&str]) -> Result<String, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tickwheel"));
        command
            .args(args)
            .env("TICKWHEEL_SERVER", &self.secure.server)
            .env("TICKWHEEL_CA_FILE", &self.own.file)
            .env("TICKWHEEL_TOKEN_FILE", token)
            .env_remove("RUST_LOG");
        if let Some(Somebody { files, .. }) = who {
            command.arg("--client-cert").arg(&files[0]);
            command.arg("--client-key").arg(&files[1]);
        }
        let output = command.output().unwrap();
        let [out, err] =
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        output.status.success().then_some(out).ok_or(err)
    }

    /// The answer to a request of HTTP, of `who` with this token.
    fn get(&self, who: Option<&Somebody>, token: &Path, path: &str) -> Result<String, String> {
        let mut roots = RootCertStore::empty();
        roots.add(self.own.made.der.clone()).unwrap();
        let config = ClientConfig::builder().with_root_certificates(roots);
        let config = match who {
            Some(Somebody { issued, .. }) => {
                let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
                config
                    .with_client_auth_cert(vec![issued.der.clone()], key)
                    .unwrap()
            }
            None => config.with_no_client_auth(),
        };
        let host = ServerName::try_from("127.0.0.1").unwrap();
        let session = ClientConnection::new(Arc::new(config), host).unwrap();
        let stream = TcpStream::connect(("127.0.0.1", self.secure.http)).unwrap();
        let mut stream = StreamOwned::new(session, stream);
        let token = std::fs::read_to_string(token).unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
            token.trim()
        );
        stream
            .write_all(request.as_bytes())
            .map_err(|error| error.to_string())?;
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        match (answer.is_empty(), read) {
            (true, Err(error)) => Err(error.to_string()),
            _ => Ok(String::from_utf8(answer).unwrap()),
        }
    }

    /// A token that `admin` makes; the file that it is in.
    fn made(&self, admin: Option<&Somebody>, name: &str, more: &[&str]) -> PathBuf {
        let args = [&["token", "make", name], more].concat();
        let made = self.run(admin, &self.secure.admin, &args).unwrap();
        let file = self.cluster.dir.path().join(format!("{name}.token"));
        std::fs::write(&file, made).unwrap();
        file
    }
}

fn says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "no `{word}` in: {said}");
    }
}

const LIST: [&str; 2] = ["job", "list"];
const JOBS: &str = "/api/v1/jobs";

#[test]
fn nobody_is_let_in_without_a_good_certificate_where_one_is_required() {
    let Some(asking) = Asking::start("required") else {
        return;
    };
    let (cluster, admin) = (&asking.cluster, &asking.secure.admin);
    let good = Somebody::good(cluster, &asking.clients, "good");
    asking.run(Some(&good), admin, &LIST).unwrap();
    says(
        &asking.get(Some(&good), admin, JOBS).unwrap(),
        &["HTTP/1.1 200"],
    );
    // A certificate is no token.
    let nothing = cluster.dir.path().join("nothing.token");
    std::fs::write(
        &nothing,
        "tw_abcdefgh1234_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE",
    )
    .unwrap();
    let said = asking.run(Some(&good), &nothing, &LIST).unwrap_err();
    says(&said, &["not good any more"]);

    let said = asking.run(None, admin, &LIST).unwrap_err();
    says(&said, &["--client-cert", "tls.client_ca"]);
    asking.get(None, admin, JOBS).unwrap_err();
    let strange = Somebody::good(cluster, &asking.own, "strange");
    let said = asking.run(Some(&strange), admin, &LIST).unwrap_err();
    says(&said, &["does not believe the certificate that you show"]);
    asking.get(Some(&strange), admin, JOBS).unwrap_err();
    let late = Somebody::new(cluster, &asking.clients, "late", now() - DAY);
    let said = asking.run(Some(&late), admin, &LIST).unwrap_err();
    says(&said, &["--client-cert", "late.cert.pem", "expired at"]);
    asking.get(Some(&late), admin, JOBS).unwrap_err();
    let half = ["job", "list", "--client-key", "key.pem"];
    let said = asking.run(None, admin, &half).unwrap_err();
    says(&said, &["--client-cert", "named together"]);
}

#[test]
fn a_bound_token_is_good_with_its_certificate_alone() {
    let Some(asking) = Asking::start("optional") else {
        return;
    };
    let cluster = &asking.cluster;
    let [own, other] = ["mine", "other"].map(|name| Somebody::good(cluster, &asking.clients, name));
    let print = own.fingerprint();
    let of_ci = [
        "--role",
        "viewer",
        "--namespace",
        "*",
        "--client-cert-sha256",
        &print,
    ];
    let bound = asking.made(None, "ci", &of_ci);
    let listed = asking.run(None, &asking.secure.admin, &["token", "list", "-o", "json"]);
    says(
        &listed.unwrap(),
        &[&format!("\"client_cert_sha256\": \"{print}\"")],
    );

    asking.run(Some(&own), &bound, &LIST).unwrap();
    says(
        &asking.get(Some(&own), &bound, JOBS).unwrap(),
        &["HTTP/1.1 200"],
    );
    for who in [None, Some(&other)] {
        let said = asking.run(who, &bound, &LIST).unwrap_err();
        says(&said, &["bound to a certificate"]);
        let said = asking.get(who, &bound, JOBS).unwrap();
        says(&said, &["HTTP/1.1 401", "bound to a certificate"]);
    }
    let denied = ["audit", "--denied", "-o", "json"];
    until("the refusals are written down", || {
        let said = asking.run(None, &asking.secure.admin, &denied)?;
        let has = |word: &str| said.contains(word);
        (has("UNAUTHENTICATED") && has("ListJobs"))
            .then_some(())
            .ok_or(said)
    });
    let metrics = asking.get(None, &asking.secure.admin, "/metrics").unwrap();
    says(
        &metrics,
        &["tickwheel_access_refused_total{reason=\"bound\"}"],
    );
    // What is no fingerprint is no certificate of anybody.
    let wrong = [
        "token",
        "make",
        "x",
        "--role",
        "viewer",
        "--namespace",
        "*",
        "--client-cert-sha256",
        "ab:cd",
    ];
    let said = asking.run(None, &asking.secure.admin, &wrong).unwrap_err();
    says(
        &said,
        &[
            "client_cert_sha256",
            "64 hexadecimal digits",
            "ab:cd",
            "openssl",
        ],
    );
}

#[test]
fn a_worker_with_a_bound_token_runs_by_its_certificate_and_new_authorities_are_taken_up() {
    let Some(asking) = Asking::start("required") else {
        return;
    };
    let cluster = &asking.cluster;
    let [admin, mill, other] =
        ["admin", "mill", "other"].map(|name| Somebody::good(cluster, &asking.clients, name));
    let print = mill.fingerprint();
    let of_worker = [
        "--role",
        "worker",
        "--group",
        "*",
        "--client-cert-sha256",
        &print,
    ];
    let token = asking.made(Some(&admin), "mills", &of_worker);
    let worker = |who: &Somebody, log: &str| {
        let args = format!(
            "worker --tracker-url {} --set worker.token_file={} --set worker.ca_file={} \
             --set worker.client_cert={} --set worker.client_key={}",
            asking.secure.server,
            token.display(),
            asking.own.path(),
            who.files[0].display(),
            who.files[1].display(),
        );
        let args: Vec<String> = args.split(' ').map(ToOwned::to_owned).collect();
        let log = cluster.dir.path().join(log);
        start(env!("CARGO_BIN_EXE_tickwheel"), &args, &log).unwrap()
    };
    let _stranger = worker(&other, "stranger.log");
    until("another certificate is refused", || {
        let said = cluster.log("stranger.log");
        said.contains("bound to a certificate")
            .then_some(())
            .ok_or(said)
    });
    let _mill = worker(&mill, "mill.log");
    let submitted = asking.run(
        Some(&admin),
        &asking.secure.admin,
        &["submit", "echo", "-o", "json"],
    );
    let submitted: serde_json::Value = serde_json::from_str(&submitted.unwrap()).unwrap();
    let wait = [
        "run",
        "wait",
        submitted["id"].as_str().unwrap(),
        "--timeout",
        "30s",
    ];
    asking
        .run(Some(&admin), &asking.secure.admin, &wait)
        .unwrap();

    // Another authority vouches for clients from now on.
    let next = Authority::new(cluster, "next");
    let newer = Somebody::good(cluster, &next, "newer");
    std::fs::write(&asking.clients.file, &next.made.pem).unwrap();
    until("the new authority is believed", || {
        asking.run(Some(&newer), &asking.secure.admin, &LIST)
    });
    let said = asking
        .run(Some(&admin), &asking.secure.admin, &LIST)
        .unwrap_err();
    says(&said, &["does not believe the certificate that you show"]);
}
