//! What is asked about runs that ended without success.

use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::{GroupName, HandlerName, JobName};
use tickwheel_core::run::ContextState;
use tickwheel_core::shape::{
    Fields, Found, List, Maybe, Name, Place, Record, SPAN, TEXT, Visitor, Words, optional, place,
};
use tickwheel_proto::convert::state_to_wire;
use tickwheel_proto::v1;

use super::asked::Asked;
use super::between::{Between, DUE, ENDED};
use super::forms::{Flag, LOOK, LOOK_ABOUT, Number};
use super::record;

const PAGE: Number = Number {
    least: 1,
    most: 1_000,
};
/// What a caller of gRPC says by 0.
const PAGE_DEFAULT: u32 = 100;
/// Ids of one request.
const IDS_MAX: usize = 1_000;

/// Which of them are meant; all that is given must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Filter {
    group: Option<GroupName>,
    handler: Option<HandlerName>,
    job: Option<JobName>,
    state: Option<ContextState>,
    worker: String,
    error: String,
    due: Between,
    ended: Between,
    older_than_ms: Option<u64>,
    newer_than_ms: Option<u64>,
}

fn filter<S: 'static>(visit: &mut impl Visitor<S>, of: impl Place<S, Filter>) {
    visit.field(
        optional("group", "Only those of this group."),
        Maybe(Name),
        of.at(place!(Filter: group)),
    );
    visit.field(
        optional("handler", "Only those of this handler."),
        Maybe(Name),
        of.at(place!(Filter: handler)),
    );
    visit.field(
        optional("job", "Only those of this job."),
        Maybe(Name),
        of.at(place!(Filter: job)),
    );
    visit.field(
        optional("state", "Only those that ended so."),
        Maybe(Words {
            all: &[
                ContextState::Failed,
                ContextState::TimedOut,
                ContextState::Expired,
            ],
            word: ContextState::as_str,
        }),
        of.at(place!(Filter: state)),
    );
    visit.field(
        optional("worker", "Only those that this worker ran last."),
        TEXT,
        of.at(place!(Filter: worker)),
    );
    DUE.fields(visit, of.at(place!(Filter: due)));
    ENDED.fields(visit, of.at(place!(Filter: ended)));
    visit.field(
        optional(
            "error",
            "Only those whose message has this in it, in any case of letters.",
        ),
        TEXT,
        of.at(place!(Filter: error)),
    );
    visit.field(
        optional("older_than", "Only those that ended at least so long ago."),
        Maybe(SPAN),
        of.at(place!(Filter: older_than_ms)),
    );
    visit.field(
        optional("newer_than", "Only those that ended less than so long ago."),
        Maybe(SPAN),
        of.at(place!(Filter: newer_than_ms)),
    );
}

impl Record for Filter {
    fn blank() -> Self {
        Self::default()
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        filter(visit, Found::new(|own| own, |own| own));
    }
}

impl Filter {
    fn into_wire(self) -> v1::DeadFilter {
        v1::DeadFilter {
            group: self.group.map(String::from).unwrap_or_default(),
            handler: self.handler.map(String::from).unwrap_or_default(),
            job: self.job.map(String::from).unwrap_or_default(),
            state: self.state.map_or(0, |state| state_to_wire(state).into()),
            worker: self.worker,
            error: self.error,
            due_from_ms: self.due.start_ms(),
            due_to_ms: self.due.end_ms(),
            ended_from_ms: self.ended.start_ms(),
            ended_to_ms: self.ended.end_ms(),
            older_than_ms: self.older_than_ms,
            newer_than_ms: self.newer_than_ms,
        }
    }
}

/// Which of them are listed.
pub(crate) struct DeadQuery {
    filter: Filter,
    page_size: u32,
    max_look: Option<u32>,
    cursor: String,
}

impl Record for DeadQuery {
    fn blank() -> Self {
        Self {
            filter: Filter::default(),
            page_size: PAGE_DEFAULT,
            max_look: None,
            cursor: String::new(),
        }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        filter(visit, place!(Self: filter));
        visit.field(
            optional("page_size", "At most so many."),
            PAGE,
            place!(Self: page_size),
        );
        let max_look = place!(Self: max_look);
        visit.field(optional("max_look", LOOK_ABOUT), Maybe(LOOK), max_look);
        visit.field(
            optional("cursor", "The `next_cursor` of the page before."),
            TEXT,
            place!(Self: cursor),
        );
    }
}

/// A page of the dead.
///
/// # Errors
/// Everything that is wrong with the parameters.
pub fn list_dead(asked: &Asked<'_>) -> Result<v1::ListDeadRequest, Violations> {
    let query: DeadQuery = record::of_query(asked.query, &[])?;
    Ok(v1::ListDeadRequest {
        filter: Some(query.filter.into_wire()),
        page_size: query.page_size,
        cursor: query.cursor,
        max_look: query.max_look.unwrap_or_default(),
    })
}

/// Which of them are changed: by a filter, by their ids, or all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    filter: Option<Filter>,
    ids: Vec<String>,
    all: bool,
    dry_run: bool,
    cursor: String,
}

impl Record for Change {
    fn blank() -> Self {
        Self::default()
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        visit.field(
            optional("filter", "Which; all that is given must hold."),
            Maybe(Fields::<Filter>::map()),
            place!(Self: filter),
        );
        visit.field(
            optional("ids", "These."),
            List {
                form: TEXT,
                rule: "is a list of 1..=1000 ids",
                least: 1,
                most: IDS_MAX,
            },
            place!(Self: ids),
        );
        visit.field(optional("all", "All of them."), Flag, place!(Self: all));
        visit.field(
            optional("dry_run", "Only counts."),
            Flag,
            place!(Self: dry_run),
        );
        visit.field(
            optional(
                "cursor",
                "The `next_cursor` of the answer before; not with ids.",
            ),
            TEXT,
            place!(Self: cursor),
        );
    }

    fn check(&self) -> Violations {
        let mut found = Violations::new();
        let filtered = self
            .filter
            .as_ref()
            .is_some_and(|own| *own != Filter::default());
        let given = [filtered, !self.ids.is_empty(), self.all];
        // Nothing is ever changed for want of a filter.
        if given.iter().filter(|given| **given).count() != 1 {
            let rule = "is given, or ids, or all: exactly one of them";
            found.push(Violation::new("filter", rule, ""));
        }
        if !self.ids.is_empty() && !self.cursor.is_empty() {
            found.push(Violation::new("cursor", "is empty with ids", &self.cursor));
        }
        found
    }
}

/// A step of a change of the dead.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn change_dead(asked: &Asked<'_>) -> Result<v1::ChangeDeadRequest, Violations> {
    let nothing = record::of_query::<record::Nothing>(asked.query, &[]);
    let change = record::of_json::<Change>(asked.body);
    let mut found = Violations::new();
    match (found.keep(nothing), found.keep(change)) {
        (Some(_), Some(change)) => Ok(v1::ChangeDeadRequest {
            filter: change.filter.map(Filter::into_wire),
            ids: change.ids,
            all: change.all,
            dry_run: change.dry_run,
            cursor: change.cursor,
        }),
        (None, _) | (_, None) => Err(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(body: &str) -> Result<v1::ChangeDeadRequest, String> {
        let asked = Asked {
            body: body.as_bytes(),
            ..Asked::default()
        };
        change_dead(&asked).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn it_is_said_which_are_meant() {
        let step =
            change(r#"{"filter": {"state": "timed_out", "older_than": "1h"}, "dry_run": true}"#);
        let step = step.unwrap();
        let filter = step.filter.unwrap();
        assert_eq!(filter.state(), v1::ContextState::TimedOut);
        assert_eq!(
            (filter.older_than_ms, step.dry_run),
            (Some(3_600_000), true)
        );
        assert!(change(r#"{"all": true}"#).unwrap().all);
        for body in [
            "",
            "{}",
            r#"{"filter": {}}"#,
            r#"{"all": true, "ids": ["1.2.f@a/b"]}"#,
        ] {
            let wrong = change(body).unwrap_err();
            assert!(wrong.contains("exactly one of them"), "{body}: {wrong}");
        }
        let wrong = change(r#"{"filter": {"state": "succeeded", "jbo": "x"}, "limit": 5}"#);
        assert_eq!(wrong.unwrap_err().lines().count(), 4);
    }

    #[test]
    fn a_list_has_the_same_filter() {
        let asked = Asked {
            query: "group=g&error=no+route&newer_than=10m&page_size=5",
            ..Asked::default()
        };
        let request = list_dead(&asked).unwrap();
        let filter = request.filter.unwrap();
        assert_eq!(
            (filter.group.as_str(), filter.error.as_str()),
            ("g", "no route")
        );
        assert_eq!(
            (filter.newer_than_ms, request.page_size),
            (Some(600_000), 5)
        );
    }
}
