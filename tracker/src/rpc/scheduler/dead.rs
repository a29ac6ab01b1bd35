//! Contexts that ended without success: listed, run again, forgotten.

use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::{ContextId, GroupName, HandlerName, JobName, WorkerId};
use tickwheel_core::run::ContextState;
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::convert::state_from_wire;
use tickwheel_proto::v1;
use tickwheel_store::dead::{DeadAction, DeadCounts, DeadFilter};
use tickwheel_store::record::EndState;

use super::call::Call;
use super::given::named;
use super::lists::{self, Given};
use super::views;
use crate::error::Error;

const IDS_MAX: usize = 1_000;

pub(super) async fn list(
    call: &Call<'_>,
    request: v1::ListDeadRequest,
) -> Result<v1::ListDeadResponse, Error> {
    let bounds = lists::bounds(request.page_size, request.max_look)?;
    let filter = filter(call, request.filter.unwrap_or_default()).await?;
    let store = &call.store;
    let page = store.list_dead(&filter, &request.cursor, bounds).await?;
    // They count those of everybody.
    let counts = match call.caller.sight().is_everything() {
        true => store.dead_counts().await?,
        false => DeadCounts::default(),
    };
    Ok(v1::ListDeadResponse {
        contexts: page
            .items
            .into_iter()
            .map(|view| views::context(call, view))
            .collect(),
        next_cursor: page.next,
        unreadable: page.unreadable,
        kept: counts.kept,
        dropped: counts.dropped,
        looked: Some(lists::looked(call, page.looked)),
        horizon: page.horizon.map(lists::horizon),
    })
}

pub(super) async fn requeue(
    call: &Call<'_>,
    request: v1::ChangeDeadRequest,
) -> Result<v1::ChangeDeadResponse, Error> {
    change(call, DeadAction::Requeue, request).await
}

pub(super) async fn purge(
    call: &Call<'_>,
    request: v1::ChangeDeadRequest,
) -> Result<v1::ChangeDeadResponse, Error> {
    change(call, DeadAction::Purge, request).await
}

async fn change(
    call: &Call<'_>,
    action: DeadAction,
    request: v1::ChangeDeadRequest,
) -> Result<v1::ChangeDeadResponse, Error> {
    let filter = filter(call, request.filter.unwrap_or_default()).await?;
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
    let store = &call.store;
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

/// The filter in types, with all its mistakes at once. Ages count back from Redis' clock (W10).
async fn filter(call: &Call<'_>, given: v1::DeadFilter) -> Result<DeadFilter, Error> {
    lists::may_search(call, "filter.error", &given.error)?;
    let mut read = Given::new("filter.");
    let group = read.name("group", &given.group, |text| GroupName::new(text));
    let handler = read.name("handler", &given.handler, |text| HandlerName::new(text));
    let job = read.name("job", &given.job, |text| JobName::new(text));
    let worker = read.name("worker", &given.worker, |text| WorkerId::new(text));
    let error = read.search("error", &given.error);
    let (due_from, due_to) = read.times("due", given.due_from_ms, given.due_to_ms);
    let (from, to) = read.times("ended", given.ended_from_ms, given.ended_to_ms);
    let mut wrong = read.wrong;
    let state = match state_from_wire(given.state) {
        Ok(None) => None,
        Ok(Some(ContextState::Failed)) => Some(EndState::Failed),
        Ok(Some(ContextState::TimedOut)) => Some(EndState::TimedOut),
        Ok(Some(ContextState::Expired)) => Some(EndState::Expired),
        Ok(Some(
            other @ (ContextState::Scheduled
            | ContextState::Queued
            | ContextState::Ready
            | ContextState::Running
            | ContextState::WaitingForSubtasks
            | ContextState::Retrying
            | ContextState::Succeeded
            | ContextState::Cancelled),
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
    let (mut ended_before, mut ended_from) = (to, from);
    if given.older_than_ms.is_some() || given.newer_than_ms.is_some() {
        let now = call.store.time().await?.as_u64();
        let ago = |age: u64| TimestampMs::new(now.saturating_sub(age));
        let before = given.older_than_ms.map(ago);
        ended_before = before.into_iter().chain(ended_before).min();
        ended_from = ended_from.max(given.newer_than_ms.map(ago));
    }
    Ok(DeadFilter {
        group,
        handler,
        job,
        state,
        worker,
        error,
        due_from,
        due_to,
        ended_before,
        ended_from,
        sight: call.limited_sight(),
    })
}
