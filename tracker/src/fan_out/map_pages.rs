//! What handlers map: pages of items that become subtasks of their context.
//!
//! Nothing is kept: a page is confirmed when Redis has it, and a worker that hears nothing sends it again, here or to another tracker.

use std::sync::Arc;

use tickwheel_core::ReduceOn;
use tickwheel_core::bounds::{SPLIT_BYTES_MAX, SPLIT_ITEMS_MAX, SUBTASK_BODY_BYTES_MAX};
use tickwheel_core::id::{HandlerName, WorkerId};
use tickwheel_core::job::ContextOptions;
use tickwheel_core::partition::PartitionCount;
use tickwheel_proto::v1::split_confirmation::Verdict;
use tickwheel_proto::v1::{self, SplitConfirmation, TrackerMessage};
use tickwheel_store::Store;
use tickwheel_store::fan::{Split, Splitting};
use tickwheel_store::lease::{AttemptRef, Holding};
use tonic::Status;

use crate::batches::{Batches, Calls};
use crate::metrics::measure;
use crate::sessions::{Session, Slot, items};

/// A page with the stream that wants its confirmation.
#[derive(Debug)]
struct Mapped {
    session: Arc<Session>,
    page: Splitting,
    _slot: Slot,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct MapPages {
    batches: Batches<Mapped>,
    store: Store,
}

impl MapPages {
    pub(crate) fn new(calls: &Calls, store: Store) -> Arc<Self> {
        Arc::new(Self {
            batches: calls.batches(),
            store,
        })
    }

    /// Takes the pages of one frame: one that breaks a rule is refused at once, the others are written in their order.
    ///
    /// # Errors
    /// The status that ends the stream, when too many of its items could not be read.
    pub(crate) fn take(
        self: &Arc<Self>,
        session: &Arc<Session>,
        pages: Vec<v1::Split>,
    ) -> Result<(), Status> {
        let partitions = self.store.partitions();
        for wire in pages {
            if let Err(why) = items::context(partitions, &wire.context_id) {
                session.fault("page", why);
                session.is_sound()?;
            }
            let (context_id, attempt, offset) =
                (wire.context_id.clone(), wire.attempt, wire.offset);
            match read(partitions, &session.worker, wire) {
                Ok(page) => self.push(session, page),
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

    /// Makes subtasks of a page of items; its confirmation follows when Redis has it.
    fn push(self: &Arc<Self>, session: &Arc<Session>, page: Splitting) {
        let partition = page.mapper.attempt.context.partition();
        let mapped = Mapped {
            session: Arc::clone(session),
            page,
            _slot: session.in_flight.begin(),
        };
        let pages = Arc::clone(self);
        self.batches.push(partition, [mapped], move |batch| {
            let pages = Arc::clone(&pages);
            async move { pages.write(batch).await }
        });
    }

    /// Writes pages one after the other and confirms each.
    async fn write(&self, batch: Vec<Mapped>) {
        for Mapped {
            session,
            page,
            _slot,
        } in batch
        {
            let split = self.store.split(&page).await;
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
fn read(
    partitions: PartitionCount,
    worker: &WorkerId,
    wire: v1::Split,
) -> Result<Splitting, String> {
    let context = items::context(partitions, &wire.context_id)?;
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
