use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tickwheel_certificates::now;
use tickwheel_certificates::testing::{Authority, DAY};

use super::Tls;
use super::live::Live;

const URL: &str = "rediss://127.0.0.1:6380";

struct Made {
    dir: TempDir,
}

impl Made {
    fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
        }
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let file = self.dir.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    /// An authority, and a client's certificate and key of it.
    fn client(&self, until: u64) -> (String, String, String) {
        let authority = Authority::new("one").unwrap();
        let issued = authority.issue_until(&["tracker"], until).unwrap();
        (authority.pem, issued.cert, issued.key)
    }

    fn good(&self) -> (String, String, String) {
        self.client(now().as_secs() + DAY)
    }

    fn tls(&self, (ca, cert, key): &(String, String, String)) -> Tls {
        Tls {
            ca_file: Some(self.put("ca.pem", ca)),
            client_cert: Some(self.put("cert.pem", cert)),
            client_key: Some(self.put("key.pem", key)),
            recheck: Duration::from_millis(100),
        }
    }
}

fn refused(tls: &Tls, url: &str) -> String {
    Live::start(tls, url).unwrap_err().to_string()
}

#[test]
fn files_that_cannot_be_used_are_refused_by_the_keys_that_name_them() {
    let made = Made::new();
    let good = made.good();
    let (ca, cert, key) = good.clone();
    let (_, _, other) = made.good();
    for (files, field, said) in [
        (
            (String::new(), cert.clone(), key.clone()),
            "redis.ca_file",
            "there is none",
        ),
        (
            (ca.clone(), String::new(), key),
            "redis.client_cert",
            "there are 0",
        ),
        (
            (ca.clone(), cert.clone(), other),
            "redis.client_key",
            "beside it",
        ),
        (
            (ca, cert, "none".to_owned()),
            "redis.client_key",
            "private key in PEM",
        ),
        (
            made.client(978_307_200),
            "redis.client_cert",
            "it expired at 2001-01-01",
        ),
    ] {
        let refused = refused(&made.tls(&files), URL);
        assert!(refused.starts_with(field), "{field}: {refused}");
        assert!(
            refused.contains(said) && refused.contains(".pem)"),
            "{refused}"
        );
        assert!(!refused.contains("PRIVATE"), "{refused}");
    }
    let tls = made.tls(&good);
    assert!(Live::start(&tls, URL).unwrap().is_some());
    let nothing = Tls {
        ca_file: Some(made.dir.path().join("nothing.pem")),
        ..Tls::default()
    };
    let said = refused(&nothing, URL);
    assert!(
        said.contains("redis.ca_file: names a file that can be read"),
        "{said}"
    );
}

#[test]
fn what_belongs_together_is_named_together() {
    let made = Made::new();
    let whole = made.tls(&made.good());
    let said = refused(&whole, "redis-cluster://10.0.0.1:7000");
    for field in ["redis.ca_file", "redis.client_cert", "redis.client_key"] {
        assert!(said.contains(field), "{said}");
    }
    assert!(
        said.contains("write rediss-cluster://10.0.0.1:7000"),
        "{said}"
    );
    let half = Tls {
        client_key: None,
        ..whole.clone()
    };
    assert!(
        refused(&half, URL).starts_with("redis.client_key"),
        "{half:?}"
    );
    let half = Tls {
        client_cert: None,
        ..whole
    };
    assert!(
        refused(&half, URL).starts_with("redis.client_cert"),
        "{half:?}"
    );
    assert!(Live::start(&Tls::default(), "redis://h").unwrap().is_none());
}

#[test]
fn what_is_new_in_the_files_is_used_and_what_is_broken_is_not() {
    let made = Made::new();
    let tls = made.tls(&made.good());
    let live = Live::start(&tls, URL).unwrap().unwrap();
    let shown = |live: &Live| live.used().shows.as_ref().map(|key| key.cert.clone());
    let first = shown(&live);
    assert!(!live.look().unwrap(), "nothing is new");
    let key =
        |path: &Option<PathBuf>| -> PathBuf { path.as_deref().unwrap_or(Path::new("")).into() };
    std::fs::write(key(&tls.client_key), "broken").unwrap();
    let said = live.look().unwrap_err().to_string();
    assert!(said.contains("redis.client_key"), "{said}");
    assert_eq!(shown(&live), first);
    made.tls(&made.good());
    assert!(live.look().unwrap());
    assert_ne!(shown(&live), first);
}
