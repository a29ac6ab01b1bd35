//! One call of `context/list`.

use tickwheel_core::id::{GroupName, HandlerName, JobName, WorkerId};
use tickwheel_core::partition::PartitionId;
use tickwheel_core::run::ContextState;
use tickwheel_core::time::TimestampMs;

use super::plan::Plan;
use super::point::Point;
use super::section::Section;
use crate::args::Args;
use crate::context::ContextView;
use crate::error::Error;
use crate::fields::Fields;
use crate::record::{Dead, Settled};
use crate::reply::Reply;
use crate::script::LIST_CONTEXTS;
use crate::store::Store;

/// Contexts of one call.
pub(super) const ITEMS_MAX: usize = 100;

/// What a partition is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) section: Section,
    pub(super) partition: PartitionId,
    /// Where the section goes on; empty: from its beginning.
    pub(super) point: &'a str,
    /// Contexts.
    pub(super) items: usize,
    /// Entries looked at.
    pub(super) look: u64,
    /// In no order.
    pub(super) scan: bool,
    /// Since when the section is complete is asked for as well.
    pub(super) since: bool,
}

/// A context of an answer, or a record that cannot be read.
#[derive(Debug)]
pub(super) struct Found {
    /// Where the section goes on behind it.
    pub(super) point: Point,
    /// `None` when the filter does not choose it after all.
    pub(super) view: Option<ContextView>,
    pub(super) is_unreadable: bool,
}

/// What a partition answered.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) found: Vec<Found>,
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

impl Ask<'_> {
    fn parse(&self, text: &str) -> Result<Point, Error> {
        let point = if self.scan {
            Point::parse_scan(text)
        } else {
            Point::parse(self.section, text)
        };
        point.ok_or_else(|| Error::contract(LIST_CONTEXTS.name(), format_args!("point {text:?}")))
    }

    pub(super) async fn send(&self, store: &Store, plan: &Plan<'_>) -> Result<Answer, Error> {
        let filter = plan.filter;
        let states: Vec<&str> = filter
            .states
            .iter()
            .copied()
            .map(ContextState::as_str)
            .collect();
        let millis = |at: Option<TimestampMs>| at.map(TimestampMs::as_u64);
        // Letters that a script cannot compare in any case are left to whoever reads its answer.
        let error = Some(filter.error.as_str()).filter(|error| error.is_ascii());
        let args = Args::new()
            .with("place", self.section.place())
            .with_filled("position", self.point)
            .with_number("limit", self.items.clamp(1, ITEMS_MAX))
            .with_optional("job", filter.job.as_ref().map(JobName::as_str))
            .with_optional("group", filter.group.as_ref().map(GroupName::as_str))
            .with_filled("states", &states.join(" "))
            .with_number("look", self.look.max(1))
            .with_optional("handler", filter.handler.as_ref().map(HandlerName::as_str))
            .with_optional("worker", filter.worker.as_ref().map(WorkerId::as_str))
            .with_filled("error", error.unwrap_or_default())
            .with_optional_number("due_from", millis(filter.due_from))
            .with_optional_number("due_to", millis(filter.due_to))
            .with_optional_number("ended_from", millis(filter.ended_from))
            .with_optional_number("ended_to", millis(filter.ended_to))
            .with_flag("scan", self.scan)
            .with_flag("heads", plan.heads)
            .with_flag("since", self.since)
            .alone();
        let wheel = vec![store.keys.wheel(self.partition)];
        let value = store.redis.call(&LIST_CONTEXTS, wheel, args).await?;
        let reply = Reply::expect(LIST_CONTEXTS.name(), value, "PAGE")?;
        Fields::read(reply, |fields| self.read(plan, fields))
    }

    fn read(&self, plan: &Plan<'_>, fields: &mut Fields) -> Result<Answer, Error> {
        let next = fields.text_or_empty("position")?;
        let mut answer = Answer {
            next: match next.as_str() {
                "" => None,
                next => Some(self.parse(next)?),
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
            let item = items.list()?;
            let point = self.parse(&points.text()?)?;
            let (view, is_unreadable) = match view(item) {
                Ok(view) => (view.filter(|view| plan.filter.holds(view)), false),
                Err(error) => {
                    let list = LIST_CONTEXTS.name();
                    tracing::debug!(list, %error, "a record cannot be read");
                    (None, true)
                }
            };
            answer.found.push(Found {
                point,
                view,
                is_unreadable,
            });
        }
        Ok(answer)
    }
}

/// One `{ place, id, text, extra }`.
fn view(mut item: Reply) -> Result<Option<ContextView>, Error> {
    let place = item.text()?;
    if place == "unreadable" {
        return Err(Error::damaged(LIST_CONTEXTS.name(), "a record"));
    }
    let (id, text) = (item.parsed()?, item.bytes()?);
    Ok(Some(match place.as_str() {
        "settled" => ContextView::of_settled(Settled::parse(&text)?),
        "dead" => ContextView::of_dead(Dead::parse(&text)?),
        _ => {
            let score = item.optional_number()?;
            ContextView::of_place(LIST_CONTEXTS.name(), id, &place, text, score)?
        }
    }))
}
