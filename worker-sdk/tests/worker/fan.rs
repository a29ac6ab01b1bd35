//! Fan-out over the wire: items arrive once and in order, whatever happens to streams, trackers and attempts.

use std::time::Duration;

use bytes::Bytes;
use tickwheel_worker::testing::{TrackerDouble, assignment, wire};
use tickwheel_worker::{Context, FanError, HandlerResult, MapOptions, Worker, WorkerBuilder};
use tokio::sync::Semaphore;
use wire::settlement::Outcome;
use wire::split_confirmation::Verdict;

fn worker(tracker: &TrackerDouble) -> WorkerBuilder {
    Worker::builder(tracker.url()).name("tester").concurrency(4)
}

/// A handler `many` that maps so many numbers, names a reduce, and answers with what it mapped.
fn mapping(builder: WorkerBuilder) -> WorkerBuilder {
    builder.handle("many", |ctx: Context, items: u64| async move {
        let mapped = ctx.map("one", 0..items).await?;
        ctx.reduce("sum").await?;
        Ok(mapped)
    })
}

fn numbers(items: &[Bytes]) -> Vec<u64> {
    items
        .iter()
        .map(|item| serde_json::from_slice(item).unwrap_or(u64::MAX))
        .collect()
}

#[tokio::test]
async fn items_go_out_in_pages_one_at_a_time_and_the_reduce_behind_them() {
    let tracker = TrackerDouble::start().await.unwrap();
    let _worker = mapping(worker(&tracker)).start().unwrap();
    tracker.connected().await.unwrap();
    tracker
        .dispatch(vec![assignment("c", "many", "2500")])
        .await
        .unwrap();
    let settled = tracker.settled("c", 1).await.unwrap();
    assert_eq!(settled.outcome(), Outcome::Succeeded);
    assert_eq!(settled.result, "2500");
    assert_eq!(
        numbers(&tracker.mapped("c")),
        (0..2_500).collect::<Vec<_>>()
    );
    let splits = tracker.heard().splits;
    let pages: Vec<(u64, usize, &str)> = splits
        .iter()
        .map(|split| (split.offset, split.items.len(), split.reduce.as_str()))
        .collect();
    let expected = [
        (0, 1_000, ""),
        (1_000, 1_000, ""),
        (2_000, 500, ""),
        (2_500, 0, "sum"),
    ];
    assert_eq!(pages, expected);
    assert!(splits[..3].iter().all(|split| split.handler == "one"));
}

#[tokio::test]
async fn great_items_make_small_pages() {
    let tracker = TrackerDouble::start().await.unwrap();
    let _worker = worker(&tracker)
        .handle_raw("many", |ctx: Context, _| async move {
            let items = (0..6_u8).map(|n| vec![n; 200_000]);
            let options = MapOptions::new().max_attempts(7).parallelism(3);
            ctx.map_raw("one", items, options).await?;
            let wrong = ctx.map_raw("one", [vec![0_u8; 262_145]], options).await;
            Ok(Bytes::from(wrong.unwrap_err().to_string()))
        })
        .start()
        .unwrap();
    tracker.connected().await.unwrap();
    tracker
        .dispatch(vec![assignment("c", "many", "")])
        .await
        .unwrap();
    let settled = tracker.settled("c", 1).await.unwrap();
    assert_eq!(
        settled.result,
        "item 6 of the map has 262145 bytes, the limit is 262144"
    );
    let splits = tracker.heard().splits;
    assert_eq!(
        splits.iter().map(|s| s.items.len()).collect::<Vec<_>>(),
        [2, 2, 2]
    );
    for split in &splits {
        let retry = split.options.as_ref().and_then(|options| options.retry);
        assert_eq!(retry.unwrap().max_attempts, 7);
        assert_eq!(split.parallelism, 3);
    }
    let first_bytes: Vec<u8> = tracker.mapped("c").iter().map(|item| item[0]).collect();
    assert_eq!(first_bytes, [0, 1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_repeated_attempt_sends_only_what_is_new() {
    let tracker = TrackerDouble::start().await.unwrap();
    let _worker = mapping(worker(&tracker)).start().unwrap();
    tracker.connected().await.unwrap();
    let before = (0..5_500).map(|n: u64| Bytes::from(n.to_string()));
    tracker.set_mapped("c", before.collect());
    let mut again = assignment("c", "many", "8000");
    again.attempt = 2;
    tracker.dispatch(vec![again]).await.unwrap();
    let settled = tracker.settled("c", 2).await.unwrap();
    assert_eq!(settled.result, "8000");
    assert_eq!(
        numbers(&tracker.mapped("c")),
        (0..8_000).collect::<Vec<_>>()
    );
    // The first page tells how far the earlier attempt came.
    let offsets = tracker.heard().splits.into_iter().map(|split| split.offset);
    assert_eq!(offsets.collect::<Vec<_>>(), [0, 5_500, 6_500, 7_500, 8_000]);
}

#[tokio::test]
async fn a_lost_stream_in_the_middle_loses_and_doubles_nothing() {
    let tracker = TrackerDouble::start().await.unwrap();
    let _worker = mapping(worker(&tracker)).start().unwrap();
    tracker.connected().await.unwrap();
    tracker.answer_splits_with(None);
    tracker
        .dispatch(vec![assignment("c", "many", "3000")])
        .await
        .unwrap();
    tracker
        .wait_for(|heard| (!heard.splits.is_empty()).then_some(()))
        .await
        .unwrap();
    // The page arrived, its answer is lost.
    let first = tracker.heard().splits.remove(0).items;
    tracker.set_mapped("c", first);
    tracker.break_streams();
    tracker.answer_splits_with(Some((Verdict::Taken, String::new())));
    let settled = tracker.settled("c", 1).await.unwrap();
    assert_eq!(settled.outcome(), Outcome::Succeeded);
    assert_eq!(
        numbers(&tracker.mapped("c")),
        (0..3_000).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_silent_tracker_is_passed_over_for_another() {
    let silent = TrackerDouble::start().await.unwrap();
    silent.answer_splits_with(None);
    let other = TrackerDouble::start().await.unwrap();
    let worker = mapping(
        Worker::builder(silent.url())
            .tracker(other.url())
            .name("tester"),
    );
    let _worker = worker.start().unwrap();
    silent.connected().await.unwrap();
    other.connected().await.unwrap();
    silent
        .dispatch(vec![assignment("c", "many", "10")])
        .await
        .unwrap();
    // The page and the reduce are each asked of the silent one first.
    other
        .wait_for(|heard| {
            heard
                .splits
                .iter()
                .find(|split| split.reduce == "sum")
                .cloned()
        })
        .await
        .unwrap();
    assert_eq!(numbers(&other.mapped("c")), (0..10).collect::<Vec<_>>());
    assert_eq!(silent.settled("c", 1).await.unwrap().result, "10");
}

#[tokio::test]
async fn redis_away_is_waited_for_and_a_refusal_is_an_error() {
    let tracker = TrackerDouble::start().await.unwrap();
    let _worker = mapping(worker(&tracker)).start().unwrap();
    tracker.connected().await.unwrap();
    tracker.answer_splits_with(Some((Verdict::Unavailable, String::new())));
    tracker
        .dispatch(vec![assignment("c", "many", "10")])
        .await
        .unwrap();
    tracker
        .wait_for(|heard| (heard.splits.len() >= 3).then_some(()))
        .await
        .unwrap();
    tracker.answer_splits_with(Some((Verdict::Refused, "handler: is wrong".to_owned())));
    let settled = tracker.settled("c", 1).await.unwrap();
    assert_eq!(settled.outcome(), Outcome::Failed);
    assert_eq!(settled.error, "refused: handler: is wrong");
    assert!(tracker.mapped("c").is_empty());
}

#[tokio::test]
async fn a_fenced_attempt_learns_it_from_its_map_call() {
    let tracker = TrackerDouble::start().await.unwrap();
    let (told, mut heard) = tokio::sync::mpsc::channel(1);
    let _worker = worker(&tracker)
        .handle("many", move |ctx: Context, (): ()| {
            let told = told.clone();
            async move {
                let error = ctx.map("one", 0..10).await.unwrap_err();
                told.send((error, ctx.is_cancelled())).await?;
                Ok(())
            }
        })
        .start()
        .unwrap();
    tracker.connected().await.unwrap();
    tracker.answer_splits_with(Some((Verdict::Stale, String::new())));
    tracker
        .dispatch(vec![assignment("c", "many", "")])
        .await
        .unwrap();
    let (error, cancelled) = heard.recv().await.unwrap();
    assert!(matches!(error, FanError::LeaseLost) && cancelled, "{error}");
}

#[tokio::test]
async fn a_dropped_map_call_is_finished_before_the_next_begins() {
    let tracker = TrackerDouble::start().await.unwrap();
    let gate = std::sync::Arc::new(Semaphore::new(0));
    let passed = std::sync::Arc::clone(&gate);
    let _worker = worker(&tracker)
        .handle("many", move |ctx: Context, (): ()| {
            let gate = std::sync::Arc::clone(&passed);
            async move {
                tokio::select! {
                    mapped = ctx.map("one", 0..10_u64) => return Err(format!("{mapped:?}").into()),
                    permit = gate.acquire() => permit?.forget(),
                }
                ctx.map("one", 10..20_u64).await?;
                HandlerResult::Ok(())
            }
        })
        .start()
        .unwrap();
    tracker.connected().await.unwrap();
    tracker.answer_splits_with(None);
    tracker
        .dispatch(vec![assignment("c", "many", "")])
        .await
        .unwrap();
    tracker
        .wait_for(|heard| (!heard.splits.is_empty()).then_some(()))
        .await
        .unwrap();
    gate.add_permits(1);
    tracker.answer_splits_with(Some((Verdict::Taken, String::new())));
    let settled = tracker.settled("c", 1).await.unwrap();
    assert_eq!(
        (settled.outcome(), settled.error.as_str()),
        (Outcome::Succeeded, "")
    );
    assert_eq!(numbers(&tracker.mapped("c")), (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn two_map_calls_at_once_and_a_reduce_without_a_map_are_refused() {
    let tracker = TrackerDouble::start().await.unwrap();
    let _worker = worker(&tracker)
        .handle("many", |ctx: Context, (): ()| async move {
            let wrong = [
                ctx.reduce("sum").await.unwrap_err(),
                ctx.map("no spaces", [1]).await.unwrap_err(),
                ctx.map_with("one", [1], MapOptions::new().timeout(Duration::ZERO))
                    .await
                    .unwrap_err(),
                ctx.results::<u8>().next().await.unwrap_err(),
            ];
            let (first, second) = tokio::join!(ctx.map("one", [1]), ctx.map("one", [2]));
            first?;
            let wrong = wrong.into_iter().chain(second.err());
            Ok(wrong.map(|wrong| wrong.to_string()).collect::<Vec<_>>())
        })
        .start()
        .unwrap();
    tracker.connected().await.unwrap();
    tracker
        .dispatch(vec![assignment("c", "many", "")])
        .await
        .unwrap();
    let settled = tracker.settled("c", 1).await.unwrap();
    let wrong: Vec<String> = serde_json::from_slice(&settled.result).unwrap();
    let expected = [
        "a reduce without a map: nothing was mapped before reduce(\"sum\")",
        "invalid handler: invalid handler: \"no spaces\" must be 1 to 128 letters, digits, dots, underscores, slashes or hyphens",
        "invalid map options: timeout_ms: is at least 1 ms (given: 0)",
        "only the handler of a reduce has results to read",
        "another map call of this attempt is under way: items have to come in the same order in every attempt",
    ];
    assert_eq!(wrong, expected);
    assert_eq!(numbers(&tracker.mapped("c")), [1]);
}

#[tokio::test]
async fn a_map_of_nothing_may_be_reduced_and_says_so() {
    let tracker = TrackerDouble::start().await.unwrap();
    let _worker = worker(&tracker)
        .handle("many", |ctx: Context, items: u64| async move {
            let mapped = ctx.map("one", 0..items).await?;
            ctx.reduce("sum").await?;
            Ok(mapped)
        })
        .start()
        .unwrap();
    tracker.connected().await.unwrap();
    tracker
        .dispatch(vec![assignment("c", "many", "0")])
        .await
        .unwrap();
    let settled = tracker.settled("c", 1).await.unwrap();
    assert_eq!(
        (settled.error.as_str(), &settled.result[..]),
        ("", &b"0"[..])
    );
    let reduce = tracker
        .wait_for(|heard| heard.splits.first().cloned())
        .await
        .unwrap();
    assert_eq!((reduce.reduce.as_str(), reduce.mapped), ("sum", true));
    assert!(reduce.items.is_empty());
}

fn part(kind: wire::subtask::Kind, index: u64, total: u64) -> wire::Subtask {
    wire::Subtask {
        kind: kind.into(),
        index,
        total,
        parameter: "Beijing".to_owned(),
    }
}

#[tokio::test]
async fn a_reduce_reads_every_result_page_by_page() {
    let tracker = TrackerDouble::start().await.unwrap();
    let _worker = worker(&tracker)
        .handle("sum", |ctx: Context, (): ()| async move {
            let (mut sum, mut failed) = (0, Vec::new());
            let mut results = ctx.results::<u64>();
            while let Some(result) = results.next().await? {
                match result.outcome {
                    Ok(number) => sum += number,
                    Err(error) => failed.push((result.index, error)),
                }
            }
            Ok((sum, failed))
        })
        .start()
        .unwrap();
    tracker.connected().await.unwrap();
    let results = (0..2_001_u64).map(|index| wire::SubtaskResult {
        index,
        succeeded: index != 7,
        result: Bytes::from(index.to_string()),
        error: "poison".to_owned(),
    });
    tracker.set_results("c~r", results.collect());
    let mut reduce = assignment("c~r", "sum", "");
    reduce.subtask = Some(part(wire::subtask::Kind::Reduce, 0, 2_001));
    tracker.dispatch(vec![reduce]).await.unwrap();
    let settled = tracker.settled("c~r", 1).await.unwrap();
    let sum = (0..2_001_u64).sum::<u64>() - 7;
    assert_eq!(settled.result, format!("[{sum},[[7,\"poison\"]]]"));
    let cursors = tracker
        .heard()
        .fetches
        .into_iter()
        .map(|fetch| fetch.cursor);
    assert_eq!(cursors.collect::<Vec<_>>(), [0, 1_000, 2_000, 2_001]);
}

#[tokio::test]
async fn a_result_that_does_not_fit_is_named_and_does_not_end_the_reading() {
    let tracker = TrackerDouble::start().await.unwrap();
    let _worker = worker(&tracker)
        .handle("sum", |ctx: Context, (): ()| async move {
            let mut results = ctx.results::<u64>();
            let wrong = results.next().await.unwrap_err().to_string();
            let next = results.next().await?.map(|result| result.index);
            Ok((wrong, next, ctx.root_id()))
        })
        .start()
        .unwrap();
    tracker.connected().await.unwrap();
    let result = |index, text: &'static str| wire::SubtaskResult {
        index,
        succeeded: true,
        result: Bytes::from(text),
        error: String::new(),
    };
    tracker.set_results("1.2.f~r@a/b", vec![result(4, "\"x\""), result(5, "6")]);
    let mut reduce = assignment("1.2.f~r@a/b", "sum", "");
    reduce.subtask = Some(part(wire::subtask::Kind::Reduce, 0, 2));
    tracker.dispatch(vec![reduce]).await.unwrap();
    let settled = tracker.settled("1.2.f~r@a/b", 1).await.unwrap();
    assert_eq!(
        settled.result,
        "[\"the result of subtask 4 does not fit\",5,\"1.2.f@a/b\"]"
    );
}

#[tokio::test]
async fn a_shard_knows_its_part() {
    let tracker = TrackerDouble::start().await.unwrap();
    let _worker = worker(&tracker)
        .handle("settle", |ctx: Context, (): ()| async move {
            let shard = ctx
                .shard()
                .map(|shard| (shard.index, shard.total, shard.parameter));
            Ok((shard, ctx.subtask().is_some()))
        })
        .start()
        .unwrap();
    tracker.connected().await.unwrap();
    let mut shard = assignment("s~1", "settle", "");
    shard.subtask = Some(part(wire::subtask::Kind::Shard, 1, 4));
    let mut mapped = assignment("m~1", "settle", "");
    mapped.subtask = Some(part(wire::subtask::Kind::Map, 1, 4));
    let alone = assignment("a", "settle", "");
    tracker.dispatch(vec![shard, mapped, alone]).await.unwrap();
    let table = [
        ("s~1", "[[1,4,\"Beijing\"],true]"),
        ("m~1", "[null,true]"),
        ("a", "[null,false]"),
    ];
    for (id, result) in table {
        assert_eq!(tracker.settled(id, 1).await.unwrap().result, result);
    }
}
