use std::path::PathBuf;

use super::setting::{Setting as _, Span};
use super::*;

fn environment(vars: &[(&str, &str)]) -> Environment {
    Environment::from_vars(vars.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
}

fn file(text: &str) -> (tempfile::TempDir, ConfigArgs) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tickwheel.toml");
    std::fs::write(&path, text).unwrap();
    let args = ConfigArgs {
        config: Some(path),
        ..ConfigArgs::default()
    };
    (dir, args)
}

#[test]
fn without_layers_every_key_has_its_default() {
    let config = load(&ConfigArgs::default(), &Environment::default(), vec![]).unwrap();
    assert_eq!(config, Config::default());
}

#[test]
fn the_environment_is_over_the_file_and_flags_are_over_both() {
    let (_dir, args) = file(
        "[tracker]\npartitions = 8\nturn_limit = 50\ndispatch_lease = \"3s\"\n[redis]\nprefix = \"a\"\n",
    );
    let vars = environment(&[
        ("TICKWHEEL_TRACKER__TURN_LIMIT", "60"),
        ("TICKWHEEL_REDIS__PREFIX", "b"),
        ("TICKWHEEL_SERVER", "http://other:7400"),
    ]);
    let flag = Override::flag("--prefix", "redis.prefix", Some(&"c"));
    let config = load(&args, &vars, flag.into_iter().collect()).unwrap();
    assert_eq!(config.tracker.partitions, 8);
    assert_eq!(config.tracker.dispatch_lease, Span::from_ms(3_000));
    assert_eq!(config.tracker.turn_limit, 60);
    assert_eq!(config.redis.prefix, "c");
}

#[test]
fn any_key_can_be_set_by_a_flag() {
    let args = ConfigArgs {
        set: vec![
            "worker.permits=3".to_owned(),
            "tracker.http_listen=off".to_owned(),
        ],
        ..ConfigArgs::default()
    };
    let config = load(&args, &Environment::default(), vec![]).unwrap();
    assert_eq!(config.worker.permits, 3);
    assert_eq!(config.tracker.http_listen, Listen::Off);
}

#[test]
fn all_mistakes_of_all_layers_are_reported_together() {
    let (_dir, args) = file(
        "[trakcer]\npartitions = 8\n[tracker]\ngrpc_lisen = \"x\"\nturn_limit = \"many\"\ndispatch_lease = \"0s\"\n",
    );
    let vars = environment(&[
        ("TICKWHEEL_LOG__FORMAT", "xml"),
        ("TICKWHEEL_TRACKER_PARTITIONS", "4"),
        ("TICKWHEEL_HTTP_HANDLER_ALLOW", "::1"),
        ("TICKWHEEL_HTTP_HANDLER__DENY", "10.1.0.0/8"),
        ("TICKWHEEL_WORKER__COLOUR", "red"),
    ]);
    let failure = load(&args, &vars, vec![]).unwrap_err();
    let text = failure.to_string();
    for part in [
        "trakcer: unknown section; did you mean \"tracker\"?",
        "tracker.grpc_lisen: unknown key; did you mean \"grpc_listen\"?",
        "tracker.turn_limit: must be a whole number from 1 to 65536, not \"many\"",
        "tracker.dispatch_lease: must be a duration longer than zero",
        "log.format: must be \"text\" or \"json\", not \"xml\" (from environment variable TICKWHEEL_LOG__FORMAT)",
        "TICKWHEEL_TRACKER__PARTITIONS",
        "TICKWHEEL_HTTP_HANDLER__ALLOW",
        "http_handler.deny: must be text such as",
        "worker.colour: unknown key; known: tracker_url, group, name, permits, handlers, token_file, token_hosts",
        "tickwheel.toml",
    ] {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
    assert_eq!(failure.exit(), crate::failure::Exit::Usage);
}

#[test]
fn a_file_that_is_not_toml_or_not_there_is_refused_with_its_name() {
    let (_dir, args) = file("[tracker\n");
    let text = load(&args, &Environment::default(), vec![])
        .unwrap_err()
        .to_string();
    assert!(text.contains("tickwheel.toml"), "{text}");
    let args = ConfigArgs {
        config: Some(PathBuf::from("/nowhere/x.toml")),
        ..ConfigArgs::default()
    };
    let text = load(&args, &Environment::default(), vec![])
        .unwrap_err()
        .to_string();
    assert!(text.contains("/nowhere/x.toml"), "{text}");
}

#[test]
fn the_printed_configuration_reads_back_and_hides_the_password() {
    let flag = Override::flag(
        "--redis",
        "redis.url",
        Some(&"redis://app:hunter2@db:6379/0?x=hunter2"),
    );
    let config = load(
        &ConfigArgs::default(),
        &Environment::default(),
        flag.into_iter().collect(),
    )
    .unwrap();
    let text = config.to_toml();
    assert!(!text.contains("hunter2"), "{text}");
    assert!(text.contains("redis://app:***@db:6379/0"), "{text}");
    assert!(!format!("{config:?}").contains("hunter2"));

    let (_dir, args) = file(&text);
    let again = load(&args, &Environment::default(), vec![]).unwrap();
    assert_eq!(again.to_toml(), text);
}

#[test]
fn a_secret_may_come_from_a_file() {
    let (dir, mut args) = file("");
    let secret = dir.path().join("url");
    std::fs::write(&secret, "redis://:pw@db:6379\n").unwrap();
    args.set = vec![format!("redis.url_file={}", secret.display())];
    let config = load(&args, &Environment::default(), vec![]).unwrap();
    assert_eq!(config.redis.url, Secret("redis://:pw@db:6379".to_owned()));
}

#[test]
fn urls_are_masked_whatever_their_form() {
    for (given, masked) in [
        ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379"),
        ("redis://:p@ss@h:1/2", "redis://:***@h:1/2"),
        ("redis://token@h", "redis://***@h"),
        ("rediss://u:p@h1:1,h2:2", "rediss://u:***@h1:1,h2:2"),
    ] {
        assert_eq!(Secret(given.to_owned()).masked(), masked);
    }
}

#[test]
fn durations_are_shown_as_they_are_read() {
    for span in [Span::from_ms(250), Span::from_ms(10_000)] {
        assert_eq!(Span::from_text(&span.to_string()), Some(span));
    }
}

#[test]
fn the_reference_page_is_current() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/config.md");
    let page = reference::page();
    if std::env::var_os("TICKWHEEL_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == page,
        "docs/config.md is old: TICKWHEEL_BLESS=1 cargo test -p tickwheel-cli reference"
    );
}
