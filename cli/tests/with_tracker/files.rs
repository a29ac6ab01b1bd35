//! Files of jobs and limits.

use serde_json::Value;

use crate::cluster::Cluster;
use crate::jobs::on_demand;

/// What became of each document: `Kind name: change`.
fn changes(said: &str) -> Vec<String> {
    let said: Value = serde_json::from_str(said).unwrap();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let row = |row: &Value| {
        format!(
            "{} {}: {}",
            text(row, "kind"),
            text(row, "name"),
            text(row, "change")
        )
    };
    said.as_array().unwrap().iter().map(row).collect()
}

#[test]
fn limits_stand_in_files_beside_jobs() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let limits = |group: &str, most: u32| {
        format!(
            "kind: Limits\ngroup: {group}\nconcurrency: {most}\nrate: {{ starts: 5, per: 1s, burst: 9 }}\nkeys: {{ free: {{}} }}\n"
        )
    };
    let both = [limits("l-a", 3), on_demand(&["l/x"]), limits("l-b", 2)].join("---\n");
    let both = cluster.manifest("both.yaml", &both);
    let apply = |more: &[&str]| {
        let args = [&["apply", "-f", &both, "-o", "json"], more].concat();
        changes(&cluster.run(&args))
    };
    let created = [
        "Limits l-a: created",
        "Limits l-b: created",
        "Job l/x: created",
    ];
    assert_eq!(apply(&["--dry-run"]), created);
    assert_eq!(cluster.jobs(), [""; 0]);
    assert_eq!(cluster.run(&["limit", "list", "-o", "json"]).trim(), "[]");
    assert_eq!(apply(&[]), created);
    let unchanged = created.map(|one| one.replace("created", "unchanged"));
    assert_eq!(apply(&[]), unchanged);

    // What is printed is applied again as the same, in both formats.
    for (format, name) in [("yaml", "l-a.yaml"), ("json", "l-a.json")] {
        let printed = cluster.run(&["limit", "get", "l-a", "-o", format]);
        let again = cluster.manifest(name, &printed);
        let again = cluster.run(&["apply", "-f", &again, "-o", "json"]);
        assert_eq!(changes(&again), ["Limits l-a: unchanged"], "{printed}");
    }
    let none = cluster.output(&["limit", "get", "nobody"]);
    assert_eq!(none.status.code(), Some(4));

    // One has other limits, one has none any more, and other prefixes are spared.
    cluster.run(&["limit", "set", "other", "--concurrency", "1"]);
    let one = cluster.manifest("one.yaml", &limits("l-a", 4));
    let prune = ["apply", "-f", &one, "--prune-limits", "l-", "-o", "json"];
    let expected = ["Limits l-a: updated", "Limits l-b: deleted"];
    assert_eq!(
        changes(&cluster.run(&[&prune[..], &["--dry-run"]].concat())),
        expected
    );
    assert_eq!(changes(&cluster.run(&prune)), expected);
    let left = cluster.run(&["limit", "list", "-o", "json"]);
    assert!(
        left.contains("l-a") && left.contains("other") && !left.contains("l-b"),
        "{left}"
    );
    let outside = cluster.output(&["apply", "-f", &one, "--prune-limits", "x"]);
    assert_eq!(outside.status.code(), Some(2));

    // The checks are those of `limit set`, and nothing is sent when one thing is wrong.
    let wrong = format!("{}---\n{}", on_demand(&["l/new"]), limits("l-a", 2_000_000));
    let wrong = cluster.manifest("wrong.yaml", &wrong);
    let refused = cluster.output(&["apply", "-f", &wrong]);
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{error}");
    assert!(
        error.contains("wrong.yaml (document 2): concurrency: is 0..=1000000 (given: 2000000)"),
        "{error}"
    );
    assert_eq!(cluster.jobs(), ["l/x"]);
}

#[test]
fn jobs_are_found_by_their_labels() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let job = |name: &str, labels: &str| {
        format!("kind: Job\nname: {name}\nhandler: noop\ntrigger: manual\nlabels: {{ {labels} }}\n")
    };
    let file = [
        job("f/a", "team: billing, tier: front"),
        job("f/b", "team: billing"),
        job("f/c", "team: shop, tier: back"),
        on_demand(&["f/none"]),
    ];
    let file = cluster.manifest("labels.yaml", &file.join("---\n"));
    cluster.run(&["apply", "-f", &file]);
    let found = |labels: &[&str]| {
        let labels = labels.iter().flat_map(|label| ["--label", label]);
        let args: Vec<&str> = ["job", "list", "-o", "json"]
            .into_iter()
            .chain(labels)
            .collect();
        let listed: Value = serde_json::from_str(&cluster.run(&args)).unwrap();
        let name = |job: &Value| job["name"].as_str().unwrap().to_owned();
        let mut names: Vec<String> = listed.as_array().unwrap().iter().map(name).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(found(&["team=billing"]), ["f/a", "f/b"]);
    assert_eq!(found(&["tier"]), ["f/a", "f/c"]);
    assert_eq!(found(&["tier", "team=shop"]), ["f/c"]);
    assert_eq!(found(&["team=nobody"]), [""; 0]);
    let table = cluster.run(&["job", "list"]);
    assert!(table.contains("team=billing tier=front"), "{table}");
    let shown = cluster.run(&["job", "get", "f/a"]);
    assert!(shown.contains("team=billing tier=front"), "{shown}");
    let exported = cluster.run(&["job", "export", "--label", "team=shop"]);
    assert!(
        exported.contains("f/c") && !exported.contains("f/a"),
        "{exported}"
    );
}
