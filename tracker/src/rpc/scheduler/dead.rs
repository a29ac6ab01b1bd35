//! Contexts that ended without success: listed, run again, forgotten.

use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::{ContextId, GroupName, HandlerName, JobName};
use tickwheel_core::run::StateWord;
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::convert::state_from_wire;
use tickwheel_proto::v1;
use tickwheel_store::dead::{DeadAction, DeadFilter};
use tickwheel_store::record::EndState;

use super::given::{Count, named};
use super::views;
use crate::error::Error;
use crate::rpc::api::ApiContext;

const PAGE: Count = Count {
    default: 100,
    most: 1_000,
};
const IDS_MAX: usize = 1_000;

pub(super) async fn list(
    api: &ApiContext,
    request: v1::ListDeadRequest,
) -> Result<v1::ListDeadResponse, Error> {
    let size = PAGE.read("page_size", request.page_size)?;
    let filter = filter(api, request.filter.unwrap_or_default()).await?;
    let store = &api.store;
    let page = store.list_dead(&filter, &request.cursor, size).await?;
    let counts = store.dead_counts().await?;
    Ok(v1::ListDeadResponse {
        contexts: page
            .items
            .into_iter()
            .map(|view| views::context(api, view))
            .collect(),
        next_cursor: page.next,
        unreadable: page.unreadable,
        kept: counts.kept,
        dropped: counts.dropped,
    })
}

pub(super) async fn requeue(
    api: &ApiContext,
    request: v1::ChangeDeadRequest,
) -> Result<v1::ChangeDeadResponse, Error> {
    change(api, DeadAction::Requeue, request).await
}

pub(super) async fn purge(
    api: &ApiContext,
    request: v1::ChangeDeadRequest,
) -> Result<v1::ChangeDeadResponse, Error> {
    change(api, DeadAction::Purge, request).await
}

async fn change(
    api: &ApiContext,
    action: DeadAction,
    request: v1::ChangeDeadRequest,
) -> Result<v1::ChangeDeadResponse, Error> {
    let filter = filter(api, request.filter.unwrap_or_default()).await?;
    let ids = ids(&request.ids)?;
    let given = [!filter.is_empty(), !ids.is_empty(), request.all];
    if given.iter().filter(|given| **given).count() != 1 {
        // Nothing is ever changed for want of a filter.
        let all = if request.all { "all" } else { "" };
        let rule = "is given, or ids, or all: exactly one of them";
        return Err(Violation::new("filter", rule, all).into());
    }
    if !ids.is_empty() && !request.cursor.is_empty() {
        return Err(Violation::new("cursor", "is empty with ids", &request.cursor).into());
    }
    let store = &api.store;
    let step = if ids.is_empty() {
        store
            .dead_step(action, &filter, &request.cursor, request.dry_run)
            .await?
    } else {
        store.dead_ids(action, &ids, request.dry_run).await?
    };
    Ok(v1::ChangeDeadResponse {
        looked: step.looked,
        matched: step.matched,
        changed: step.done,
        busy: step.busy,
        bodiless: step.bodiless,
        gone: step.gone,
        next_cursor: step.next,
        ids: step.ids.into_iter().map(String::from).collect(),
    })
}

/// Every id as given, each mistake named by its place.
fn ids(given: &[String]) -> Result<Vec<ContextId>, Error> {
    if given.len() > IDS_MAX {
        return Err(Violation::new("ids", format!("is at most {IDS_MAX}"), given.len()).into());
    }
    let mut ids = Vec::with_capacity(given.len());
    let mut wrong = Violations::default();
    for (index, id) in given.iter().enumerate() {
        match id.parse() {
            Ok(id) => ids.push(id),
            Err(violation) => wrong.push(named(&format!("ids[{index}]"), violation)),
        }
    }
    if wrong.is_empty() {
        Ok(ids)
    } else {
        Err(wrong.into())
    }
}

/// A text of a filter, and the field that it is given in.
struct Named<'a> {
    field: &'static str,
    text: &'a str,
}

impl Named<'_> {
    /// Reads it, unless it is empty; a mistake is added to `wrong`.
    fn read<T>(
        &self,
        new: impl Fn(&str) -> Result<T, Violation>,
        wrong: &mut Violations,
    ) -> Option<T> {
        if self.text.is_empty() {
            return None;
        }
        new(self.text)
            .map_err(|violation| wrong.push(named(self.field, violation)))
            .ok()
    }
}

/// The filter in types, with all its mistakes at once. Ages count back from Redis' clock (W10).
async fn filter(api: &ApiContext, given: v1::DeadFilter) -> Result<DeadFilter, Error> {
    let mut wrong = Violations::default();
    let group = Named {
        field: "filter.group",
        text: &given.group,
    };
    let group = group.read(|text| GroupName::new(text), &mut wrong);
    let handler = Named {
        field: "filter.handler",
        text: &given.handler,
    };
    let handler = handler.read(|text| HandlerName::new(text), &mut wrong);
    let job = Named {
        field: "filter.job",
        text: &given.job,
    };
    let job = job.read(|text| JobName::new(text), &mut wrong);
    let state = match state_from_wire(given.state) {
        Ok(None) => None,
        Ok(Some(StateWord::Failed)) => Some(EndState::Failed),
        Ok(Some(StateWord::TimedOut)) => Some(EndState::TimedOut),
        Ok(Some(StateWord::Expired)) => Some(EndState::Expired),
        Ok(Some(
            other @ (StateWord::Scheduled
            | StateWord::Queued
            | StateWord::Ready
            | StateWord::Running
            | StateWord::Fanned
            | StateWord::Retrying
            | StateWord::Succeeded
            | StateWord::Cancelled),
        )) => {
            let rule = "is failed, timed_out or expired";
            wrong.push(Violation::new("filter.state", rule, other));
            None
        }
        Err(violation) => {
            wrong.push(named("filter.state", violation));
            None
        }
    };
    if !wrong.is_empty() {
        return Err(wrong.into());
    }
    let (mut ended_before, mut ended_from) = (None, None);
    if given.older_than_ms.is_some() || given.newer_than_ms.is_some() {
        let now = api.store.time().await?.as_u64();
        let ago = |age: u64| TimestampMs::new(now.saturating_sub(age));
        ended_before = given.older_than_ms.map(ago);
        ended_from = given.newer_than_ms.map(ago);
    }
    Ok(DeadFilter {
        group,
        handler,
        job,
        state,
        error: given.error,
        ended_before,
        ended_from,
    })
}
