//! What ended contexts left.

use super::turns::ID;
use crate::harness::Harness;

pub(super) async fn seed(test: &Harness) {
    let entry = "9 1 0 2\ni0 3:one\nw0 3:two";
    let (log, split, counted) = (
        format!("log:{ID}"),
        format!("split:{ID}"),
        format!("l {ID}"),
    );
    let seeds: [&[&str]; 7] = [
        &["RPUSH", &log, entry],
        &["RPUSH", &split, "3 f 1 mill-1a2b3c4d 7 8 no"],
        &["HSET", "traces", "!l", "700", &counted, "700 0 0 0"],
        &["ZADD", "traced:l:billing", "9", ID],
        &["ZADD", "spaces:l", "1", "billing"],
        &["RPUSH", "subtraced:6.8.a-1", "6.8.a-1~0"],
        &["RPUSH", "untraced", "6.9.a-1"],
    ];
    for words in seeds {
        let key = format!("{{tw:6}}:{}", words[1]);
        let words: Vec<&str> = [&words[..1], &[key.as_str()], &words[2..]].concat();
        test.command(&words).await;
    }
}
