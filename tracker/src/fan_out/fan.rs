//! Contexts that are split into subtasks: what their handlers map, and what their reduces read.
//!
//! Nothing is kept: a page is confirmed when Redis has it, and a worker that hears nothing sends it again, here or to another tracker.

use std::sync::Arc;

use tickwheel_core::ReduceOn;
use tickwheel_core::id::{HandlerName, WorkerId};
use tickwheel_core::job::ContextOptions;
use tickwheel_core::limits::{
    RESULTS_PAGE_MAX, SPLIT_BYTES_MAX, SPLIT_ITEMS_MAX, SUBTASK_BODY_BYTES_MAX,
};
use tickwheel_core::partition::PartitionId;
use tickwheel_proto::v1::split_confirmation::Verdict;
use tickwheel_proto::v1::{
    self, FetchResults, ResultsPage, SplitConfirmation, SubtaskResult, TrackerMessage,
};
use tickwheel_store::fan::{Results, Split, Splitting};
use tickwheel_store::lease::{AttemptRef, Holding};
use tonic::Status;

use crate::engine::Engine;
use crate::metrics::measure;
use crate::sessions::intake::context;
use crate::sessions::{Session, Slot};

/// A page with the stream that wants its confirmation.
#[derive(Debug)]
pub(crate) struct Mapped {
    pub(crate) session: Arc<Session>,
    page: Splitting,
    _slot: Slot,
}

impl Mapped {
    pub(crate) fn partition(&self) -> PartitionId {
        self.page.mapper.attempt.context.partition()
    }
}

/// Takes the pages of one frame: one that breaks a rule is refused at once, the others are written in their order.
///
/// # Errors
/// The status that ends the stream, when too many of its items could not be read.
pub(crate) fn take(
    engine: &Arc<Engine>,
    session: &Arc<Session>,
    pages: Vec<v1::Split>,
) -> Result<(), Status> {
    for wire in pages {
        if let Err(why) = context(engine, &wire.context_id) {
            session.fault("page", why);
            session.is_sound()?;
        }
        let (context_id, attempt, offset) = (wire.context_id.clone(), wire.attempt, wire.offset);
        match read(engine, &session.worker, wire) {
            Ok(page) => {
                let session = Arc::clone(session);
                let _slot = session.in_flight.begin();
                engine.split(Mapped {
                    session,
                    page,
                    _slot,
                });
            }
            Err(error) => confirm(
                session,
                SplitConfirmation {
                    context_id,
                    attempt,
                    offset,
                    verdict: Verdict::Refused.into(),
                    error,
                    taken: 0,
                },
            ),
        }
    }
    Ok(())
}

fn confirm(session: &Session, confirmation: SplitConfirmation) {
    // A stream that ended takes it along: the worker sends the page again.
    session
        .send(TrackerMessage {
            split: vec![confirmation],
            ..TrackerMessage::default()
        })
        .ok();
}

/// A page of the wire; the error names field, rule and what was given.
fn read(engine: &Engine, worker: &WorkerId, wire: v1::Split) -> Result<Splitting, String> {
    let context = context(engine, &wire.context_id)?;
    if wire.items.len() > SPLIT_ITEMS_MAX {
        return Err(rule(
            "items",
            "are at most 1000 in a page",
            wire.items.len(),
        ));
    }
    let longest = wire.items.iter().map(bytes::Bytes::len).max().unwrap_or(0);
    if longest > SUBTASK_BODY_BYTES_MAX {
        return Err(rule("items", "have at most 262144 bytes each", longest));
    }
    let bytes: usize = wire.items.iter().map(bytes::Bytes::len).sum();
    if bytes > SPLIT_BYTES_MAX {
        return Err(rule("items", "have at most 1048576 bytes in a page", bytes));
    }
    let options = ContextOptions::try_from(wire.options.unwrap_or_default())
        .and_then(|options| options.validate().map(|()| options))
        .map_err(|violations| format!("options: {violations}"))?;
    let reduce_on = match v1::ReduceOn::try_from(wire.reduce_on) {
        Ok(v1::ReduceOn::Unspecified | v1::ReduceOn::Ended) => ReduceOn::Ended,
        Ok(v1::ReduceOn::Succeeded) => ReduceOn::Succeeded,
        Err(_) => return Err(rule("reduce_on", "is ended or succeeded", wire.reduce_on)),
    };
    let handler = named("handler", &wire.handler, wire.items.is_empty())?;
    let reduce = named("reduce", &wire.reduce, true)?;
    Ok(Splitting {
        mapper: Holding {
            attempt: AttemptRef {
                context,
                attempt: wire.attempt.into(),
            },
            worker: worker.clone(),
        },
        offset: wire.offset,
        handler: handler.map(|handler| (handler, options)),
        parallelism: wire.parallelism,
        reduce: reduce.map(|handler| (handler, options)),
        reduce_on,
        mapped: wire.mapped,
        items: wire.items,
    })
}

fn named(field: &str, name: &str, optional: bool) -> Result<Option<HandlerName>, String> {
    if optional && name.is_empty() {
        return Ok(None);
    }
    let name = HandlerName::new(name).map_err(|violation| format!("{field}: {violation}"))?;
    Ok(Some(name))
}

fn rule(field: &str, rule: &str, given: impl std::fmt::Display) -> String {
    format!("{field} {rule}, given {given}")
}

/// Writes pages one after the other and confirms each.
pub(crate) async fn write(engine: Arc<Engine>, batch: Vec<Mapped>) {
    for Mapped {
        session,
        page,
        _slot,
    } in batch
    {
        let split = engine.store.split(&page).await;
        let (verdict, error, taken) = match split {
            Ok(Split::Taken(taken)) => (Verdict::Taken, String::new(), taken),
            Ok(Split::Stale) => (Verdict::Stale, String::new(), 0),
            Ok(Split::Foreign) => {
                measure::foreign("split", 1);
                (Verdict::Stale, String::new(), 0)
            }
            Ok(Split::Refused { field, rule, given }) => {
                (Verdict::Refused, self::rule(&field, &rule, given), 0)
            }
            Err(error) => {
                measure::store_error(&error);
                let verdict = if error.is_retryable() {
                    Verdict::Unavailable
                } else {
                    Verdict::Refused
                };
                (verdict, error.to_string(), 0)
            }
        };
        let confirmation = SplitConfirmation {
            context_id: page.mapper.attempt.context.into(),
            attempt: page.mapper.attempt.attempt.as_u32(),
            offset: page.offset,
            verdict: verdict.into(),
            error,
            taken,
        };
        confirm(&session, confirmation);
    }
}

/// Answers a reduce with a page of results; when Redis does not answer it asks again.
pub(crate) fn fetch(engine: &Arc<Engine>, session: &Arc<Session>, wire: FetchResults) {
    let (engine, session) = (Arc::clone(engine), Arc::clone(session));
    let tasks = engine.tasks.clone();
    let slot = session.in_flight.begin();
    tasks.spawn(async move {
        // Few pages of one worker are in memory: the next is read when the ones before are on their way.
        let _few = session.fetching.acquire().await.ok();
        let mut page = ResultsPage {
            context_id: wire.context_id,
            attempt: wire.attempt,
            cursor: wire.cursor,
            ..ResultsPage::default()
        };
        let limit = if wire.limit == 0 {
            RESULTS_PAGE_MAX
        } else {
            wire.limit
        };
        match read_page(
            &engine,
            &session.worker,
            (&page, limit.min(RESULTS_PAGE_MAX)),
        )
        .await
        {
            Ok((results, next)) => (page.results, page.next) = (results, next),
            Err(error) => page.error = error,
        }
        session
            .send(TrackerMessage {
                results: vec![page],
                ..TrackerMessage::default()
            })
            .ok();
        session.sent_soon().await;
        drop(slot);
    });
}

async fn read_page(
    engine: &Engine,
    worker: &WorkerId,
    (asked, limit): (&ResultsPage, u32),
) -> Result<(Vec<SubtaskResult>, u64), String> {
    let context = context(engine, &asked.context_id)?;
    let reduce = Holding {
        attempt: AttemptRef {
            context,
            attempt: asked.attempt.into(),
        },
        worker: worker.clone(),
    };
    // One call at a time for each permit of this semaphore: a page may have a mebibyte.
    let _permit = engine.reading.acquire().await.ok();
    match engine.store.fan_results(&reduce, asked.cursor, limit).await {
        Ok(Results::Page(page)) => Ok((page.results.into_iter().map(result).collect(), page.next)),
        Ok(Results::Stale) => Err("the attempt does not hold its context any more".to_owned()),
        Ok(Results::Foreign) => {
            measure::foreign("fetch", 1);
            Err("another worker holds the attempt".to_owned())
        }
        Err(error) => {
            measure::store_error(&error);
            Err(error.to_string())
        }
    }
}

fn result(result: tickwheel_store::fan::SubtaskResult) -> SubtaskResult {
    let (succeeded, result_bytes, error) = match result.end {
        Ok(bytes) => (true, bytes, String::new()),
        Err(error) => (false, bytes::Bytes::new(), error),
    };
    SubtaskResult {
        index: result.index,
        succeeded,
        result: result_bytes,
        error,
    }
}
