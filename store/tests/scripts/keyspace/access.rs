//! Tokens, sessions, pauses and the audit, as the page shows them.

use crate::harness::Harness;

/// One of each key.
pub(crate) async fn seed(test: &Harness) {
    let token = format!("{} - 0 0 5 0 viewer:{{}}", "0a".repeat(32));
    let digest = "0a".repeat(32);
    let session = format!("{digest} 9 5 abcdefgh2345 {digest}");
    for words in [
        &["HSET", "{tw}:tokens", "abcdefgh2345", &token][..],
        &["HSET", "{tw}:tokens_used", "abcdefgh2345", "5"],
        &["HSET", "{tw}:sessions", "abcdefgh2345", &session],
        &["HSET", "{tw}:pauses", "default", "5 - the bank is down"],
        &["ZADD", "{tw}:drained", "5", "mill-1a2b3c4d"],
        &["XADD", "{tw}:audit", "*", "e", "{}"],
    ] {
        test.command(words).await;
    }
}
