//! context/count: about how many contexts are in each place, for a fixed number of commands.

use crate::harness::{alone, fresh, partition};

#[tokio::test]
async fn each_place_is_counted_and_what_cannot_be_is_said() {
    let Some(test) = fresh().await else { return };
    let key = |name: &str| test.key(partition(0), name);
    let count = async |job: &str| {
        let counted = test.eval("context/count", partition(0), &[job]).await;
        counted.unwrap()
    };
    assert_eq!(count("").await, ["COUNTED"]);
    for [command, kind, name, value] in [
        ["HSET", "held", "0.1.a", "x"],
        ["HSET", "fans", "0.1.b", "map"],
        ["HSET", "retry", "0.1.c", "5"],
        ["ZADD", "wheel", "5", "0.1.c 1:1 g h 2 - "],
        ["ZADD", "backlog", "0", "g h"],
        ["ZADD", "ready:g:h", "5", "0.1.d 0:0 g h 2 - "],
        ["ZADD", "dead", "5", "x"],
        ["HSET", "active:a/b", "0.1.e@a/b", "m"],
        ["ZADD", "queue:a/b", "5", "0.1.f@a/b 0:0 g h 2 - "],
        ["RPUSH", "runs:a/b", "x", "y"],
    ] {
        test.text(&[command, &key(kind), name, value]).await;
    }
    test.text(&["XADD", &key("events"), "1-1", "s", "x"]).await;
    test.text(&["XADD", &key("events"), "2-1", "s", "x\ny\nz"])
        .await;
    let all = "COUNTED held 1 fans 1 retry 1 wheel 1 dead 1 ready 1 ends 6";
    assert_eq!(count("").await.join(" "), all);
    let of_job = "COUNTED held 1 queue 1 ends 2 dead 1";
    assert_eq!(count("a/b").await.join(" "), of_job);
    test.text(&["SET", &key("fans"), "x"]).await;
    let counted = count("").await.join(" ");
    assert!(counted.ends_with(" unreadable 1"), "{counted}");
    test.assert_refused(
        "context/count",
        partition(0),
        &[""],
        &[(1, &"x".repeat(221), "job")],
    )
    .await;
}

#[tokio::test]
async fn it_costs_the_same_however_much_there_is() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    for size in [10_u32, 10_000] {
        let fill = format!(
            "for i = 1, {size} do redis.call('ZADD', KEYS[1], 0, 'g h' .. i) redis.call('HSET', KEYS[2], i, 'x') end"
        );
        let (backlog, held) = (
            test.key(partition(0), "backlog"),
            test.key(partition(0), "held"),
        );
        test.text(&["EVAL", &fill, "2", &backlog, &held]).await;
        let cost = test.cost("context/count", partition(0), &[""]).await;
        assert!(cost <= 72, "{cost} commands with {size} queues");
    }
}
