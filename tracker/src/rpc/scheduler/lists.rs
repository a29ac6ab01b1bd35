//! What lists of runs and of the dead have in common: what callers choose by, and what an answer says of itself.

use tickwheel_core::access::Permission;
use tickwheel_core::bounds::{INSTANT_MS_MAX, SEARCH_BYTES_MAX};
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::{GroupName, HandlerName, JobName, WorkerId};
use tickwheel_core::run::ContextState;
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::convert::state_from_wire;
use tickwheel_proto::v1;
use tickwheel_store::context::{
    ContextFilter, ContextList, Horizon, LOOK_MAX, ListOrder, Looked, PageBounds,
};

use super::call::Call;
use super::given::{Count, context_id, named};
use super::views;
use crate::error::Error;

const PAGE: Count = Count {
    default: 100,
    most: 1_000,
};
const LOOK: Count = Count {
    default: LOOK_MAX,
    most: LOOK_MAX,
};

/// The bounds of a page as given.
pub(super) fn bounds(page_size: u32, max_look: u32) -> Result<PageBounds, Error> {
    Ok(PageBounds {
        items: PAGE.read("page_size", page_size)?,
        look: LOOK.read("max_look", max_look)?,
    })
}

/// Fields of a filter as they are read, with all their mistakes.
#[derive(Debug)]
pub(super) struct Given {
    /// What stands before the names of fields.
    path: &'static str,
    pub(super) wrong: Violations,
}

impl Given {
    pub(super) fn new(path: &'static str) -> Self {
        Self {
            path,
            wrong: Violations::default(),
        }
    }

    fn field(&self, field: &str) -> String {
        format!("{}{field}", self.path)
    }

    /// A name, unless it is empty.
    pub(super) fn name<T>(
        &mut self,
        field: &str,
        text: &str,
        new: impl Fn(&str) -> Result<T, Violation>,
    ) -> Option<T> {
        if text.is_empty() {
            return None;
        }
        let field = self.field(field);
        new(text)
            .map_err(|violation| self.wrong.push(named(&field, violation)))
            .ok()
    }

    /// A job's name.
    pub(super) fn job(&mut self, text: &str) -> Option<JobName> {
        let rule = |_| Violation::new("job", "is a job's name", text);
        self.name("job", text, |text| JobName::new(text).map_err(rule))
    }

    /// A text that is looked for.
    pub(super) fn search(&mut self, field: &str, text: &str) -> String {
        if text.len() > SEARCH_BYTES_MAX {
            let rule = format!("has at most {SEARCH_BYTES_MAX} bytes");
            let field = self.field(field);
            self.wrong.push(Violation::new(field, rule, text.len()));
        }
        text.to_owned()
    }

    /// From when to when: none of both is beyond the year 2527, and `to` is later.
    pub(super) fn times(
        &mut self,
        what: &str,
        from: Option<u64>,
        to: Option<u64>,
    ) -> (Option<TimestampMs>, Option<TimestampMs>) {
        for (end, given) in [("from", from), ("to", to)] {
            if let Some(given) = given.filter(|given| *given > INSTANT_MS_MAX) {
                let field = self.field(&format!("{what}_{end}_ms"));
                let rule = format!("is at most {INSTANT_MS_MAX}");
                self.wrong.push(Violation::new(field, rule, given));
            }
        }
        if let (Some(from), Some(to)) = (from, to)
            && from >= to
        {
            let field = self.field(&format!("{what}_to_ms"));
            let rule = format!("is later than {what}_from_ms");
            self.wrong.push(Violation::new(field, rule, to));
        }
        (from.map(TimestampMs::new), to.map(TimestampMs::new))
    }

    fn state(&mut self, field: &str, number: i32) -> Option<ContextState> {
        let field = self.field(field);
        state_from_wire(number)
            .map_err(|violation| self.wrong.push(named(&field, violation)))
            .ok()
            .flatten()
    }

    fn states(&mut self, request: &v1::ListContextsRequest) -> Vec<ContextState> {
        let one = self.state("state", request.state);
        let mut states: Vec<ContextState> = one.into_iter().collect();
        for (place, number) in request.states.iter().enumerate() {
            let field = format!("states[{place}]");
            match self.state(&field, *number) {
                Some(state) if !states.contains(&state) => states.push(state),
                Some(_) => {}
                None if *number == 0 => {
                    let rule = "names a state";
                    let field = self.field(&field);
                    self.wrong.push(Violation::new(field, rule, ""));
                }
                None => {}
            }
        }
        states
    }

    fn order(&mut self, number: i32, states: &[ContextState]) -> Option<ListOrder> {
        let order = match v1::ListOrder::try_from(number) {
            Ok(v1::ListOrder::Unspecified) => return None,
            Ok(v1::ListOrder::Ended) => ListOrder::Ended,
            Ok(v1::ListOrder::Due) => ListOrder::Due,
            Err(_) => {
                let field = self.field("order");
                self.wrong
                    .push(Violation::new(field, "is ended or due", number));
                return None;
            }
        };
        let fits = |state: &ContextState| state.is_settled() == (order == ListOrder::Ended);
        if !states.is_empty() && !states.iter().any(fits) {
            let field = self.field("order");
            let rule = "fits the states: `ended` what has ended, `due` what has not";
            let words: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
            self.wrong
                .push(Violation::new(field, rule, words.join(", ")));
        }
        Some(order)
    }
}

/// Refuses to look for parts of errors for who may not see them: whoever may ask for parts learns all of it.
pub(super) fn may_search(call: &Call<'_>, field: &str, error: &str) -> Result<(), Error> {
    if error.is_empty() || call.caller.may(Permission::ReadPayload) {
        return Ok(());
    }
    let rule = "is empty, unless your token has the permission read_payload";
    Err(Error::Denied(Violation::new(field, rule, "").into()))
}

/// What a request for runs chooses.
fn filter(request: &v1::ListContextsRequest) -> Result<ContextFilter, Error> {
    let mut given = Given::new("");
    let states = given.states(request);
    let order = given.order(request.order, &states);
    let (due_from, due_to) = given.times("due", request.due_from_ms, request.due_to_ms);
    let (ended_from, ended_to) = given.times("ended", request.ended_from_ms, request.ended_to_ms);
    let filter = ContextFilter {
        job: given.job(&request.job),
        group: given.name("group", &request.group, |text| GroupName::new(text)),
        handler: given.name("handler", &request.handler, |text| HandlerName::new(text)),
        worker: given.name("worker", &request.worker, |text| WorkerId::new(text)),
        error: given.search("error", &request.error),
        states,
        due_from,
        due_to,
        ended_from,
        ended_to,
        order,
        sight: None,
    };
    if given.wrong.is_empty() {
        Ok(filter)
    } else {
        Err(given.wrong.into())
    }
}

/// A page of runs.
pub(super) async fn contexts(
    call: &Call<'_>,
    request: v1::ListContextsRequest,
) -> Result<v1::ListContextsResponse, Error> {
    let bounds = bounds(request.page_size, request.max_look)?;
    may_search(call, "error", &request.error)?;
    let filter = ContextFilter {
        sight: call.limited_sight(),
        ..filter(&request)?
    };
    let page = if request.id.is_empty() {
        call.store
            .list_contexts(&filter, &request.cursor, bounds)
            .await?
    } else {
        if !request.cursor.is_empty() {
            return Err(Violation::new("cursor", "is empty with an id", &request.cursor).into());
        }
        one(call, &filter, &request.id).await?
    };
    call.matching.learn(&page.items).await;
    Ok(v1::ListContextsResponse {
        contexts: page
            .items
            .into_iter()
            .map(|view| views::context(call, view))
            .collect(),
        next_cursor: page.next,
        unreadable: page.unreadable,
        looked: Some(looked(call, page.looked)),
        horizon: page.horizon.map(horizon),
    })
}

/// The context of this id, if the filter chooses it.
async fn one(call: &Call<'_>, filter: &ContextFilter, id: &str) -> Result<ContextList, Error> {
    let view = call.store.get_context(&context_id(id)?).await?;
    let looked = Looked { entries: 1, of: 1 };
    Ok(ContextList {
        items: view
            .into_iter()
            .filter(|view| filter.chooses(view))
            .collect(),
        looked,
        ..ContextList::default()
    })
}

/// How many there are in all counts those of everybody, and is told only to who sees everything.
pub(super) fn looked(call: &Call<'_>, looked: Looked) -> v1::Looked {
    let of = match call.caller.sight().is_everything() {
        true => looked.of.max(looked.entries),
        false => looked.entries,
    };
    v1::Looked {
        entries: looked.entries,
        of,
    }
}

pub(super) fn horizon(horizon: Horizon) -> v1::Horizon {
    v1::Horizon {
        complete_since_ms: horizon.complete_since.as_u64(),
        reason: horizon.reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(request: &v1::ListContextsRequest) -> Vec<String> {
        match filter(request) {
            Err(Error::Store(tickwheel_store::Error::Invalid(wrong))) => {
                wrong.iter().map(|one| one.field.clone()).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let request = v1::ListContextsRequest {
            states: vec![5, 0, 99],
            job: "no job".to_owned(),
            group: "no group".to_owned(),
            handler: "no handler".to_owned(),
            worker: "no worker".to_owned(),
            error: "x".repeat(1_025),
            due_from_ms: Some(5),
            due_to_ms: Some(5),
            ended_to_ms: Some(u64::MAX),
            order: 7,
            ..v1::ListContextsRequest::default()
        };
        let mut found = fields(&request);
        found.sort();
        let expected = [
            "due_to_ms",
            "ended_to_ms",
            "error",
            "group",
            "handler",
            "job",
            "order",
            "states[1]",
            "states[2]",
            "worker",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn an_order_fits_its_states() {
        let request = |state: v1::ContextState, order: v1::ListOrder| v1::ListContextsRequest {
            state: state.into(),
            order: order.into(),
            ..v1::ListContextsRequest::default()
        };
        let wrong = request(v1::ContextState::Running, v1::ListOrder::Ended);
        assert_eq!(fields(&wrong), ["order"]);
        let wrong = request(v1::ContextState::Failed, v1::ListOrder::Due);
        assert_eq!(fields(&wrong), ["order"]);
        let good = request(v1::ContextState::Failed, v1::ListOrder::Ended);
        let good = filter(&good).unwrap();
        assert_eq!(good.states, [ContextState::Failed]);
        let twice = v1::ListContextsRequest {
            states: vec![v1::ContextState::Failed.into()],
            ..request(v1::ContextState::Failed, v1::ListOrder::Unspecified)
        };
        assert_eq!(filter(&twice).unwrap().states, [ContextState::Failed]);
    }
}
