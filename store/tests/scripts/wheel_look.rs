//! wheel/look: what waits, without moving it.

use crate::call::{Part, T, text, texts};
use crate::harness::{alone, fresh, partition};

#[tokio::test]
async fn it_tells_the_head_and_the_first_of_each_ready_set_and_writes_nothing() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let empty = part.call("wheel/look", "LOOKED", &["7"]).await;
    assert_eq!(
        (text(&empty[0]), text(&empty[1]), texts(&empty[2])),
        ("7".to_owned(), String::new(), Vec::new())
    );
    part.submit(
        T,
        &[
            ["+0", "a-1", "g h 1 - x", ""],
            ["999000", "a-2", "g h 1 - x", ""],
        ],
    )
    .await;
    part.submit(
        T,
        &[
            ["999500", "a-3", "g h 0 - x", ""],
            ["900", "a-4", "k i 2 - x", ""],
            ["+70", "a-5", "g h 2 - x", ""],
        ],
    )
    .await;
    let before = test.dump().await;
    for _ in 0..2 {
        let reply = part.call("wheel/look", "LOOKED", &["1000000"]).await;
        assert_eq!(text(&reply[1]), "1000070");
        let mut ready = texts(&reply[2]);
        if ready[0] != "g h" {
            ready.rotate_left(2);
        }
        assert_eq!(ready, ["g h", "999000", "k i", "900"]);
    }
    assert_eq!(test.dump().await, before);
    let looked = test.store.look(partition(3)).await.unwrap();
    assert_eq!(
        (looked.head.map(|head| head.as_u64()), looked.ready.len()),
        (Some(1_000_070), 2)
    );
    test.assert_refused("wheel/look", partition(3), &[""], &[(1, "x", "now_ms")])
        .await;
}

#[tokio::test]
async fn it_shows_at_most_64_ready_sets_and_costs_what_its_header_says() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    for size in [10_u32, 1_000, 100_000] {
        let fill = format!(
            "for i = 1, {size} do
               local queue = i % 200
               redis.call('ZADD', '{{t:0}}:ready:g:' .. queue, i, '0.' .. i .. '.x 0:0 g h 2 - ')
               redis.call('ZADD', '{{t:0}}:backlog', 0, 'g ' .. queue)
             end"
        );
        test.text(&["EVAL", &fill, "0"]).await;
        let cost = test.cost("wheel/look", partition(0), &[""]).await;
        assert!(cost <= 68, "{cost} commands with {size} entries");
        println!("wheel/look with {size} ready: {cost} commands");
    }
    assert_eq!(test.store.look(partition(0)).await.unwrap().ready.len(), 64);
}
