//! Lists of contexts, over all partitions, page by page. Scripts: `lua/context/list.lua`, `lua/context/count.lua`.
//!
//! A list has sections (`section.rs`), one behind the other: what runs, what is split, what is ready, what is queued, what has a time, what has
//! ended. In each, the partitions are asked for a few of their first contexts, and these are merged by time (`merge.rs`), so that a page costs
//! what it shows. A request looks at a bounded number of entries: what fits nothing costs no more, and the answer says where to go on
//! (`cursor.rs`).

mod answer;
mod ask;
mod cursor;
mod filter;
mod merge;
mod page;
mod plan;
mod point;
mod section;

pub use answer::{ContextList, Horizon, LOOK_MAX, Looked, MergedList, PageBounds};
pub(crate) use ask::{Answer, Ask, ITEMS_MAX, Lists};
pub use filter::{ContextFilter, ListOrder};
pub(crate) use plan::Plan;
pub(crate) use section::Section;

use super::count;
use crate::error::Error;
use crate::store::Store;
use cursor::{Cursor, Stop};
use page::Page;
use tickwheel_core::id::JobName;

impl Store {
    /// A page of the contexts that `filter` chooses, over all partitions.
    ///
    /// What has not ended comes before what has. What has ended comes with the newest end first. Of what has not ended, what runs, what is
    /// split and what has a time comes with the earliest first; what is ready comes queue by queue, as permits take it; what waits behind
    /// an earlier run comes job by job. Where more than 1,000 run in a partition, what runs comes partition by partition. Contexts that
    /// move meanwhile may be missed or come twice; what stays is listed once, also while more come.
    ///
    /// Dropping the call leaves nothing behind.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the cursor is not one of this list; [`Error::Unavailable`] when Redis does not answer.
    pub async fn list_contexts(
        &self,
        filter: &ContextFilter,
        cursor: &str,
        bounds: impl Into<PageBounds>,
    ) -> Result<ContextList, Error> {
        let plan = Plan::new(self, filter, filter.sections(), false);
        self.list(&plan, cursor, bounds.into()).await
    }

    /// The same of the dead alone, without their bodies.
    pub(crate) async fn list_dead_contexts(
        &self,
        filter: &ContextFilter,
        cursor: &str,
        bounds: PageBounds,
    ) -> Result<ContextList, Error> {
        let plan = Plan::new(self, filter, vec![Section::Dead], true);
        self.list(&plan, cursor, bounds).await
    }

    async fn list(
        &self,
        plan: &Plan<'_>,
        cursor: &str,
        bounds: PageBounds,
    ) -> Result<ContextList, Error> {
        self.list_merged(plan, plan.filter.job.as_ref(), cursor, bounds)
            .await
    }

    /// A page of a list, of one job or of all.
    pub(crate) async fn list_merged<L: Lists>(
        &self,
        plan: &L,
        job: Option<&JobName>,
        cursor: &str,
        bounds: PageBounds,
    ) -> Result<MergedList<L::Item>, Error> {
        let given = Cursor::read(cursor, plan, self.partitions)?;
        let (mut at, counts) = match given {
            Some(at) => (at, None),
            None => {
                let counts = count::counts(self, job, plan.partitions()).await?;
                (Cursor::first(plan, &counts), Some(counts))
            }
        };
        let mut page = Page::new(bounds, plan.partitions().len());
        while let Some(section) = plan.sections().get(at.section) {
            if page.is_done() {
                break;
            }
            let is_empty = counts
                .as_ref()
                .is_some_and(|counts| section.is_empty(counts));
            let stopped = if is_empty {
                None
            } else if at.scans(at.section) {
                merge::scan(self, plan, *section, &at.stop, &mut page).await?
            } else {
                merge::merge(self, plan, *section, &at.stop, &mut page).await?
            };
            if let Some(stop) = stopped {
                at.stop = stop;
                break;
            }
            at.section += 1;
            at.stop = Stop::first(plan, plan.sections().get(at.section));
        }
        let next = at.write(plan, self.partitions);
        Ok(page.finish(next, at.of))
    }
}
