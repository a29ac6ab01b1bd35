//! What is asked about what is to come.

use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::{GroupName, HandlerName};
use tickwheel_core::shape::{
    List, Maybe, Name, Record, SPAN, TEXT, Visitor, WHEN, Words, optional, place,
};
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::v1;

use super::asked::Asked;
use super::forms::{LOOK, LOOK_ABOUT, Number};
use super::record;
use crate::answers::upcoming_word;

/// Widths that there are, ms.
const WIDTHS: [u64; 6] = [1_000, 10_000, 60_000, 600_000, 3_600_000, 86_400_000];
/// Buckets of time.
const BUCKETS: Number = Number { least: 1, most: 60 };

/// How finely is counted, and how far.
pub(crate) struct WheelQuery {
    width: Option<u64>,
    buckets: u32,
}

impl Record for WheelQuery {
    fn blank() -> Self {
        Self {
            width: None,
            buckets: BUCKETS.most,
        }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        let about = "The width of a span of time: 1s, 10s, 1m, 10m, 1h or 1d; without it 1s.";
        visit.field(optional("width", about), Maybe(SPAN), place!(Self: width));
        let about = "How many spans of time.";
        visit.field(optional("buckets", about), BUCKETS, place!(Self: buckets));
    }

    fn check(&self) -> Violations {
        match self.width.filter(|width| !WIDTHS.contains(width)) {
            None => Violations::new(),
            Some(width) => {
                let rule = "is 1s, 10s, 1m, 10m, 1h or 1d";
                Violation::new("width", rule, format_args!("{width} ms")).into()
            }
        }
    }
}

/// How much is due when.
///
/// # Errors
/// Everything that is wrong with the parameters.
pub fn get_wheel(asked: &Asked<'_>) -> Result<v1::GetWheelRequest, Violations> {
    let query: WheelQuery = record::of_query(asked.query, &[])?;
    Ok(v1::GetWheelRequest {
        width_ms: query.width.unwrap_or_default(),
        buckets: query.buckets,
    })
}

const PAGE: Number = Number {
    least: 1,
    most: 1_000,
};
/// What a caller of gRPC says by 0.
const PAGE_DEFAULT: u32 = 100;

const KINDS: &[v1::UpcomingKind] = &[
    v1::UpcomingKind::Run,
    v1::UpcomingKind::Retry,
    v1::UpcomingKind::Job,
    v1::UpcomingKind::Deadline,
];

/// What is listed of what comes.
pub(crate) struct UpcomingQuery {
    kinds: Vec<v1::UpcomingKind>,
    prefix: String,
    group: Option<GroupName>,
    handler: Option<HandlerName>,
    until: Option<TimestampMs>,
    page_size: u32,
    max_look: Option<u32>,
    cursor: String,
}

impl Record for UpcomingQuery {
    fn blank() -> Self {
        Self {
            kinds: Vec::new(),
            prefix: String::new(),
            group: None,
            handler: None,
            until: None,
            page_size: PAGE_DEFAULT,
            max_look: None,
            cursor: String::new(),
        }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        let words = Words {
            all: KINDS,
            word: upcoming_word,
        };
        let kinds = List {
            form: words,
            rule: "is given at most 4 times",
            least: 0,
            most: KINDS.len(),
        };
        let about = "Only these; may be given more than once.";
        visit.field(optional("kind", about), kinds, place!(Self: kinds));
        let about = "Only what belongs to a job whose name starts with this; payments/ is a namespace, and has also its runs without a job.";
        visit.field(optional("prefix", about), TEXT, place!(Self: prefix));
        let about = "Only what is for this group.";
        visit.field(optional("group", about), Maybe(Name), place!(Self: group));
        let about = "Only what is for this handler.";
        let handler = place!(Self: handler);
        visit.field(optional("handler", about), Maybe(Name), handler);
        let about = "Only what comes before this instant: RFC 3339, or milliseconds since 1970.";
        visit.field(optional("until", about), Maybe(WHEN), place!(Self: until));
        let about = "At most so many.";
        visit.field(optional("page_size", about), PAGE, place!(Self: page_size));
        let look = place!(Self: max_look);
        visit.field(optional("max_look", LOOK_ABOUT), Maybe(LOOK), look);
        let about = "The `next_cursor` of the page before.";
        visit.field(optional("cursor", about), TEXT, place!(Self: cursor));
    }
}

/// A page of what comes next.
///
/// # Errors
/// Everything that is wrong with the parameters.
pub fn list_upcoming(asked: &Asked<'_>) -> Result<v1::ListUpcomingRequest, Violations> {
    let query: UpcomingQuery = record::of_query(asked.query, &["kind"])?;
    let name = |name: Option<String>| name.unwrap_or_default();
    Ok(v1::ListUpcomingRequest {
        kinds: query.kinds.into_iter().map(i32::from).collect(),
        prefix: query.prefix,
        group: name(query.group.map(String::from)),
        handler: name(query.handler.map(String::from)),
        until_ms: query.until.map(TimestampMs::as_u64),
        page_size: query.page_size,
        cursor: query.cursor,
        max_look: query.max_look.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &'static str) -> Asked<'static> {
        Asked {
            name: "",
            query,
            body: b"",
        }
    }

    #[test]
    fn a_ring_is_asked_for_by_its_width() {
        let wheel = get_wheel(&asked("width=10m&buckets=6")).unwrap();
        assert_eq!((wheel.width_ms, wheel.buckets), (600_000, 6));
        let wheel = get_wheel(&asked("")).unwrap();
        assert_eq!((wheel.width_ms, wheel.buckets), (0, 60));
        let wrong = get_wheel(&asked("width=x&buckets=0&kind=job")).unwrap_err();
        assert_eq!(wrong.len(), 3, "{wrong}");
        let wrong = get_wheel(&asked("width=2h")).unwrap_err();
        assert!(wrong.iter().all(|one| one.field == "width"), "{wrong}");
        assert_eq!(wrong.len(), 1);
    }

    #[test]
    fn what_comes_is_chosen_by_words_and_names() {
        let request = list_upcoming(&asked(
            "kind=job&kind=retry&prefix=billing%2F&group=g&until=1970-01-01T00:00:05Z&page_size=3&cursor=c",
        ));
        let request = request.unwrap();
        let kinds = [v1::UpcomingKind::Job, v1::UpcomingKind::Retry];
        assert_eq!(request.kinds, kinds.map(i32::from));
        assert_eq!(
            (request.prefix.as_str(), request.until_ms),
            ("billing/", Some(5_000))
        );
        assert_eq!((request.page_size, request.max_look), (3, 0));
        let wrong = list_upcoming(&asked("kind=unknown&page_size=0&group=%7B&job=x"));
        assert_eq!(wrong.unwrap_err().len(), 4);
    }
}
