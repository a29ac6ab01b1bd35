//! The binary itself where no tracker is needed: exit codes, and what goes to standard output and what to standard error.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::process::{Command, Output};

fn tickwheel(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tickwheel"))
        .args(args)
        .env_remove("TICKWHEEL_SERVER")
        .env_remove("RUST_LOG")
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// An address at which nobody listens.
fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn wrong_usage_and_invalid_input_end_with_2_and_leave_standard_output_empty() {
    for args in [
        &["jobs"][..],
        &["cron", "explain", "0 0 30 2 *"],
        &["cron", "explain", "* * * * *", "--tz", "Mars/Olympus"],
        &["tracker", "--print-config", "--set", "tracker.colour=red"],
        &["apply", "-f", "/nowhere/at/all.yaml"],
        &["--server", "nonsense", "job", "list"],
    ] {
        let output = tickwheel(args);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{args:?}: {}",
            stderr(&output)
        );
        assert_eq!(stdout(&output), "", "{args:?}");
        assert_ne!(stderr(&output), "", "{args:?}");
    }
}

#[test]
fn nobody_answering_ends_with_5() {
    let output = tickwheel(&["--server", &nowhere(), "job", "list"]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
}

#[test]
fn an_expression_is_explained_in_its_zone_as_json() {
    let output = tickwheel(&[
        "cron",
        "explain",
        "30 2 * * *",
        "--tz",
        "Europe/Berlin",
        "--after",
        "2026-03-28T12:00:00Z",
        "-n",
        "2",
        "-o",
        "json",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let answer: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let due: Vec<_> = answer["next"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["due"].as_str().unwrap())
        .collect();
    assert_eq!(
        due,
        ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]
    );
}

#[test]
fn the_effective_configuration_is_toml() {
    let output = tickwheel(&[
        "tracker",
        "--print-config",
        "--redis",
        "redis://:hunter2@db:6379",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    let table: toml::Table = toml::from_str(&text).unwrap();
    assert_eq!(table["redis"]["url"].as_str(), Some("redis://:***@db:6379"));
    assert!(!text.contains("hunter2"));
}

#[test]
fn the_schema_of_files_needs_no_server_and_is_the_published_one() {
    let output = tickwheel(&["schema"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let published = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/tickwheel.schema.json");
    assert_eq!(stdout(&output), std::fs::read_to_string(published).unwrap());
}

#[test]
fn jobs_are_applied_by_a_command_of_its_own() {
    let output = tickwheel(&["job", "apply", "-f", "x.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("tickwheel apply -f x.yaml"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn the_version_names_the_edition_of_the_time_zone_table() {
    let table = |variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tickwheel"));
        command.arg("--version").env_remove("TICKWHEEL_ZONE_TABLE");
        let output = command.envs(variables.iter().copied()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let lines: Vec<String> = stdout(&output).lines().map(ToOwned::to_owned).collect();
        assert_eq!(lines[0], concat!("tickwheel ", env!("CARGO_PKG_VERSION")));
        let table = lines[1].strip_prefix("time zone table ").unwrap();
        table.to_owned()
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let embedded = table(&[("TICKWHEEL_ZONE_TABLE", "embedded")]);
    let edition = embedded.strip_suffix(" (embedded)").unwrap();
    let edition: tickwheel_core::zone::Edition = edition.parse().unwrap();
    assert_eq!(
        &edition,
        tickwheel_core::zone::ZoneTable::embedded().edition()
    );
    for (version, shown) in [
        ("2099a", format!("2099a ({path})")),
        ("2001a", embedded.clone()),
    ] {
        let first = format!("# version {version}\n");
        std::fs::write(folder.path().join("tzdata.zi"), first).unwrap();
        assert_eq!(table(&[("TZDIR", path)]), shown);
    }
}

/// What the documentation says of a port of this machine is what a tracker listens on when nothing is set.
#[test]
fn ports_in_the_documentation_are_those_of_the_configuration() {
    let output = tickwheel(&["tracker", "--print-config"]);
    let config: toml::Table = toml::from_str(&stdout(&output)).unwrap();
    let port = |name: &str| {
        let address = config["tracker"][name].as_str().unwrap();
        address.rsplit(':').next().unwrap().to_owned()
    };
    let (grpc, http) = (port("grpc_listen"), port("http_listen"));
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    assert!(read("docs/operations.md").contains(&format!("`http_listen` (127.0.0.1:{http})")));
    assert!(read("docs/guides/client.md").contains(&format!("http://127.0.0.1:{grpc}")));
    assert!(read("deploy/Dockerfile").contains(&format!("EXPOSE {grpc} {http}")));
    let mut pages = vec!["README.md".to_owned(), "deploy/compose.yaml".to_owned()];
    for folder in ["docs", "docs/guides"] {
        for entry in root.join(folder).read_dir().unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            pages.extend(name.ends_with(".md").then(|| format!("{folder}/{name}")));
        }
    }
    let mut seen = 0;
    for page in pages {
        let text = read(&page);
        for piece in text.split(':').skip(1) {
            let digits: String = piece.chars().take_while(char::is_ascii_digit).collect();
            // Ours are of four digits and begin with 7.
            if digits.len() == 4 && digits.starts_with('7') {
                assert!(digits == grpc || digits == http, "{page} says :{digits}");
                seen += 1;
            }
        }
    }
    assert!(seen > 10, "{seen} ports are named");
}
