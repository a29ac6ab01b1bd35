//! What an attempt says last, right before it ends.

use super::*;

/// What the frames of a connection say, in their order: percents, and ends as 101.
fn order(frames: &[WorkerMessage]) -> Vec<u32> {
    frames
        .iter()
        .flat_map(|frame| {
            let said = frame.progress.iter().map(|progress| progress.percent);
            said.chain(frame.settle.iter().map(|_| 101))
        })
        .collect()
}

#[tokio::test]
async fn the_last_progress_goes_before_the_settlement_whatever_the_pause() {
    let mut bench = Bench::new(4, 100);
    let link = bench.connect("a");
    let attempts = bench.dispatch(link, &["x"]);
    let at = bench.now;
    bench
        .protocol
        .progress(&attempts[0], 10, "begun".to_owned(), at);
    let (frames, _) = bench.frames(link);
    assert_eq!(order(&frames), [10]);
    // Within the pause: it waits for the timer, and the attempt ends first.
    bench.later(1);
    let at = bench.now;
    bench.protocol.progress(&attempts[0], 99, String::new(), at);
    bench
        .protocol
        .progress(&attempts[0], 100, "done".to_owned(), at);
    bench.succeed(&attempts[0]);
    let (frames, _) = bench.frames(link);
    assert_eq!(order(&frames), [100, 101]);
}

#[tokio::test]
async fn progress_that_waits_in_a_queue_is_not_lost_with_its_attempt() {
    let mut bench = Bench::new(4, 100);
    let link = bench.connect("a");
    let attempts = bench.dispatch(link, &["x", "y"]);
    let at = bench.now;
    bench
        .protocol
        .progress(&attempts[0], 100, "done".to_owned(), at);
    bench.succeed(&attempts[0]);
    bench.succeed(&attempts[1]);
    let (frames, _) = bench.frames(link);
    assert_eq!(order(&frames), [100, 101, 101]);
}

#[tokio::test]
async fn the_last_progress_moves_with_its_settlement_to_another_link() {
    let mut bench = Bench::new(4, 100);
    let first = bench.connect("a");
    let attempts = bench.dispatch(first, &["x"]);
    bench.protocol.disconnect(first, bench.now);
    let at = bench.now;
    bench
        .protocol
        .progress(&attempts[0], 100, "done".to_owned(), at);
    bench.succeed(&attempts[0]);
    let second = bench.connect("b");
    let (frames, _) = bench.frames(second);
    assert_eq!(order(&frames), [100, 101]);
}

#[tokio::test]
async fn a_settlement_waits_for_last_words_that_find_no_room() {
    let mut bench = Bench::new(600, 1_000);
    let link = bench.connect("a");
    let ids: Vec<String> = (0..501).map(|n| n.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let attempts = bench.dispatch(link, &ids);
    let at = bench.now;
    for attempt in &attempts {
        bench.protocol.progress(attempt, 100, String::new(), at);
        bench.succeed(attempt);
    }
    let (frames, _) = bench.frames(link);
    let counts: Vec<(usize, usize)> = frames
        .iter()
        .map(|frame| (frame.progress.len(), frame.settle.len()))
        .collect();
    assert_eq!(counts, [(500, 0), (1, 500), (0, 1)]);
}
