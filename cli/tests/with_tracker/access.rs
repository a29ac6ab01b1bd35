//! Tokens on the command line, from the first one to a worker's, and where they are not.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::cluster::{Cluster, Process, ask, free_port, start, until};

/// A tracker that asks for tokens and logs all that there is to log.
struct Asking {
    _tracker: Process,
    server: String,
    http: u16,
    admin: PathBuf,
    log: PathBuf,
}

fn asking(cluster: &Cluster) -> Asking {
    let (grpc, http) = (free_port(), free_port());
    let (admin, log) = (
        cluster.dir.path().join("admin.token"),
        cluster.dir.path().join("asking.log"),
    );
    let args = format!(
        "tracker --redis redis://127.0.0.1:{} --prefix asking --grpc-listen 127.0.0.1:{grpc} --http-listen 127.0.0.1:{http} \
         --log-level trace --set access.mode=tokens --set access.bootstrap_token_file={}",
        cluster.redis,
        admin.display()
    );
    let args: Vec<String> = args.split(' ').map(ToOwned::to_owned).collect();
    let tracker = start(env!("CARGO_BIN_EXE_tickwheel"), &args, &log).unwrap();
    until("the token is there", || {
        let text = std::fs::read_to_string(&admin).map_err(|error| error.to_string())?;
        (!text.is_empty()).then_some(()).ok_or(text)
    });
    let request = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    until("it is ready", || {
        let answer = ask(http, request, |_| false)?;
        answer.contains("200 OK").then_some(()).ok_or(answer)
    });
    Asking {
        _tracker: tracker,
        server: format!("http://127.0.0.1:{grpc}"),
        http,
        admin,
        log,
    }
}

impl Asking {
    fn run(&self, token: Option<&PathBuf>, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tickwheel"));
        command.args(args).env("TICKWHEEL_SERVER", &self.server);
        for name in ["RUST_LOG", "TICKWHEEL_TOKEN", "TICKWHEEL_TOKEN_FILE"] {
            command.env_remove(name);
        }
        if let Some(file) = token {
            command.env("TICKWHEEL_TOKEN_FILE", file);
        }
        command.output().unwrap()
    }

    /// What it prints, when it may do that.
    fn done(&self, token: &PathBuf, args: &[&str]) -> String {
        let output = self.run(Some(token), args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn tokens_are_made_used_rotated_and_revoked_and_their_secrets_are_nowhere() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let asking = asking(&cluster);
    let refused = asking.run(None, &["job", "list"]);
    assert_eq!(refused.status.code(), Some(3), "{refused:?}");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("--token-file"), "{said}");

    let admin = std::fs::read_to_string(&asking.admin).unwrap();
    let made = asking.done(
        &asking.admin,
        &[
            "token",
            "make",
            "billing",
            "--role",
            "operator",
            "--namespace",
            "billing",
        ],
    );
    let file = cluster.dir.path().join("billing.token");
    std::fs::write(&file, &made).unwrap();
    asking.done(&file, &["job", "list"]);
    let manifest = cluster.dir.path().join("jobs.yaml");
    let text = "kind: Job\nname: other/one\nhandler: echo\ntrigger: manual\n";
    std::fs::write(&manifest, text).unwrap();
    let path = manifest.to_string_lossy().into_owned();
    let refused = asking.run(Some(&file), &["apply", "-f", &path]);
    assert_eq!(refused.status.code(), Some(3), "{refused:?}");
    let mine = text.replace("other/", "billing/");
    std::fs::write(&manifest, mine).unwrap();
    asking.done(&file, &["apply", "-f", &path]);

    rotated_and_revoked(&asking, &file, &[admin, made]);
}

/// What becomes of a token in `file`; the secrets of `tokens` and of the one that it is given are nowhere.
fn rotated_and_revoked(asking: &Asking, file: &PathBuf, tokens: &[String; 2]) {
    let [admin, made] = tokens;
    let id = made.split('_').nth(1).unwrap();
    let listed = asking.done(&asking.admin, &["token", "list"]);
    assert!(
        listed.contains(id) && listed.contains("billing"),
        "{listed}"
    );
    let fresh = asking.done(&asking.admin, &["token", "rotate", id, "--grace", "1m"]);
    asking.done(file, &["job", "list"]);
    asking.done(&asking.admin, &["token", "revoke", id]);
    until("it is refused", || {
        let output = asking.run(Some(file), &["job", "list"]);
        let code = output.status.code();
        (code == Some(3)).then_some(()).ok_or(format!("{output:?}"))
    });
    // Refusals are written down once in a second.
    let words = ["MakeToken", "ApplyJobs", "RevokeToken", "PERMISSION_DENIED"];
    let audit = until("all of it is in the audit", || {
        let audit = asking.done(&asking.admin, &["audit", "-o", "json"]);
        let is_whole = words.iter().all(|word| audit.contains(word));
        is_whole.then_some(audit.clone()).ok_or(audit)
    });
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let metrics = ask(asking.http, request, |_| false).unwrap();
    assert!(
        metrics.contains("tickwheel_access_refused_total"),
        "{metrics}"
    );
    let log = std::fs::read_to_string(&asking.log).unwrap();
    assert!(
        log.contains("ApplyJobs") && log.len() > 10_000,
        "it is logged"
    );
    for token in [admin, made, &fresh] {
        let token = token.trim();
        let secret = &token[token.len() - 43..];
        for (place, text) in [
            ("log", &log),
            ("metrics", &metrics),
            ("audit", &audit),
            ("list", &listed),
        ] {
            assert!(!text.contains(secret), "{place}");
        }
    }
}

#[test]
fn a_token_is_not_sent_where_others_can_read_it() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let asking = asking(&cluster);
    let far = ["job", "list", "--server", "http://tracker.example:7400"];
    let refused = asking.run(Some(&asking.admin), &far);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("--plaintext-token"), "{said}");
}

#[test]
fn a_worker_shows_its_token_and_goes_when_that_is_revoked() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let asking = asking(&cluster);
    let make = "token make mills --role worker --group mills --worker-id mill-* --permits 16";
    let args: Vec<&str> = make.split(' ').collect();
    let made = asking.done(&asking.admin, &args);
    let file = cluster.dir.path().join("mills.token");
    std::fs::write(&file, &made).unwrap();
    let args = format!(
        "worker --tracker-url {} --group mills --name mill --set worker.token_file={}",
        asking.server,
        file.display()
    );
    let args: Vec<String> = args.split(' ').map(ToOwned::to_owned).collect();
    let log = cluster.dir.path().join("mill.log");
    let _worker = start(env!("CARGO_BIN_EXE_tickwheel"), &args, &log).unwrap();
    let workers = || asking.done(&asking.admin, &["worker", "list", "-o", "json"]);
    until("it is there", || {
        let listed = workers();
        listed.contains("mill-").then_some(()).ok_or(listed)
    });
    let id = made.split('_').nth(1).unwrap();
    asking.done(&asking.admin, &["token", "revoke", id]);
    until("it is gone", || {
        let listed = workers();
        (!listed.contains("mill-")).then_some(()).ok_or(listed)
    });
    until("it says why", || {
        let said = std::fs::read_to_string(&log).unwrap();
        said.contains("not good any more").then_some(()).ok_or(said)
    });
    let secret = &made.trim()[made.trim().len() - 43..];
    for log in [&log, &asking.log] {
        assert!(!std::fs::read_to_string(log).unwrap().contains(secret));
    }
}
