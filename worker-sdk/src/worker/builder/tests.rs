use super::*;
use crate::worker::Worker;

fn ok() -> WorkerBuilder {
    Worker::builder("127.0.0.1:1").handle("h", |_: Context, (): ()| async { Ok(()) })
}

fn refused(builder: WorkerBuilder) -> &'static str {
    match builder.start() {
        Err(Error::Invalid { setting, .. }) => setting,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_broken_rule_names_its_setting() {
    assert_eq!(refused(ok().concurrency(0)), "concurrency");
    assert_eq!(
        refused(ok().concurrency(CONCURRENCY_MAX + 1)),
        "concurrency"
    );
    assert_eq!(refused(ok().outcome_buffer(0)), "outcome_buffer");
    assert_eq!(refused(ok().group("a b")), "group");
    assert_eq!(refused(ok().tag("")), "tags");
    assert_eq!(refused(ok().resource("gpu", 0)), "resource");
    assert_eq!(refused(ok().resource("gpu", -1)), "resource");
    assert_eq!(refused(ok().resource("GPU", 1)), "resource");
    assert_eq!(refused(ok().tag("region=")), "tags");
    assert_eq!(refused(ok().token("no token")), "token");
    assert_eq!(refused(ok().token_file("/no/such/file")), "token");
    assert_eq!(refused(ok().group("--help")), "group");
    assert_eq!(refused(ok().group("a//b")), "group");
    assert_eq!(refused(ok().tag("a b")), "tags");
    assert_eq!(refused(ok().tag("weight=0")), "tags");
    assert_eq!(refused(ok().tag("weight=-1")), "tags");
    assert_eq!(refused(ok().tags((0..65).map(|n| n.to_string()))), "tags");
    assert_eq!(
        refused(ok().handle("h", |_: Context, (): ()| async { Ok(()) })),
        "handle"
    );
    assert_eq!(
        refused(ok().handle("a,b", |_: Context, (): ()| async { Ok(()) })),
        "handle"
    );
    assert_eq!(refused(Worker::builder("http://h")), "handle");
    assert_eq!(refused(Worker::builder(" , ")), "tracker");
    #[cfg(not(feature = "tls"))]
    assert_eq!(
        refused(Worker::builder("https://h").handle_raw("h", |_, body| async { Ok(body) })),
        "tracker"
    );
    assert_eq!(
        refused(Worker::builder("ftp://h").handle_raw("h", |_, body| async { Ok(body) })),
        "tracker"
    );
    assert_eq!(
        refused(Worker::builder("http://h h").handle_raw("h", |_, body| async { Ok(body) })),
        "tracker"
    );
}

#[test]
fn a_host_is_told_in_letters_that_trackers_take() {
    assert_eq!(host_word("my host.example:1"), "my-host.example:1");
    assert_eq!(host_word("\u{1b}]0;\u{fc}"), "--0--");
    assert_eq!(host_word(&"h".repeat(1_000)).len(), 255);
}
