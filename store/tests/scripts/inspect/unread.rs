//! What cannot be read is said to be so.

use super::explained;
use crate::harness::{fresh, partition};

#[tokio::test]
async fn a_record_that_cannot_be_read_is_explained_in_a_sentence() {
    let Some(test) = fresh().await else { return };
    let placement = "0123456789";
    test.seed(
        partition(1),
        &[
            "HSET | held | 1.55.a-5 | nonsense",
            "HSET | held | 1.56.a-6 | 1:0 ! x",
            "HSET | placements | 0123456789 | \u{1}",
            "HSET | placements | abcdefabcd | \u{fffd}\u{fffd}",
            "ZADD | backlog | 0 | default work c=0123456789 | 0 | default work c=abcdefabcd",
            "ZADD | ready:default:work:c=0123456789 | 35184372088865 | 1.33.a-3 0:0 default work 2 c=0123456789 ",
            "ZADD | ready:default:work:c=abcdefabcd | 35184372088866 | 1.34.a-4 0:0 default work 2 c=abcdefabcd ",
        ],
    )
    .await;
    for id in ["1.55.a-5", "1.56.a-6"] {
        let said = explained(&test, &[id, &test.prefix]);
        assert!(said.contains("that record cannot be read"), "{id}: {said}");
    }
    for (id, placement) in [("1.33.a-3", placement), ("1.34.a-4", "abcdefabcd")] {
        let said = explained(&test, &[id, &test.prefix]);
        let expected = format!("Its placement {placement} cannot be read");
        assert!(said.contains(&expected), "{id}: {said}");
    }
}
