//! What the documentation says a tracker answers and shows is what it answers and shows.

use crate::cluster::{Cluster, ask};

fn get(port: u16, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    ask(port, &request, |_| false).unwrap()
}

#[test]
fn the_paths_of_the_page_are_answered_and_the_edition_of_the_zones_is_shown() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `/"));
    let paths: Vec<String> = rows
        .map(|row| format!("/{}", row.split('`').next().unwrap()))
        .collect();
    assert_eq!(paths.len(), 3, "{paths:?}");
    for path in &paths {
        let answer = get(cluster.http[0], path);
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
    let nothing = get(cluster.http[0], "/nothing");
    assert!(nothing.starts_with("HTTP/1.1 404"), "{nothing}");
    assert!(get(cluster.http[0], "/metrics").contains("\ntickwheel_"));

    let version = cluster.run(&["--version"]);
    let table = version.lines().nth(1).unwrap();
    let table = table.strip_prefix("time zone table ").unwrap();
    let (edition, _) = table.split_once(' ').unwrap();
    let shown = cluster.run(&["cluster", "-o", "json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["zone_table"], table);
    for log in ["tracker-0.log", "tracker-1.log"] {
        let log = cluster.log(log);
        let started = log.lines().find(|line| line.contains("tracker started"));
        let started = started.unwrap_or_else(|| panic!("{log}"));
        assert!(started.contains(&format!("zones={edition} (")), "{started}");
    }
}
