//! Reading contexts page by page. Script: `lua/context/list.lua`.
//!
//! A list walks the places of one partition after the other. Its cursor is `<partition>/<place>/<position in the place>`, so a page costs
//! what it shows, however many contexts there are.

use std::collections::VecDeque;

use fred::types::Value;
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::{GroupName, JobName};
use tickwheel_core::partition::{PartitionId, partition_of};
use tickwheel_core::run::StateWord;

use super::ContextView;
use crate::error::Error;
use crate::listed::Listed;
use crate::record::{Dead, Settled};
use crate::reply::Reply;
use crate::script::LIST_CONTEXTS;
use crate::store::Store;

/// Contexts that one script call looks at.
const STEP_MAX: u32 = 100;
/// The same where each has to be looked up elsewhere.
const LOOKUP_STEP_MAX: u32 = 10;
/// Script calls of one page. A page may be short, or empty, and yet have a cursor.
const CALLS_MAX: u32 = 64;

/// Which contexts to list; all that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContextFilter {
    /// Where they are in their life.
    pub state: Option<StateWord>,
    /// Their job.
    pub job: Option<JobName>,
    /// The workers they are for. Contexts of which only their end is known do not tell, and are left out.
    pub group: Option<GroupName>,
}

impl ContextFilter {
    /// The places to walk in each partition.
    fn places(&self) -> &'static [&'static str] {
        match (self.state, self.job.is_some()) {
            (None, true) => &["active", "queue", "runs"],
            (None, false) => &["held", "fans", "ready", "queue", "wheel", "events"],
            (Some(StateWord::Queued), _) => &["queue"],
            (
                Some(
                    StateWord::Scheduled
                    | StateWord::Ready
                    | StateWord::Running
                    | StateWord::Fanned
                    | StateWord::Retrying,
                ),
                true,
            ) => &["active"],
            (Some(StateWord::Scheduled), false) => &["wheel"],
            (Some(StateWord::Ready), false) => &["ready"],
            (Some(StateWord::Running), false) => &["held"],
            (Some(StateWord::Fanned), false) => &["fans"],
            (Some(StateWord::Retrying), false) => &["retry"],
            (Some(StateWord::Failed | StateWord::TimedOut | StateWord::Expired), false) => {
                &["dead"]
            }
            (Some(StateWord::Succeeded | StateWord::Cancelled), false) => &["events"],
            (
                Some(
                    StateWord::Succeeded
                    | StateWord::Failed
                    | StateWord::TimedOut
                    | StateWord::Cancelled
                    | StateWord::Expired,
                ),
                true,
            ) => &["runs"],
        }
    }

    fn holds(&self, view: &ContextView) -> bool {
        let state = self.state.is_none_or(|state| state == view.state);
        let group = self.group.is_none() || self.group == view.group;
        let whole = view.id.subtask().is_none();
        state
            && group
            && whole
            && self
                .job
                .as_ref()
                .is_none_or(|job| view.job.as_ref() == Some(job))
    }

    /// The word of a settled state, by which the script chooses records.
    fn ended_word(&self) -> &'static str {
        match self.state {
            Some(
                state @ (StateWord::Succeeded
                | StateWord::Failed
                | StateWord::TimedOut
                | StateWord::Cancelled
                | StateWord::Expired),
            ) => state.as_str(),
            Some(
                StateWord::Scheduled
                | StateWord::Queued
                | StateWord::Ready
                | StateWord::Running
                | StateWord::Fanned
                | StateWord::Retrying,
            )
            | None => "",
        }
    }
}

/// What is left to walk: places with their partition, and the position in the first one.
struct Walk {
    stops: VecDeque<(PartitionId, &'static str)>,
    position: String,
}

impl Walk {
    fn resume(
        filter: &ContextFilter,
        partitions: impl Iterator<Item = PartitionId>,
        cursor: &str,
    ) -> Result<Self, Error> {
        let places = filter.places();
        let mut stops: VecDeque<_> = partitions
            .flat_map(|partition| places.iter().map(move |place| (partition, *place)))
            .collect();
        if cursor.is_empty() {
            return Ok(Self {
                stops,
                position: String::new(),
            });
        }
        let mut parts = cursor.splitn(3, '/');
        let (partition, place) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        let first = stops
            .iter()
            .position(|stop| stop.0.to_string() == partition && stop.1 == place);
        let (Some(first), Some(position)) = (first, parts.next()) else {
            return Err(bad_cursor(cursor));
        };
        stops.drain(..first);
        Ok(Self {
            stops,
            position: position.to_owned(),
        })
    }

    fn cursor(&self) -> String {
        self.stops
            .front()
            .map(|(partition, place)| format!("{partition}/{place}/{}", self.position))
            .unwrap_or_default()
    }
}

fn bad_cursor(cursor: &str) -> Error {
    Error::Invalid(Violations::from(Violation::new(
        "cursor",
        "is of an earlier page of the same list",
        cursor,
    )))
}

impl Store {
    /// A page of the contexts that `filter` chooses.
    ///
    /// A page has at most `limit` contexts, and may have fewer, or none, when little of what was looked at was chosen. Contexts that
    /// move meanwhile may be missed or come twice. Of ended contexts the newest events are listed; of a job, its runs; of those that
    /// ended without success, the dead.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the cursor is not one of this list; [`Error::Unavailable`] when Redis does not answer.
    pub async fn list_contexts(
        &self,
        filter: &ContextFilter,
        cursor: &str,
        limit: u32,
    ) -> Result<Listed<ContextView>, Error> {
        let all = self.partitions.partitions();
        let of_job = filter
            .job
            .as_ref()
            .map(|job| partition_of(job.as_str(), self.partitions));
        let mut walk = Walk::resume(
            filter,
            all.filter(|one| of_job.is_none_or(|only| only == *one)),
            cursor,
        )?;
        let mut listed = Listed::default();
        for _ in 0..CALLS_MAX {
            let shown = u32::try_from(listed.items.len()).unwrap_or(u32::MAX);
            let missing = limit.saturating_sub(shown);
            let Some(stop) = walk.stops.front().copied() else {
                break;
            };
            if missing == 0 {
                break;
            }
            let page = self.page(filter, stop, &walk.position, missing).await;
            // A place that cannot be read at all hides no other.
            let page = listed.readable(LIST_CONTEXTS.name(), page)?;
            let page = page.unwrap_or_default();
            listed.skip(LIST_CONTEXTS.name(), page.unreadable);
            let chosen = page.items.into_iter().filter(|view| filter.holds(view));
            listed.items.extend(chosen);
            if page.next.is_empty() {
                walk.stops.pop_front();
            }
            walk.position = page.next;
        }
        listed.next = walk.cursor();
        Ok(listed)
    }

    async fn page(
        &self,
        filter: &ContextFilter,
        (partition, place): (PartitionId, &'static str),
        position: &str,
        limit: u32,
    ) -> Result<Listed<ContextView>, Error> {
        let step = if matches!(place, "active" | "retry") {
            LOOKUP_STEP_MAX
        } else {
            STEP_MAX
        };
        let args = vec![
            Value::from(place),
            Value::from(position),
            Value::from(limit.min(step).to_string()),
            Value::from(filter.job.as_ref().map_or("", JobName::as_str)),
            Value::from(filter.group.as_ref().map_or("", GroupName::as_str)),
            Value::from(filter.ended_word()),
        ];
        let value = self
            .redis
            .call(&LIST_CONTEXTS, vec![self.keys.wheel(partition)], args)
            .await?;
        let mut reply = Reply::expect(LIST_CONTEXTS.name(), value, "PAGE")?;
        let mut page = Listed {
            next: reply.text()?,
            ..Listed::default()
        };
        page.unreadable = reply.number()?;
        while !reply.is_empty() {
            page.add(LIST_CONTEXTS.name(), view(reply.list()?))?;
        }
        Ok(page)
    }
}

/// One `{ place, id, text, extra }`.
fn view(mut item: Reply) -> Result<ContextView, Error> {
    let (place, id, text) = (item.text()?, item.parsed()?, item.bytes()?);
    match place.as_str() {
        "settled" => Ok(ContextView::of_settled(Settled::parse(&text)?)),
        "dead" => Ok(ContextView::of_dead(Dead::parse(&text)?)),
        _ => ContextView::of_place(
            LIST_CONTEXTS.name(),
            id,
            &place,
            text,
            item.optional_number()?,
        ),
    }
}
