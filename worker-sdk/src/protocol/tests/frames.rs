//! What a tracker refuses is never sent: frames are within its bounds, however much waits.

use prost::Message as _;
use tickwheel_core::bounds::{
    CONTEXT_ID_CHARS_MAX, ERROR_BYTES_MAX, LOG_LINE_BYTES_MAX, RESULT_BYTES_MAX, SPLIT_BYTES_MAX,
};
use tickwheel_proto::v1::Split;
use tickwheel_proto::wire::bounds;
use tickwheel_proto::wire::check;
use tickwheel_proto::wire::schema::Spoken as _;

use super::*;

const MANY: usize = 2_000;

fn id(number: usize) -> String {
    format!("{number:0>CONTEXT_ID_CHARS_MAX$}")
}

fn assert_within(frame: &WorkerMessage) {
    let bytes = frame.encode_to_vec();
    assert!(
        bytes.len() <= bounds::FRAME_BYTES_MAX,
        "{} bytes",
        bytes.len()
    );
    check(WorkerMessage::PLACE, &bytes).unwrap();
}

#[tokio::test]
async fn frames_are_taken_by_a_tracker_however_much_waits() {
    let mut bench = Bench::new(u32::try_from(MANY).unwrap(), 100_000);
    let link = bench.connect("t1");
    let ids: Vec<String> = (0..MANY).map(id).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let attempts = bench.dispatch(link, &ids);
    // What a worker without permits refuses.
    let refused: Vec<String> = (MANY..2 * MANY).map(id).collect();
    bench.dispatch(
        link,
        &refused.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let mut replies = Vec::new();
    for (number, attempt) in attempts.iter().enumerate() {
        let said = Said {
            level: LogLevel::Info,
            at: bench.now,
            line: "x".repeat(LOG_LINE_BYTES_MAX),
        };
        bench.protocol.log(attempt, said);
        bench
            .protocol
            .progress(attempt, 50, "x".repeat(LOG_LINE_BYTES_MAX), bench.now);
        if number % 4 == 0 {
            let split = Split {
                context_id: id(number),
                attempt: 1,
                items: vec![Bytes::from(vec![0; SPLIT_BYTES_MAX / 2_000]); 1_000],
                ..Split::default()
            };
            replies.push(bench.protocol.ask(attempt, Request::Split(Arc::new(split))));
        }
        if number % 2 == 0 {
            let ended = Ended::With(if number % 3 == 0 {
                Outcome::Failed("x".repeat(ERROR_BYTES_MAX))
            } else {
                Outcome::Succeeded(Bytes::from(vec![0; RESULT_BYTES_MAX]))
            });
            bench.protocol.finish(attempt, ended);
        }
    }
    bench.later(1_000);
    let mut frames = 0;
    while let Some(frame) = bench.frame(link) {
        assert_within(&frame);
        frames += 1;
    }
    assert!(frames > 50, "{frames}");
}

#[tokio::test]
async fn a_hello_is_taken_however_much_runs() {
    let mut bench = Bench::new(20_000, 100_000);
    let link = bench.connect("t1");
    let ids: Vec<String> = (0..20_000).map(id).collect();
    bench.dispatch(link, &ids.iter().map(String::as_str).collect::<Vec<_>>());
    let other = bench.protocol.link("http://t2");
    let running = bench.protocol.connect(other).unwrap().running;
    assert!(running.len() > 4_000, "{}", running.len());
    let hello = tickwheel_proto::v1::Hello {
        handlers: vec!["h".repeat(128); 1_000],
        running,
        ..Default::default()
    };
    assert_within(&WorkerMessage {
        hello: Some(hello),
        ..Default::default()
    });
}
