//! Jobs: applied, exported, pruned, forgotten, planned anew; and a store that is adopted.

use crate::cluster::{Cluster, ask, ready, readyz, until};

/// Jobs of these names that nobody runs.
pub(crate) fn on_demand(names: &[&str]) -> String {
    let jobs: Vec<String> = names
        .iter()
        .map(|name| format!("kind: Job\nname: {name}\nhandler: noop\ntrigger: manual\n"))
        .collect();
    jobs.join("---\n")
}

const HEARTBEATS: &str =
    "kind: Job\nname: heartbeats/often\nhandler: noop\ntrigger: { fixed_rate: 200ms }\n";

#[test]
fn an_emptied_redis_is_adopted_by_the_command_and_work_goes_on_without_a_restart() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let manifest = cluster.manifest("heartbeats.yaml", HEARTBEATS);
    cluster.run(&["apply", "-f", &manifest]);
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
    let refused = cluster.output(&["apply", "-f", &manifest]);
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(error.contains("store adopt"), "{error}");
    assert_eq!(refused.status.code(), Some(6), "no run failed: {error}");
    let redis = format!("redis://127.0.0.1:{}", cluster.redis);
    let unasked = cluster.output(&["store", "adopt", "--redis", &redis]);
    assert_eq!(unasked.status.code(), Some(2), "it asks for --yes");
    cluster.run(&["store", "adopt", "--redis", &redis, "--yes"]);
    for port in cluster.http {
        until("it is ready again", || ready(port));
    }
    assert_eq!(cluster.jobs(), [""; 0]);
    cluster.run(&["apply", "-f", &manifest]);
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
    cluster.run(&["apply", "-f", examples]);
    let names = cluster.jobs();
    assert!(names.len() > 10, "{names:?}");
    let exported = cluster.run(&["job", "export"]);
    let manifest = cluster.manifest("exported.yaml", &exported);
    let again = cluster.run(&["apply", "-f", &manifest, "-o", "json"]);
    assert_eq!(
        again.matches("\"unchanged\"").count(),
        names.len(),
        "{again}"
    );
    for name in &names {
        cluster.run(&["job", "delete", "--force", name]);
    }
    assert_eq!(cluster.jobs(), [""; 0]);
    cluster.run(&["apply", "-f", &manifest]);
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
    cluster.run(&["apply", "-f", &all]);
    let one = cluster.manifest("one.yaml", &on_demand(&["p/a", "p/new"]));
    let dry = ["apply", "-f", &one, "--prune", "p/", "--dry-run"];
    let said = cluster.run(&dry);
    assert!(
        said.contains("p/b") && said.contains("p/c") && !said.contains("q/a"),
        "{said}"
    );
    assert_eq!(cluster.jobs(), ["p/a", "p/b", "p/c", "pq/a", "q/a"]);
    cluster.run(&["apply", "-f", &one, "--prune", "p/"]);
    assert_eq!(cluster.jobs(), ["p/a", "p/new", "pq/a", "q/a"]);
    cluster.run(&["job", "delete", "--prefix", "p/"]);
    assert_eq!(cluster.jobs(), ["pq/a", "q/a"]);
    cluster.run(&["job", "delete", "--prefix", "none/"]);
    assert_eq!(cluster.jobs(), ["pq/a", "q/a"]);
}

#[test]
fn a_job_that_happened_once_is_forgotten_and_not_registered_by_the_same_manifest() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let at = now.as_millis() + 1_500;
    let once = format!("kind: Job\nname: once/a\nhandler: noop\ntrigger: {{ once: {at} }}\n");
    let manifest = cluster.manifest("once.yaml", &once);
    cluster.run(&["apply", "-f", &manifest]);
    // Before it in its partition stand some that are over as well, and cannot be deleted. Most names belong elsewhere: one in sixteen counts.
    let redis = |command: &str| {
        let ends = |answer: &str| answer.ends_with("\r\n");
        ask(cluster.redis, &format!("{command}\r\n"), ends).unwrap()
    };
    let found = redis("KEYS *:job:once/a");
    let key = found.lines().find(|line| line.starts_with('{')).unwrap();
    let (tag, _) = key.split_once("job:").unwrap();
    for number in 0..80 {
        redis(&format!(
            "HSET {tag}job:a/{number} kind once state finished"
        ));
        redis(&format!("ZADD {tag}jobs 0 a/{number}"));
        redis(&format!("SET {tag}runs:a/{number} x"));
    }
    cluster.fires("once/a");
    until("it is forgotten", || {
        let found = cluster.output(&["job", "get", "once/a"]);
        let said = String::from_utf8_lossy(&found.stdout).into_owned();
        (found.status.code() == Some(4)).then_some(()).ok_or(said)
    });
    let again = cluster.output(&["apply", "-f", &manifest]);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(
        again.status.success() && said.contains("not registered"),
        "{said}"
    );
    let found = cluster.output(&["job", "get", "once/a"]);
    assert_eq!(found.status.code(), Some(4), "nor is it there");
    let logs = ["tracker-0.log", "tracker-1.log"].map(|log| cluster.log(log));
    let told = |log: &String| log.contains("a finished `once` job was not forgotten");
    assert!(logs.iter().any(told), "{logs:?}");
}

#[test]
fn a_newer_zone_table_plans_anew_and_the_log_says_which_due_time_moved() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let yearly = "kind: Job\nname: zones/yearly\nhandler: noop\ntrigger: { cron: \"0 3 1 1 *\", time_zone: Europe/Berlin }\n";
    let manifest = cluster.manifest("zones.yaml", yearly);
    cluster.run(&["apply", "-f", &manifest]);
    let redis = |command: &str, ends: &str| {
        let ends = |answer: &str| answer.ends_with("\r\n") && answer.contains(ends);
        ask(cluster.redis, &format!("{command}\r\n"), ends).unwrap()
    };
    let found = redis("KEYS *:job:zones/yearly", "zones/yearly");
    let key = found.lines().find(|line| line.starts_with('{')).unwrap();
    let next = redis(&format!("HGET {key} next"), "0\r\n");
    let next = next.lines().nth(1).unwrap().to_owned();
    // As if an older table had it an hour earlier.
    let earlier = next.parse::<u64>().unwrap() - 3_600_000;
    redis(&format!("HSET {key} zones 2020a next {earlier}"), ":");
    let (tag, _) = key.split_once("job:").unwrap();
    redis(&format!("SET {tag}zones 2020a"), "OK");
    let _third = cluster.tracker("third.log", &[]);
    until("its log names the job", || {
        let log = cluster.log("third.log");
        let line = log
            .lines()
            .find(|line| line.contains("the next due time is another one"))
            .ok_or_else(|| log.clone())?;
        let told = [
            "zones/yearly",
            "from=2020a",
            "was=",
            "T01:00",
            "is=",
            "T02:00",
        ];
        let missing = told.iter().find(|word| !line.contains(**word));
        missing.map_or(Ok(()), |word| Err(format!("{word}: {line}")))
    });
    let moved = redis(&format!("HGET {key} next"), "0\r\n");
    assert_eq!(moved.lines().nth(1), Some(next.as_str()));
}
