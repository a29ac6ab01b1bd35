//! What is around handlers: state, middleware, and the events of `tracing` in their logs.

use std::process::{ExitCode, Termination as _};

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use tickwheel_worker::testing::Harness;
use tickwheel_worker::{
    Context, HandlerResult, LogLayer, Next, Outcome, Stats, Stopped, Worker, fatal,
};
use tracing::Instrument as _;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;

#[derive(Default)]
struct Steps(Mutex<Vec<String>>);

impl Steps {
    fn add(&self, step: &str) {
        self.taken().push(step.to_owned());
    }

    fn taken(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock()
    }
}

fn note(ctx: &Context, step: &str) -> HandlerResult<()> {
    ctx.state::<Steps>()?.add(step);
    Ok(())
}

async fn outer(ctx: Context, body: Bytes, next: Next) -> HandlerResult<Bytes> {
    note(&ctx, "outer in")?;
    let result = next.run(ctx.clone(), body).await;
    note(&ctx, "outer out")?;
    result
}

async fn inner(ctx: Context, body: Bytes, next: Next) -> HandlerResult<Bytes> {
    note(&ctx, "inner in")?;
    if body == "\"refused\"" {
        return Err(fatal("this body is refused"));
    }
    let result = next.run(ctx, Bytes::from_static(b"\"changed\"")).await?;
    Ok(Bytes::from([result.as_ref(), b"!"].concat()))
}

fn harness() -> Harness {
    Harness::new()
        .state(Steps::default())
        .wrap(outer)
        .wrap(inner)
        .handle_raw("echo", |ctx: Context, body| async move {
            note(&ctx, "handler")?;
            Ok(body)
        })
        .handle("steps", |ctx: Context, _: String| async move {
            Ok(ctx.state::<Steps>()?.taken().clone())
        })
}

#[tokio::test]
async fn middlewares_run_around_the_handler_from_the_first_on() {
    let harness = harness();
    let ran = harness.run("echo", "as it was sent").await;
    let Some(Outcome::Succeeded(result)) = ran.outcome else {
        panic!("{ran:?}");
    };
    assert_eq!(result, "\"changed\"!");
    let refused = harness.run("echo", "refused").await;
    assert!(
        matches!(&refused.outcome, Some(Outcome::Fatal(error)) if error == "this body is refused"),
        "{refused:?}"
    );
    let ran = harness.call("steps").body("look").run().await;
    let Some(Outcome::Succeeded(steps)) = ran.outcome else {
        panic!("{ran:?}");
    };
    let steps = String::from_utf8(steps.to_vec()).unwrap();
    let around = r#""outer in","inner in""#;
    assert_eq!(
        steps,
        format!(r#"[{around},"handler","outer out",{around},"outer out",{around}]!"#)
    );
}

#[tokio::test]
async fn state_that_was_not_given_is_a_failure_that_says_so() {
    let harness = Harness::new().handle("h", |ctx: Context, (): ()| async move {
        ctx.state::<Steps>()?.add("never");
        Ok(())
    });
    let ran = harness.run("h", &()).await;
    let Some(Outcome::Failed(error)) = &ran.outcome else {
        panic!("{ran:?}");
    };
    assert!(
        error.contains("Steps`: give it one with `WorkerBuilder::state`"),
        "{error}"
    );
}

#[test]
fn two_states_of_a_type_are_refused() {
    let worker = Worker::builder("127.0.0.1:1")
        .state(1_u8)
        .state(2_u8)
        .handle("h", |_: Context, (): ()| async { Ok(()) });
    let error = worker.start().unwrap_err().to_string();
    assert_eq!(error, "invalid state: a value of type `u8` is given twice");
}

#[tokio::test]
async fn events_in_an_attempt_are_lines_of_its_log() {
    let subscriber = tracing_subscriber::registry().with(LogLayer::new());
    let _guard = tracing::subscriber::set_default(subscriber);
    let harness = Harness::new().handle("h", |ctx: Context, number: u32| async move {
        tracing::info!(number, "began");
        tracing::debug!("not so much");
        let spawned = async { tracing::warn!(error = %"late", "spawned") };
        tokio::spawn(spawned.in_current_span()).await?;
        let own = tracing::info_span!("own");
        own.in_scope(|| tracing::error!(path = "/tmp", "deeper"));
        ctx.log("by hand");
        Ok(())
    });
    tracing::info!("outside of any attempt");
    let (first, second) = tokio::join!(harness.run("h", &1), harness.run("h", &2));
    for (number, ran) in [(1, first), (2, second)] {
        assert_eq!(
            ran.logs,
            [
                format!("began number={number}").as_str(),
                "spawned error=late",
                "deeper path=/tmp",
                "by hand"
            ]
        );
    }
    let subscriber =
        tracing_subscriber::registry().with(LogLayer::new().max_level(LevelFilter::DEBUG));
    let _guard = tracing::subscriber::set_default(subscriber);
    let ran = harness.run("h", &3).await;
    assert_eq!(ran.logs.get(1).map(String::as_str), Some("not so much"));
    // Whose it is is known also where nothing below a warning passes.
    let subscriber = tracing_subscriber::registry()
        .with(LevelFilter::WARN)
        .with(LogLayer::new());
    let _guard = tracing::subscriber::set_default(subscriber);
    let ran = harness.run("h", &4).await;
    assert_eq!(
        ran.logs,
        ["spawned error=late", "deeper path=/tmp", "by hand"]
    );
}

#[tokio::test]
async fn events_of_the_sdk_are_in_no_log_and_those_of_a_neighbour_in_name_are() {
    let subscriber = tracing_subscriber::registry().with(LogLayer::new());
    let _guard = tracing::subscriber::set_default(subscriber);
    let harness = Harness::new().handle("h", |_: Context, (): ()| async {
        tracing::info!(target: "tickwheel_worker", "its own");
        tracing::info!(target: "tickwheel_worker::session", "its own");
        tracing::info!(target: "tickwheel_workers_of_mine", "mine");
        Ok(())
    });
    let ran = harness.run("h", &()).await;
    assert_eq!(ran.logs, ["mine"]);
}

#[test]
fn a_worker_that_leaves_outcomes_behind_ends_its_process_with_an_error() {
    let stopped = |unconfirmed| Stopped {
        stats: Stats::default(),
        given_back: 3,
        unconfirmed,
    };
    assert_eq!(stopped(0).report(), ExitCode::SUCCESS);
    assert_eq!(stopped(1).report(), ExitCode::FAILURE);
}
