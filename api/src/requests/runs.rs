//! What is asked about runs.

use std::time::Duration;

use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::{GroupName, HandlerName, JobName, Namespace};
use tickwheel_core::run::ContextState;
use tickwheel_core::shape::{
    List, Maybe, Name, Parsed, Record, SPAN, TEXT, Visitor, Words, needed, optional, place,
};
use tickwheel_proto::convert::state_to_wire;
use tickwheel_proto::v1;

use super::asked::Asked;
use super::between::{Between, DUE, ENDED};
use super::forms::{LOOK, LOOK_ABOUT, Number};
use super::record;

const PAGE: Number = Number {
    least: 1,
    most: 1_000,
};
/// What a caller of gRPC says by 0.
const PAGE_DEFAULT: u32 = 100;
/// How long a request waits for the end of a run at most: it has its answer before anybody between gives it up.
pub const WAIT_MAX: Duration = Duration::from_secs(15);
const WAIT_DEFAULT_MS: u64 = 10_000;

/// Which runs are listed.
pub(crate) struct RunsQuery {
    states: Vec<ContextState>,
    job: Option<JobName>,
    group: Option<GroupName>,
    handler: Option<HandlerName>,
    worker: String,
    error: String,
    due: Between,
    ended: Between,
    order: Option<&'static str>,
    id: String,
    page_size: u32,
    max_look: Option<u32>,
    cursor: String,
}

/// Which side of the end is listed.
const ORDERS: &[&str] = &["ended", "due"];

impl Record for RunsQuery {
    fn blank() -> Self {
        Self {
            states: Vec::new(),
            job: None,
            group: None,
            handler: None,
            worker: String::new(),
            error: String::new(),
            due: Between::default(),
            ended: Between::default(),
            order: None,
            id: String::new(),
            page_size: PAGE_DEFAULT,
            max_look: None,
            cursor: String::new(),
        }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        let words = Words {
            all: ContextState::ALL,
            word: ContextState::as_str,
        };
        let states = List {
            form: words,
            rule: "is given at most 11 times",
            least: 0,
            most: ContextState::ALL.len(),
        };
        let orders = Words {
            all: ORDERS,
            word: |order| order,
        };
        let about = "Only those in this state; may be given more than once.";
        visit.field(optional("state", about), states, place!(Self: states));
        let about = "Only those of this job.";
        visit.field(optional("job", about), Maybe(Name), place!(Self: job));
        let about = "Only those of this group.";
        visit.field(optional("group", about), Maybe(Name), place!(Self: group));
        let about = "Only those of this handler.";
        let handler = place!(Self: handler);
        visit.field(optional("handler", about), Maybe(Name), handler);
        let about = "Only those that this worker runs, or ran last.";
        visit.field(optional("worker", about), TEXT, place!(Self: worker));
        let about = "Only those whose message has this in it, in any case of letters.";
        visit.field(optional("error", about), TEXT, place!(Self: error));
        DUE.fields(visit, place!(Self: due));
        ENDED.fields(visit, place!(Self: ended));
        let about = "`ended`: only what has ended, the newest end first; `due`: only what has not; else what has not, and behind it what has.";
        let order = place!(Self: order);
        visit.field(optional("order", about), Maybe(orders), order);
        let about = "Only this one, if the rest holds for it as well.";
        visit.field(optional("id", about), TEXT, place!(Self: id));
        let about = "At most so many.";
        visit.field(optional("page_size", about), PAGE, place!(Self: page_size));
        let max_look = place!(Self: max_look);
        visit.field(optional("max_look", LOOK_ABOUT), Maybe(LOOK), max_look);
        let about = "The `next_cursor` of the page before.";
        visit.field(optional("cursor", about), TEXT, place!(Self: cursor));
    }
}

/// A page of runs.
///
/// # Errors
/// Everything that is wrong with the parameters.
pub fn list_runs(asked: &Asked<'_>) -> Result<v1::ListContextsRequest, Violations> {
    let query: RunsQuery = record::of_query(asked.query, &["state"])?;
    let order = match query.order {
        Some("ended") => v1::ListOrder::Ended,
        Some(_) => v1::ListOrder::Due,
        None => v1::ListOrder::Unspecified,
    };
    Ok(v1::ListContextsRequest {
        state: 0,
        states: query
            .states
            .into_iter()
            .map(|state| state_to_wire(state).into())
            .collect(),
        job: query.job.map(String::from).unwrap_or_default(),
        group: query.group.map(String::from).unwrap_or_default(),
        handler: query.handler.map(String::from).unwrap_or_default(),
        worker: query.worker,
        error: query.error,
        due_from_ms: query.due.start_ms(),
        due_to_ms: query.due.end_ms(),
        ended_from_ms: query.ended.start_ms(),
        ended_to_ms: query.ended.end_ms(),
        order: order.into(),
        id: query.id,
        page_size: query.page_size,
        max_look: query.max_look.unwrap_or_default(),
        cursor: query.cursor,
    })
}

/// A run by its id.
///
/// # Errors
/// When there are parameters.
pub fn named_run(asked: &Asked<'_>) -> Result<v1::ContextRef, Violations> {
    let record::Nothing = record::of_query(asked.query, &[])?;
    Ok(v1::ContextRef {
        id: asked.name.to_owned(),
    })
}

/// Whose key is looked for.
pub(crate) struct FindQuery {
    dedup_key: String,
    job: Option<JobName>,
    namespace: Option<Namespace>,
}

impl Record for FindQuery {
    fn blank() -> Self {
        Self {
            dedup_key: String::new(),
            job: None,
            namespace: None,
        }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        visit.field(
            needed("dedup_key", "The key that it was submitted with."),
            TEXT,
            place!(Self: dedup_key),
        );
        visit.field(
            optional("job", "The job whose run was asked for with the key."),
            Maybe(Name),
            place!(Self: job),
        );
        visit.field(
            optional(
                "namespace",
                "Without a job, the namespace it was submitted into.",
            ),
            Maybe(Parsed { pattern: "" }),
            place!(Self: namespace),
        );
    }
}

/// The run that a key stands for.
///
/// # Errors
/// Everything that is wrong with the parameters.
pub fn find_run(asked: &Asked<'_>) -> Result<v1::FindContextRequest, Violations> {
    let query: FindQuery = record::of_query(asked.query, &[])?;
    Ok(v1::FindContextRequest {
        dedup_key: query.dedup_key,
        job: query.job.map(String::from).unwrap_or_default(),
        namespace: query.namespace.map(String::from).unwrap_or_default(),
    })
}

/// Where a page of a log begins.
pub(crate) struct LogQuery {
    cursor: String,
}

impl Record for LogQuery {
    fn blank() -> Self {
        let cursor = String::new();
        Self { cursor }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        let about =
            "The `next_cursor` of an earlier page; without it from the oldest line that is kept.";
        visit.field(optional("cursor", about), TEXT, place!(Self: cursor));
    }
}

/// A page of a run's log.
///
/// # Errors
/// Everything that is wrong with the parameters.
pub fn get_log(asked: &Asked<'_>) -> Result<v1::GetLogRequest, Violations> {
    let query: LogQuery = record::of_query(asked.query, &[])?;
    Ok(v1::GetLogRequest {
        context_id: asked.name.to_owned(),
        cursor: query.cursor,
    })
}

/// The states of a subtask.
const SUBTASK_STATES: &[&str] = &["waiting", "running", "retrying", "failed", "succeeded"];

/// Which subtasks are listed.
pub(crate) struct SubtasksQuery {
    state: Option<&'static str>,
    page_size: u32,
    cursor: String,
}

impl Record for SubtasksQuery {
    fn blank() -> Self {
        Self {
            state: None,
            page_size: PAGE_DEFAULT,
            cursor: String::new(),
        }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        let words = Words {
            all: SUBTASK_STATES,
            word: |state| state,
        };
        visit.field(
            optional("state", "Only those in this state."),
            Maybe(words),
            place!(Self: state),
        );
        visit.field(
            optional("page_size", "At most so many."),
            PAGE,
            place!(Self: page_size),
        );
        visit.field(
            optional("cursor", "The `next_cursor` of the page before."),
            TEXT,
            place!(Self: cursor),
        );
    }
}

/// A page of a run's subtasks.
///
/// # Errors
/// Everything that is wrong with the parameters.
pub fn list_subtasks(asked: &Asked<'_>) -> Result<v1::ListSubtasksRequest, Violations> {
    let query: SubtasksQuery = record::of_query(asked.query, &[])?;
    Ok(v1::ListSubtasksRequest {
        context_id: asked.name.to_owned(),
        state: query.state.unwrap_or_default().to_owned(),
        limit: query.page_size,
        page_token: query.cursor,
    })
}

/// How long is waited.
pub(crate) struct WaitQuery {
    timeout_ms: u64,
}

impl Record for WaitQuery {
    fn blank() -> Self {
        Self {
            timeout_ms: WAIT_DEFAULT_MS,
        }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        let about = "How long at most, up to 15s; then the run is answered as it is.";
        visit.field(optional("timeout", about), SPAN, place!(Self: timeout_ms));
    }

    fn check(&self) -> Violations {
        let most = u64::try_from(WAIT_MAX.as_millis()).unwrap_or(u64::MAX);
        if (1..=most).contains(&self.timeout_ms) {
            return Violations::new();
        }
        let given = format_args!("{} ms", self.timeout_ms).to_string();
        Violation::new(
            "timeout",
            format!("is 1ms..={}s", WAIT_MAX.as_secs()),
            given,
        )
        .into()
    }
}

/// The end of a run, waited for.
///
/// # Errors
/// Everything that is wrong with the parameters.
pub fn wait_run(asked: &Asked<'_>) -> Result<v1::WaitContextRequest, Violations> {
    let query: WaitQuery = record::of_query(asked.query, &[])?;
    Ok(v1::WaitContextRequest {
        id: asked.name.to_owned(),
        timeout_ms: query.timeout_ms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &'static str) -> Asked<'static> {
        Asked {
            name: "1.2.f@a/b",
            query,
            body: b"",
        }
    }

    #[test]
    fn lists_are_filtered_by_words_and_names() {
        let request = list_runs(&asked(
            "state=timed_out&state=failed&job=x&group=g&page_size=3&cursor=c&order=ended\
             &ended_from=2026-01-01T00%3A00%3A00Z&due_to=1767225600000",
        ));
        let request = request.unwrap();
        let states = [v1::ContextState::TimedOut, v1::ContextState::Failed];
        assert_eq!(request.states, states.map(i32::from));
        assert_eq!(request.order(), v1::ListOrder::Ended);
        assert_eq!(request.ended_from_ms, Some(1_767_225_600_000));
        assert_eq!(request.due_to_ms, Some(1_767_225_600_000));
        assert_eq!((request.job.as_str(), request.page_size), ("default/x", 3));
        let wrong = list_runs(&asked("state=done&job=%7B&page_size=0&jobs=1")).unwrap_err();
        assert_eq!(wrong.len(), 4, "{wrong}");
        let subtasks = list_subtasks(&asked("state=waiting")).unwrap();
        assert_eq!(subtasks.state, "waiting");
        assert!(list_subtasks(&asked("state=ready")).is_err());
    }

    #[test]
    fn nobody_waits_longer_than_a_request_may() {
        assert_eq!(wait_run(&asked("")).unwrap().timeout_ms, 10_000);
        assert_eq!(wait_run(&asked("timeout=15s")).unwrap().timeout_ms, 15_000);
        for timeout in ["timeout=16s", "timeout=0", "timeout=5"] {
            assert!(wait_run(&asked(timeout)).is_err(), "{timeout}");
        }
    }

    #[test]
    fn a_key_is_looked_for() {
        let found = find_run(&asked("dedup_key=order%2F1&namespace=eu")).unwrap();
        assert_eq!(
            (found.dedup_key.as_str(), found.namespace.as_str()),
            ("order/1", "eu")
        );
        assert!(find_run(&asked("key=1")).is_err());
    }
}
