//! The subtasks of a split context, and how far they are.

use tickwheel_core::error::Violation;
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::v1;
use tickwheel_store::context::ContextView;
use tickwheel_store::fan::{FanView, SubtaskState, SubtaskView};

use super::given::{Count, context_id, named};
use crate::error::Error;
use crate::rpc::api::ApiContext;

const PAGE: Count = Count {
    default: 100,
    most: 1_000,
};
/// Calls for one page: states in which there are few subtasks are walked together.
const CALLS_MAX: u32 = 20;

pub(super) async fn list(
    api: &ApiContext,
    request: v1::ListSubtasksRequest,
) -> Result<v1::ListSubtasksResponse, Error> {
    let root = context_id(&request.context_id)?;
    let limit = PAGE.read("limit", request.limit)?;
    let states = states(&request.state)?;
    let (mut state, mut position) = start(&states, &request.page_token)?;
    let mut response = v1::ListSubtasksResponse::default();
    for _ in 0..CALLS_MAX {
        let missing = limit.saturating_sub(u32::try_from(response.subtasks.len()).unwrap_or(limit));
        let page = api
            .store
            .list_subtasks(&root, state, (&position, missing))
            .await?;
        let Some((fan, page)) = page else {
            return Err(Error::not_found(
                "split context with subtasks",
                root.as_str(),
            ));
        };
        response
            .subtasks
            .extend(page.items.into_iter().map(subtask));
        response.unreadable += page.unreadable;
        response.fan = Some(progress(fan));
        if page.next.is_empty() {
            let following = states.iter().skip_while(|one| **one != state).nth(1);
            let Some(following) = following else {
                return Ok(response);
            };
            (state, position) = (*following, String::new());
        } else {
            position = page.next;
        }
        response.next_page_token = format!("{}/{position}", state.as_str());
        if response.subtasks.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
            break;
        }
    }
    Ok(response)
}

/// The states that are listed, one after the other.
fn states(word: &str) -> Result<Vec<SubtaskState>, Error> {
    if word.is_empty() {
        return Ok(SubtaskState::ALL.to_vec());
    }
    let known = SubtaskState::ALL
        .into_iter()
        .find(|state| state.as_str() == word);
    match known {
        Some(state) => Ok(vec![state]),
        None => {
            let rule = "is waiting, running, retrying, failed or succeeded";
            Err(Violation::new("state", rule, word).into())
        }
    }
}

/// The state and the position in it where a page begins.
fn start(states: &[SubtaskState], token: &str) -> Result<(SubtaskState, String), Error> {
    let refused = || {
        named(
            "page_token",
            Violation::new("", "is of an earlier page of the same list", token),
        )
    };
    let first = states.first().copied().ok_or_else(refused)?;
    if token.is_empty() {
        return Ok((first, String::new()));
    }
    let (word, position) = token.split_once('/').ok_or_else(refused)?;
    let state = states.iter().find(|state| state.as_str() == word);
    let plain = position
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b':');
    match state {
        Some(state) if plain => Ok((*state, position.to_owned())),
        _ => Err(refused().into()),
    }
}

fn subtask(view: SubtaskView) -> v1::SubtaskView {
    v1::SubtaskView {
        id: view.id.into(),
        state: view.state.as_str().to_owned(),
        handler: view.handler,
        attempt: view.attempt.as_u32(),
        failures: view.failures,
        worker: view.worker.map(String::from).unwrap_or_default(),
        error: view.error,
        body: view.body,
        claimed_ms: view.claimed.map_or(0, TimestampMs::as_u64),
        ended_ms: view.ended.map_or(0, TimestampMs::as_u64),
        result_bytes: view.result_bytes,
    }
}

fn progress(fan: FanView) -> v1::FanProgress {
    v1::FanProgress {
        total: fan.total,
        succeeded: fan.succeeded,
        failed: fan.failed,
        running: fan.running,
        waiting: fan.waiting(),
        open: fan.state == "open",
        ended: fan.has_ended(),
        eta_ms: fan.eta_ms(),
        model: fan.model,
        reduce: fan.reduce,
    }
}

/// How far the subtasks of a context are, or were when it ended; `None` of one that was not split.
pub(super) async fn of(
    api: &ApiContext,
    view: &ContextView,
) -> Result<Option<v1::FanProgress>, Error> {
    if view.id.subtask().is_some() {
        return Ok(None);
    }
    let fan = api.store.fan_view(&view.id).await?;
    Ok(fan.map(progress))
}
