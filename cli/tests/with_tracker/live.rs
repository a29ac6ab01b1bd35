//! What is going on, as the commands show it that watch.

use serde_json::Value;

use crate::cluster::{Cluster, until};

fn overview(cluster: &Cluster) -> Value {
    serde_json::from_str(&cluster.run(&["overview", "-o", "json"])).unwrap()
}

#[test]
fn the_overview_counts_trackers_and_the_workers_of_the_other_one() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    until("both trackers and the worker are counted", || {
        let shown = overview(&cluster);
        let workers = shown["groups"][0]["workers"].as_u64();
        let trackers = shown["totals"]["trackers"].as_u64();
        let is_so = (trackers, workers) == (Some(2), Some(1));
        is_so.then_some(()).ok_or_else(|| shown.to_string())
    });
    let text = cluster.run(&["overview"]);
    assert!(
        text.contains("trackers") && text.contains("default"),
        "{text}"
    );
}
