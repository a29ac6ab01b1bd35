//! What a list of contexts is made of, where it is looked for, and how it is asked for.

use tickwheel_core::id::{GroupName, HandlerName, JobName, WorkerId};
use tickwheel_core::partition::PartitionId;
use tickwheel_core::run::ContextState;
use tickwheel_core::time::TimestampMs;

use super::ask::{Answer, Ask, ITEMS_MAX, Lists};
use super::filter::ContextFilter;
use super::section::Section;
use crate::args::Args;
use crate::context::ContextView;
use crate::error::Error;
use crate::record::{Dead, Settled};
use crate::reply::Reply;
use crate::script::LIST_CONTEXTS;
use crate::store::Store;

/// What is listed.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(super) filter: &'a ContextFilter,
    pub(super) sections: Vec<Section>,
    /// Bodies of the dead stay where they are.
    pub(super) heads: bool,
    pub(super) partitions: Vec<PartitionId>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        store: &Store,
        filter: &'a ContextFilter,
        sections: Vec<Section>,
        heads: bool,
    ) -> Self {
        let of_job = filter.job.as_ref().map(|job| store.partition_of_job(job));
        let all = store.partitions.partitions();
        Self {
            filter,
            sections,
            heads,
            partitions: all
                .filter(|one| of_job.is_none_or(|only| only == *one))
                .collect(),
        }
    }
}

impl Lists for Plan<'_> {
    type Item = ContextView;

    const NAME: &'static str = "context/list";

    fn sections(&self) -> &[Section] {
        &self.sections
    }

    fn partitions(&self) -> &[PartitionId] {
        &self.partitions
    }

    fn start_of(&self, section: Section) -> String {
        self.filter.start_of(section)
    }

    fn is_limited(&self) -> bool {
        let sight = self.filter.sight.as_ref();
        sight.is_some_and(|sight| !sight.is_everything())
    }

    /// But for the times of ends: an age counts from each page anew.
    fn chosen_by(&self) -> String {
        let filter = ContextFilter {
            ended_from: None,
            ended_to: None,
            ..self.filter.clone()
        };
        format!("{filter:?} {:?} {}", self.sections, self.heads)
    }

    async fn ask(&self, store: &Store, ask: Ask<'_>) -> Result<Answer<ContextView>, Error> {
        let filter = self.filter;
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
            .with("place", ask.section.place())
            .with_filled("position", ask.point)
            .with_number("limit", ask.items.clamp(1, ITEMS_MAX))
            .with_optional("job", filter.job.as_ref().map(JobName::as_str))
            .with_optional("group", filter.group.as_ref().map(GroupName::as_str))
            .with_filled("states", &states.join(" "))
            .with_number("look", ask.look.max(1))
            .with_optional("handler", filter.handler.as_ref().map(HandlerName::as_str))
            .with_optional("worker", filter.worker.as_ref().map(WorkerId::as_str))
            .with_filled("error", error.unwrap_or_default())
            .with_optional_number("due_from", millis(filter.due_from))
            .with_optional_number("due_to", millis(filter.due_to))
            .with_optional_number("ended_from", millis(filter.ended_from))
            .with_optional_number("ended_to", millis(filter.ended_to))
            .with_flag("scan", ask.scan)
            .with_flag("heads", self.heads)
            .with_flag("since", ask.since)
            .alone();
        let wheel = vec![store.keys.wheel(ask.partition)];
        let value = store.redis.call(&LIST_CONTEXTS, wheel, args).await?;
        let reply = Reply::expect(LIST_CONTEXTS.name(), value, "PAGE")?;
        let holds = |view: &ContextView| self.filter.holds(view);
        ask.read(LIST_CONTEXTS.name(), reply, |item| {
            Ok(view(item)?.filter(holds))
        })
    }

    fn bytes_of(view: &ContextView) -> usize {
        view.body.len()
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
