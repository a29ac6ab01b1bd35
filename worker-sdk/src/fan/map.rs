//! `ctx.map` and `ctx.reduce`: pages out, confirmations in.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use serde::Serialize;
use tickwheel_core::bounds::SUBTASKS_MAX;
use tickwheel_proto::v1::Split;

use super::mapping::{Mapping, Sent};
use super::page::Page;
use super::{FanError, MapOptions, ReduceWhen, Request};
use crate::attempt::Attempt;
use crate::context::Context;
use crate::handler::encode_json;
use crate::registry::check_name;

impl Mapping {
    async fn send(
        &mut self,
        attempt: &Attempt,
        items: Vec<Bytes>,
        what: &What<'_>,
    ) -> Result<(), FanError> {
        let count = items.len() as u64;
        if self.offset + count > SUBTASKS_MAX {
            return Err(FanError::TooMany {
                limit: SUBTASKS_MAX,
            });
        }
        let split = Split {
            context_id: String::from(&*attempt.key.context),
            attempt: attempt.key.attempt,
            offset: self.offset,
            handler: what.handler.to_owned(),
            items,
            options: (count > 0).then(|| what.options.options_to_wire()),
            parallelism: what.options.parallelism_to_wire(),
            reduce: what.reduce.0.to_owned(),
            reduce_on: what.reduce.1.to_wire().into(),
            mapped: self.mapped,
        };
        let reply = attempt.ask(Request::Split(Arc::new(split)));
        self.sent = Some(Sent {
            reply,
            items: count,
        });
        self.confirmed().await
    }
}

/// What the pages of one call have in common.
struct What<'a> {
    handler: &'a str,
    options: MapOptions,
    reduce: (&'a str, ReduceWhen),
}

impl<'a> What<'a> {
    fn map(handler: &'a str, options: MapOptions) -> Result<Self, FanError> {
        named("handler", handler)?;
        options.check()?;
        Ok(Self {
            handler,
            options,
            reduce: ("", ReduceWhen::default()),
        })
    }
}

fn named(setting: &'static str, handler: &str) -> Result<(), FanError> {
    check_name(setting, handler).map_err(|error| FanError::Invalid {
        setting: setting.to_owned(),
        reason: error.to_string(),
    })
}

impl Context {
    /// Makes a subtask of each item: JSON that the handler `handler` of the same group runs, on any worker. Returns how many, when Redis
    /// has confirmed all of them; they may run already. Any subtask may map again.
    ///
    /// The context ends when its handler has returned **and** all subtasks have ended: as succeeded when none failed for good (or as its
    /// [`reduce`](Self::reduce) says), else as failed.
    ///
    /// A repeated attempt maps again: it has to give **the same items in the same order**. What an earlier attempt mapped is recognised by
    /// its place and skipped, so no item becomes two subtasks. Take a million ids from a query with an `ORDER BY`, not from a hash map.
    ///
    /// Items go out in pages of at most 1,000 items and 512 KiB, one page at a time, so an iterator over a million of them needs the memory
    /// of one page. At most 10,000,000 subtasks of a root, each body at most 256 KiB.
    ///
    /// ```
    /// use tickwheel_worker::{Context, HandlerResult};
    ///
    /// async fn all_shops(ctx: Context, (): ()) -> HandlerResult<()> {
    ///     ctx.map("shop", (1..=1_000_000_u64).map(|shop| ("close", shop))).await?;
    ///     ctx.reduce("sum").await?;
    ///     Ok(())
    /// }
    /// # drop(all_shops);
    /// ```
    ///
    /// **Cancel safety**: pages that were sent stay mapped, and one on its way is finished in the background; the next map call of this
    /// attempt waits for it and begins behind it. Items that were taken from the iterator for a page that was not sent are not mapped.
    ///
    /// # Errors
    /// [`FanError`]; pages that were confirmed before stay mapped.
    pub async fn map<I>(&self, handler: impl AsRef<str> + Send, items: I) -> Result<u64, FanError>
    where
        I: IntoIterator<IntoIter: Send>,
        I::Item: Serialize + Send,
    {
        self.map_with(handler, items, MapOptions::default()).await
    }

    /// Like [`map`](Self::map), with options for the subtasks.
    ///
    /// # Errors
    /// As [`map`](Self::map).
    pub async fn map_with<I>(
        &self,
        handler: impl AsRef<str> + Send,
        items: I,
        options: MapOptions,
    ) -> Result<u64, FanError>
    where
        I: IntoIterator<IntoIter: Send>,
        I::Item: Serialize + Send,
    {
        let items = futures_util::stream::iter(items);
        self.map_stream(handler, items, options).await
    }

    /// Like [`map_with`](Self::map_with), with items that come bit by bit, as from a cursor of a database.
    ///
    /// # Errors
    /// As [`map`](Self::map).
    pub async fn map_stream<S>(
        &self,
        handler: impl AsRef<str> + Send,
        items: S,
        options: MapOptions,
    ) -> Result<u64, FanError>
    where
        S: Stream<Item: Serialize + Send> + Send,
    {
        let what = What::map(handler.as_ref(), options)?;
        self.send_pages(&what, items, |index, item| {
            encode_json(item).map_err(|error| FanError::Encode {
                index,
                source: error.into(),
            })
        })
        .await
    }

    /// Like [`map_with`](Self::map_with), with bodies as they are, for handlers of bytes.
    ///
    /// # Errors
    /// As [`map`](Self::map).
    pub async fn map_raw<I>(
        &self,
        handler: impl AsRef<str> + Send,
        items: I,
        options: MapOptions,
    ) -> Result<u64, FanError>
    where
        I: IntoIterator<IntoIter: Send>,
        I::Item: Into<Bytes> + Clone + Send,
    {
        let what = What::map(handler.as_ref(), options)?;
        let items = futures_util::stream::iter(items.into_iter().map(Into::into));
        self.send_pages(&what, items, |_, item: &Bytes| Ok(item.clone()))
            .await
    }

    /// Has `handler` run once when the context's subtasks have ended, on any worker of the group, with the body of the context that was
    /// split. It reads their results by [`results`](Self::results); its result is that of the context. A context has one reduce. When
    /// nothing was there to map, it runs once over no results.
    ///
    /// ```
    /// use tickwheel_worker::{Context, HandlerResult};
    ///
    /// async fn sum(ctx: Context, (): ()) -> HandlerResult<u64> {
    ///     let (mut sum, mut results) = (0, ctx.results::<u64>());
    ///     while let Some(result) = results.next().await? {
    ///         sum += result.outcome.unwrap_or(0);
    ///     }
    ///     Ok(sum)
    /// }
    /// # drop(sum);
    /// ```
    ///
    /// # Errors
    /// [`FanError::ReduceWithoutMap`] before the first map call, and other [`FanError`]s.
    pub async fn reduce(&self, handler: impl AsRef<str> + Send) -> Result<(), FanError> {
        self.reduce_when(handler, ReduceWhen::Ended).await
    }

    /// Like [`reduce`](Self::reduce), and says whether it also runs when subtasks have failed.
    ///
    /// # Errors
    /// As [`reduce`](Self::reduce).
    pub async fn reduce_when(
        &self,
        handler: impl AsRef<str> + Send,
        when: ReduceWhen,
    ) -> Result<(), FanError> {
        let reduce = handler.as_ref();
        named("reduce", reduce)?;
        let attempt = self.inner();
        let mut mapping = attempt
            .fan()
            .mapping
            .try_lock()
            .map_err(|_| FanError::AlreadyMapping)?;
        mapping.confirmed().await?;
        // A subtask's root has mapped: whether there is something to reduce, Redis knows.
        if mapping.offset == 0 && !mapping.mapped && attempt.subtask.is_none() {
            return Err(FanError::ReduceWithoutMap {
                handler: reduce.to_owned(),
            });
        }
        let what = What {
            handler: "",
            options: MapOptions::default(),
            reduce: (reduce, when),
        };
        mapping.send(attempt, Vec::new(), &what).await
    }

    async fn send_pages<S: Stream>(
        &self,
        what: &What<'_>,
        items: S,
        encode: impl Fn(u64, &S::Item) -> Result<Bytes, FanError>,
    ) -> Result<u64, FanError> {
        let attempt = self.inner();
        let mut mapping = attempt
            .fan()
            .mapping
            .try_lock()
            .map_err(|_| FanError::AlreadyMapping)?;
        mapping.confirmed().await?;
        let (mut items, mut page) = (pin!(items), Page::default());
        let (first, mut next) = (mapping.offset, mapping.offset);
        while let Some(item) = items.next().await {
            let index = next;
            next += 1;
            // A repeated attempt need not write what Redis has from an earlier one.
            if index < mapping.taken && index == mapping.offset {
                mapping.offset += 1;
                continue;
            }
            if let Some(full) = page.add(index, encode(index, &item)?)? {
                mapping.send(attempt, full, what).await?;
            }
        }
        let rest = page.take();
        if !rest.is_empty() {
            mapping.send(attempt, rest, what).await?;
        }
        mapping.mapped = true;
        Ok(next - first)
    }
}
