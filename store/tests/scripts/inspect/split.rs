//! What is split, its parts, and what waits for the limit of its key.

use super::{explained, inspect};
use crate::harness::{fresh, partition};

const FAN: [&str; 4] = [
    "HSET | fans | 1.55.a-5 | map",
    "HSET | fan:1.55.a-5 | root | 2:1 default work 2 t=500 body | model | map | total | 9 | succeeded | 3 | failed | 1 | out | 2",
    "ZADD | ready:default:work:k=acme | 5 | 1.66.a-6 0:0 default work 2 k=acme body",
    "ZADD | backlog | 0 | default work k=acme",
];

#[tokio::test]
async fn what_is_split_is_shown_with_how_far_its_parts_are() {
    let Some(test) = fresh().await else { return };
    test.seed(partition(1), &FAN).await;
    let shown = inspect(&test, "context", &["1.55.a-5", ",", &test.prefix]);
    let field = |name: &str| shown[name].as_u64();
    assert_eq!(shown["place"].as_str(), Some("split"), "{shown}");
    assert_eq!(
        (
            field("parts"),
            field("succeeded"),
            field("failed"),
            field("running")
        ),
        (Some(9), Some(3), Some(1), Some(2))
    );
    let part = inspect(&test, "context", &["1.55.a-5~7", ",", &test.prefix]);
    assert_eq!(
        (part["place"].as_str(), part["root"].as_str()),
        (Some("part"), Some("1.55.a-5"))
    );
    let told = explained(&test, &["1.55.a-5", ",", &test.prefix]);
    assert!(
        told.contains("split into 9 parts: 3 succeeded, 1 failed, 2 run"),
        "{told}"
    );
    let told = explained(&test, &["1.55.a-5~7", ",", &test.prefix]);
    assert!(told.contains("It is a part of 1.55.a-5"), "{told}");
    test.seed(
        partition(1),
        &["HSET | fan:1.55.a-5 | placement | 0123456789"],
    )
    .await;
    let told = explained(&test, &["1.55.a-5~7", ",", &test.prefix]);
    assert!(
        told.contains("Its placement 0123456789 is not known"),
        "{told}"
    );
    let put = "return redis.call('HSET', KEYS[1], ARGV[1], cmsgpack.pack({ requires = { gpu = 1500, disk = 4096 } }))";
    let placements = test.key(partition(1), "placements");
    test.command(&["EVAL", put, "1", &placements, "0123456789"])
        .await;
    let told = explained(&test, &["1.55.a-5~7", ",", &test.prefix]);
    assert!(told.contains("It takes 1.5 of the gpu of"), "{told}");
    assert!(told.contains("It takes 4096 bytes of the disk"), "{told}");
}

#[tokio::test]
async fn whose_key_is_at_its_limit_is_told_so() {
    let Some(test) = fresh().await else { return };
    test.seed(partition(1), &FAN).await;
    test.seed(partition(1), &["HSET | fair | 1.66.a-6 | 5"])
        .await;
    let told = explained(&test, &["1.66.a-6", ",", &test.prefix]);
    assert!(
        told.contains("as many of its key acme run as may"),
        "{told}"
    );
}
