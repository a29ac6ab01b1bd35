//! What is asked of one partition, and what it answers, whatever is listed.

use std::future::Future;

use tickwheel_core::partition::PartitionId;

use super::point::Point;
use super::section::Section;
use crate::error::Error;
use crate::fields::Fields;
use crate::reply::Reply;
use crate::store::Store;

/// Items of one call.
pub(crate) const ITEMS_MAX: usize = 100;

/// What a partition is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) section: Section,
    pub(crate) partition: PartitionId,
    /// Where the section goes on; empty: from its beginning.
    pub(crate) point: &'a str,
    /// Items.
    pub(crate) items: usize,
    /// Entries looked at.
    pub(crate) look: u64,
    /// In no order.
    pub(super) scan: bool,
    /// Since when the section is complete is asked for as well.
    pub(super) since: bool,
}

/// An item of an answer, or a record that cannot be read.
#[derive(Debug)]
pub(crate) struct Found<T> {
    /// Where the section goes on behind it.
    pub(super) point: Point,
    /// `None` when the filter does not choose it after all.
    pub(super) item: Option<T>,
    pub(super) is_unreadable: bool,
}

/// What a partition answered.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(super) found: Vec<Found<T>>,
    /// Where the section goes on; `None` at its end.
    pub(super) next: Option<Point>,
    pub(super) unreadable: u64,
    pub(super) looked: u64,
    pub(super) cost: u64,
    /// Too many lie in the hash to be put in order.
    pub(super) many: bool,
    /// 0 when nothing was let go, or it was not asked for.
    pub(super) since: u64,
}

/// A list over partitions.
pub(crate) trait Lists: Sync {
    /// What it has.
    type Item: Send;

    /// What it is called in errors.
    const NAME: &'static str;

    /// One behind the other.
    fn sections(&self) -> &[Section];

    /// Where it is looked for.
    fn partitions(&self) -> &[PartitionId];

    /// The point from which a section can have something that is chosen; empty: from its beginning.
    fn start_of(&self, section: Section) -> String;

    /// What it chooses by, so that no cursor goes on in another one.
    fn chosen_by(&self) -> String;

    /// Whether who asks sees a part only of what there is, and so is not told how much that is.
    fn is_limited(&self) -> bool;

    /// Asks a partition for a part of a section.
    fn ask(
        &self,
        store: &Store,
        ask: Ask<'_>,
    ) -> impl Future<Output = Result<Answer<Self::Item>, Error>> + Send;

    /// What the body of an item takes, in bytes.
    fn bytes_of(item: &Self::Item) -> usize;
}

impl<T> Default for Answer<T> {
    fn default() -> Self {
        Self {
            found: Vec::new(),
            next: None,
            unreadable: 0,
            looked: 0,
            cost: 0,
            many: false,
            since: 0,
        }
    }
}

impl Ask<'_> {
    fn parse(&self, list: &'static str, text: &str) -> Result<Point, Error> {
        let point = if self.scan {
            Point::parse_scan(text)
        } else {
            Point::parse(self.section, text)
        };
        point.ok_or_else(|| Error::contract(list, format_args!("point {text:?}")))
    }

    /// Takes over what a partition answered, each of its items as `item` reads it: `None` for what the list does not choose after all.
    pub(crate) fn read<T>(
        &self,
        list: &'static str,
        reply: Reply,
        item: impl Fn(Reply) -> Result<Option<T>, Error>,
    ) -> Result<Answer<T>, Error> {
        Fields::read(reply, |fields| {
            let next = fields.text_or_empty("position")?;
            let mut answer = Answer {
                next: match next.as_str() {
                    "" => None,
                    next => Some(self.parse(list, next)?),
                },
                unreadable: fields.count("unreadable")?,
                looked: fields.count("looked")?,
                cost: fields.count("cost")?,
                many: fields.flag("many")?,
                since: fields.count("since")?,
                found: Vec::new(),
            };
            let (mut points, mut items) = (fields.list_or_empty("points")?, fields.list("items")?);
            while !items.is_empty() {
                let one = items.list()?;
                let point = self.parse(list, &points.text()?)?;
                let (item, is_unreadable) = match item(one) {
                    Ok(item) => (item, false),
                    Err(error) => {
                        tracing::debug!(list, %error, "a record cannot be read");
                        (None, true)
                    }
                };
                answer.found.push(Found {
                    point,
                    item,
                    is_unreadable,
                });
            }
            Ok(answer)
        })
    }
}
