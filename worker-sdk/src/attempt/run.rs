//! Runs a handler to its end: by itself, by panic, by its time, or by cancellation and grace.
//!
//! What counts after a cancellation: a lost lease drops the outcome; a time-out stays a time-out; a requested or replaced
//! attempt is cancelled, unless its handler finished its work without ever having looked at the cancellation; and an
//! attempt that a drain stops and that did not succeed is given back.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::time::{Instant, sleep_until, timeout};

use super::{Attempt, CancelReason};
use crate::bounds::{ERROR_BYTES_MAX, clipped};
use crate::error::{HandlerError, HandlerResult};
use crate::outcome::Outcome;

/// How an attempt ended on this worker.
#[derive(Debug)]
pub(crate) enum Ended {
    /// To be settled.
    With(Outcome),
    /// Stopped by a drain: another worker shall take it.
    GivenBack,
    /// The lease is lost; nothing is said about it.
    Dropped,
}

type Caught = Result<HandlerResult<Bytes>, Box<dyn Any + Send>>;

/// Runs `work` under the attempt's time-out and cancellation. The future is dropped when its grace is used up.
pub(crate) async fn run(
    attempt: &Attempt,
    work: impl Future<Output = HandlerResult<Bytes>>,
) -> Ended {
    let work = AssertUnwindSafe(work).catch_unwind();
    tokio::pin!(work);
    tokio::select! {
        biased;
        caught = &mut work => return ended(attempt, Some(caught)),
        () = interruption(attempt) => {}
    }
    let late = timeout(attempt.grace, &mut work).await.ok();
    ended(attempt, late)
}

/// Until the attempt shall stop; makes its own time-out a cancellation.
async fn interruption(attempt: &Attempt) {
    let Some(end) = attempt.times_out_at() else {
        attempt.cancel.told().await;
        return;
    };
    tokio::select! {
        biased;
        _ = attempt.cancel.told() => {}
        () = sleep_until(end) => attempt.cancel.cancel(CancelReason::TimedOut, Instant::now()),
    }
}

fn ended(attempt: &Attempt, caught: Option<Caught>) -> Ended {
    let Some(reason) = attempt.cancel.reason() else {
        let outcome = caught.map(|caught| by_itself(attempt, caught));
        return Ended::With(outcome.unwrap_or(Outcome::TimedOut));
    };
    let outcome = caught.map(|caught| by_itself(attempt, caught));
    let succeeded = matches!(outcome, Some(Outcome::Succeeded(_)));
    match (reason, outcome) {
        (CancelReason::Fenced, _) => Ended::Dropped,
        (CancelReason::Draining, Some(outcome)) if succeeded => Ended::With(outcome),
        (CancelReason::Draining, _) => Ended::GivenBack,
        (CancelReason::TimedOut, _) => Ended::With(Outcome::TimedOut),
        (CancelReason::Requested | CancelReason::Replaced, Some(outcome))
            if succeeded && !attempt.cancel.was_seen() =>
        {
            Ended::With(outcome)
        }
        (CancelReason::Requested | CancelReason::Replaced, _) => Ended::With(Outcome::Cancelled),
    }
}

fn by_itself(attempt: &Attempt, caught: Caught) -> Outcome {
    match caught {
        Ok(Ok(result)) => Outcome::Succeeded(result),
        Ok(Err(error)) => {
            let message = error.message();
            attempt.set_error_type(error.type_name());
            match error {
                HandlerError::Failed(_) => Outcome::Failed(message),
                HandlerError::Fatal(_) => Outcome::Fatal(message),
                HandlerError::RetryAfter(delay, _) => Outcome::RetryAfter(delay, message),
            }
        }
        Err(panic) => {
            attempt.set_error_type("panic");
            let message = format!("panicked: {}", panic_text(&*panic));
            Outcome::Failed(clipped(message, ERROR_BYTES_MAX))
        }
    }
}

pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("with a value that is no text")
}
