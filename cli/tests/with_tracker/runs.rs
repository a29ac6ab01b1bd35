//! Runs by their keys, and what is said of a submission that is not confirmed.

use crate::cluster::Cluster;

#[test]
fn a_run_is_found_waited_for_and_cancelled_by_its_key() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let slow = ["submit", "sleep", "--body", "{\"ms\": 300}"];
    let slow = cluster.id_of(&[&slow[..], &["--dedup-key", "slow 1"]].concat());
    let waited = cluster.id_of(&["run", "wait", "--key", "slow 1"]);
    assert_eq!(waited, slow);
    let far = ["submit", "echo", "--delay", "1h", "--dedup-key", "far/1"];
    let far = cluster.id_of(&far);
    assert_eq!(cluster.id_of(&["run", "get", "--key", "far/1"]), far);
    cluster.run(&["run", "cancel", "--key", "far/1"]);
    let waited = cluster.output(&["run", "wait", &far]);
    assert_eq!(waited.status.code(), Some(1), "a run did not succeed");
    let ended = String::from_utf8_lossy(&waited.stderr).into_owned();
    assert!(ended.contains("cancelled"), "{ended}");
    let freed = cluster.output(&["run", "cancel", "--key", "far/1"]);
    assert_eq!(freed.status.code(), Some(4), "the key stands for nothing");
}

#[test]
fn a_submission_that_is_not_confirmed_says_what_is_there() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let submit = ["submit", "echo", "--delay", "1h"];
    let submit = [&submit[..], &["--durability", "replicated:1"]].concat();
    let refused = cluster.output(&submit);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(5), "{said}");
    let (_, id) = said.split_once("it is there as ").unwrap();
    let id = id.split_whitespace().next().unwrap();
    assert_eq!(cluster.id_of(&["run", "get", id]), id);
}

#[test]
fn one_tracker_says_loudly_that_it_made_the_cluster() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let logs = ["tracker-0.log", "tracker-1.log"].map(|log| cluster.log(log));
    let made = |log: &String| {
        log.lines()
            .filter(|line| line.contains("made a new cluster in an empty store"))
            .all(|line| line.contains("WARN"))
            .then(|| log.matches("made a new cluster in an empty store").count())
    };
    assert_eq!(logs.iter().filter_map(made).sum::<usize>(), 1, "{logs:#?}");
}

#[test]
fn a_list_is_of_all_partitions_and_says_where_it_stopped() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    for n in 0..40 {
        let delay = format!("{}m", 60 + n);
        cluster.run(&["submit", "echo", "--delay", &delay]);
    }
    let listed = cluster.run(&["run", "list", "-n", "40", "-o", "json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let due = |one: &serde_json::Value| one["due_ms"].as_u64().unwrap();
    let dues: Vec<u64> = listed.as_array().unwrap().iter().map(due).collect();
    assert_eq!(dues.len(), 40);
    assert!(dues.is_sorted(), "{dues:?}");

    let filter = ["run", "list", "--state", "scheduled", "--state", "ready"];
    let middle = dues[20].to_string();
    let page = cluster.run(&[&filter[..], &["--due-from", &middle, "-o", "json"]].concat());
    let page: serde_json::Value = serde_json::from_str(&page).unwrap();
    assert_eq!(page.as_array().unwrap().len(), 20);

    let nothing = ["--handler", "nobody", "--max-look", "1"];
    let cut = cluster.output(&[&filter[..], &nothing].concat());
    let said = String::from_utf8_lossy(&cut.stderr).into_owned();
    assert!(cut.status.success(), "{said}");
    let words = ["looked at ", " of ~", "; 0 match; go on with --max-look"];
    assert!(words.iter().all(|words| said.contains(words)), "{said}");

    let wrong = cluster.output(&["run", "list", "--state", "running", "--order", "ended"]);
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(!wrong.status.success() && said.contains("order"), "{said}");
    let dead = cluster.run(&["dead", "list", "-o", "json"]);
    let dead: serde_json::Value = serde_json::from_str(&dead).unwrap();
    assert_eq!(dead["looked"]["complete_since_ms"], 0);
}
