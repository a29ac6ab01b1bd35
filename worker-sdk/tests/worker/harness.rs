//! The harness tells what a worker would settle.

use std::time::Duration;

use tickwheel_worker::testing::Harness;
use tickwheel_worker::{
    CancelReason, CancellationToken, Context, HandlerResult, MapOptions, Outcome, SubtaskKind,
    fatal,
};

fn harness() -> Harness {
    Harness::new()
        .handle("show", |ctx: Context, (): ()| async move {
            ctx.progress(150, "over");
            let job = ctx.job().to_owned();
            Ok((
                ctx.attempt(),
                ctx.failures(),
                ctx.is_last_attempt(),
                ctx.idempotency_key().to_owned(),
                job,
            ))
        })
        .handle("wait", |ctx: Context, (): ()| async move {
            let reason = ctx.cancelled().await;
            ctx.log(format!("{reason:?}"));
            HandlerResult::<()>::Err("cancelled".into())
        })
        .handle("fatal", |_: Context, (): ()| async {
            HandlerResult::<()>::Err(fatal("no"))
        })
        .handle("panic", |ctx: Context, (): ()| async move {
            assert!(ctx.attempt() == 0, "oh");
            Ok(())
        })
}

#[tokio::test]
async fn a_call_can_be_any_attempt() {
    let harness = harness();
    let ran = harness
        .call("show")
        .attempt(7)
        .failures(2)
        .context_id("x")
        .job("a/b")
        .run()
        .await;
    let shown: (u32, u32, bool, String, String) = ran.result().unwrap();
    assert_eq!(shown, (7, 2, true, "x".to_owned(), "a/b".to_owned()));
    assert_eq!(ran.progress, [(100, "over".to_owned())]);
}

#[tokio::test]
async fn failures_panics_and_unknown_handlers_are_outcomes() {
    let harness = harness();
    assert_eq!(
        harness.run("fatal", &()).await.outcome,
        Some(Outcome::Fatal("no".to_owned()))
    );
    assert_eq!(
        harness.run("panic", &()).await.error(),
        Some("panicked: oh")
    );
    assert_eq!(
        harness.run("none", &()).await.error(),
        Some("the harness has no handler \"none\"")
    );
    assert!(harness.run("fatal", &()).await.result::<()>().is_err());
}

#[tokio::test]
async fn an_attempt_can_run_out_of_time_or_be_cancelled() {
    let harness = harness();
    let ran = harness
        .call("wait")
        .timeout(Duration::from_millis(5))
        .run()
        .await;
    assert_eq!(
        (ran.outcome, ran.logs),
        (Some(Outcome::TimedOut), vec!["TimedOut".to_owned()])
    );
    for (reason, outcome) in [
        (CancelReason::Requested, Some(Outcome::Cancelled)),
        (CancelReason::Replaced, Some(Outcome::Cancelled)),
        (CancelReason::Fenced, None),
        (CancelReason::Draining, None),
    ] {
        let now = CancellationToken::new();
        now.cancel();
        assert_eq!(
            harness
                .call("wait")
                .cancel_on(now, reason)
                .run()
                .await
                .outcome,
            outcome
        );
    }
}

/// Shops of a region: every third fails for good, every fifth at its first attempt only.
fn shops() -> Harness {
    Harness::new()
        .handle("all", |ctx: Context, regions: u64| async move {
            let options = MapOptions::new().max_attempts(2);
            ctx.map_with("region", 0..regions, options).await?;
            ctx.reduce("sum").await?;
            Ok(())
        })
        .handle("region", |ctx: Context, region: u64| async move {
            let shops = (0..10).map(|shop| (region, shop));
            ctx.map_with("shop", shops, MapOptions::new().max_attempts(2))
                .await?;
            if region == 1 && ctx.is_last_attempt() {
                return Ok(0);
            }
            if region == 1 {
                return Err("after the map".into());
            }
            Ok(0)
        })
        .handle("shop", |ctx: Context, (_, shop): (u64, u64)| async move {
            if shop % 3 == 0 || (shop % 5 == 0 && ctx.failures() == 0) {
                return Err(format!("shop {shop} is closed").into());
            }
            Ok(1)
        })
        .handle("sum", |ctx: Context, _: Option<u64>| async move {
            let (mut open, mut closed) = (0, 0);
            let mut results = ctx.results::<u64>();
            while let Some(result) = results.next().await? {
                match result.outcome {
                    Ok(shops) => open += shops,
                    Err(_) => closed += 1,
                }
            }
            Ok((open, closed))
        })
}

#[tokio::test]
async fn a_fan_out_runs_whole_and_a_repeated_map_makes_nothing_twice() {
    let done = shops().fan_out("all", &2).await;
    assert_eq!(done.subtasks.len(), 2 + 20);
    // Of ten shops 0, 3, 6 and 9 fail for good; 5 succeeds at its second attempt.
    assert_eq!(done.result::<(u64, u64)>().unwrap(), (12, 8));
    assert_eq!(done.subtasks[1].mapped.len(), 10);
}

#[tokio::test]
async fn a_run_tells_what_it_mapped_and_which_reduce_it_named() {
    let harness = shops();
    let ran = harness.run("all", &3).await;
    let bodies: Vec<u64> = ran.mapped.iter().map(|item| item.body().unwrap()).collect();
    assert_eq!(bodies, [0, 1, 2]);
    assert!(
        ran.mapped
            .iter()
            .all(|item| item.handler == "region" && item.max_attempts == 2)
    );
    assert_eq!(ran.reduce.as_deref(), Some("sum"));
    let again = harness
        .call("all")
        .body(&3)
        .attempt(2)
        .mapped_before(2)
        .run()
        .await;
    let bodies: Vec<u64> = again
        .mapped
        .iter()
        .map(|item| item.body().unwrap())
        .collect();
    assert_eq!(bodies, [2]);
}

#[tokio::test]
async fn a_reduce_can_be_given_its_results_and_a_shard_its_part() {
    let reduce = shops();
    let results = [Ok(1), Err("closed".to_owned()), Ok(2)];
    let ran = reduce.call("sum").results(results).run().await;
    assert_eq!(ran.result::<(u64, u64)>().unwrap(), (3, 1));
    let harness = Harness::new().handle("settle", |ctx: Context, (): ()| async move {
        let shard = ctx.shard().ok_or("no shard")?;
        Ok((shard.index, shard.total, shard.parameter))
    });
    let call = harness.call("settle").subtask(SubtaskKind::Shard, 1, 3);
    let ran = call.parameter("Beijing").run().await;
    let expected = (1, 3, "Beijing".to_owned());
    assert_eq!(ran.result::<(u64, u64, String)>().unwrap(), expected);
    assert_eq!(harness.run("settle", &()).await.error(), Some("no shard"));
}

#[tokio::test]
async fn without_a_reduce_a_failed_subtask_is_the_failure_of_the_whole() {
    let harness = Harness::new()
        .handle("all", |ctx: Context, items: Vec<u8>| async move {
            Ok(ctx.map("one", items).await?)
        })
        .handle("one", |_: Context, item: u8| async move {
            if item == 2 { Err(fatal("two")) } else { Ok(()) }
        });
    let well = harness.fan_out("all", &[1, 3]).await;
    assert_eq!(well.result::<u64>().unwrap(), 2);
    let badly = harness.fan_out("all", &[1, 2, 3]).await;
    let error = badly.result::<u64>().unwrap_err().to_string();
    assert!(error.starts_with("subtask 1 did not succeed"), "{error}");
}

#[tokio::test]
async fn a_map_of_nothing_is_reduced_over_no_results() {
    let done = shops().fan_out("all", &0).await;
    assert!(done.subtasks.is_empty() && done.root.succeeded());
    assert_eq!(done.result::<(u64, u64)>().unwrap(), (0, 0));
    let harness = Harness::new().handle("all", |ctx: Context, (): ()| async move {
        Ok(ctx.reduce("sum").await?)
    });
    let done = harness.fan_out("all", &()).await;
    let error = done.root.error().unwrap();
    assert!(error.starts_with("a reduce without a map"), "{error}");
}

#[tokio::test]
async fn a_reduce_has_the_body_of_its_root() {
    let harness = Harness::new()
        .handle("all", |ctx: Context, body: String| async move {
            ctx.map("one", [body]).await?;
            Ok(ctx.reduce("last").await?)
        })
        .handle("one", |_: Context, _: String| async { Ok(()) })
        .handle("last", |_: Context, body: String| async { Ok(body) });
    let done = harness.fan_out("all", "the day").await;
    assert_eq!(done.result::<String>().unwrap(), "the day");
}
