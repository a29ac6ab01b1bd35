//! What is asked about what is going on now.

use tickwheel_core::error::Violations;
use tickwheel_core::id::{GroupName, JobName};
use tickwheel_core::run::ContextState;
use tickwheel_core::shape::{
    List, Maybe, Name, Record, TEXT, Visitor, Words, needed, optional, place,
};
use tickwheel_proto::convert::state_to_wire;
use tickwheel_proto::v1;

use super::asked::Asked;
use super::record;

/// Topics of one stream.
const TOPICS_MAX: usize = 16;
/// Where a browser that connects again says where it was.
pub const LAST_EVENT_ID: &str = "last-event-id";

/// What a stream tells.
pub(crate) struct StreamQuery {
    topics: Vec<String>,
    cursor: String,
    job: Option<JobName>,
    group: Option<GroupName>,
    states: Vec<ContextState>,
}

impl Record for StreamQuery {
    fn blank() -> Self {
        Self {
            topics: Vec::new(),
            cursor: String::new(),
            job: None,
            group: None,
            states: Vec::new(),
        }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        let topics = List {
            form: TEXT,
            rule: "is given 1 to 16 times",
            least: 1,
            most: TOPICS_MAX,
        };
        let about = "`now`: how the cluster is, each second; `runs`: runs that end; `log:<run id>`: what a run says. May be given more than once.";
        visit.field(needed("topic", about), topics, place!(Self: topics));
        let about = "The id of an event of the same topics: goes on behind it. `Last-Event-ID` is the same, and counts before this.";
        visit.field(optional("cursor", about), TEXT, place!(Self: cursor));
        let about = "Of `runs`: only those of this job.";
        visit.field(optional("job", about), Maybe(Name), place!(Self: job));
        let about = "Of `runs`: only those of this group.";
        visit.field(optional("group", about), Maybe(Name), place!(Self: group));
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
        let about = "Of `runs`: only those that ended so; may be given more than once.";
        visit.field(optional("state", about), states, place!(Self: states));
    }
}

/// A stream, which goes on behind `last` where that is said.
///
/// # Errors
/// Everything that is wrong with the parameters.
pub fn subscribe(
    asked: &Asked<'_>,
    last: Option<&str>,
) -> Result<v1::SubscribeRequest, Violations> {
    let query: StreamQuery = record::of_query(asked.query, &["topic", "state"])?;
    let cursor = last.map_or(query.cursor, str::to_owned);
    Ok(v1::SubscribeRequest {
        topics: query.topics,
        cursor,
        job: query.job.map(String::from).unwrap_or_default(),
        group: query.group.map(String::from).unwrap_or_default(),
        states: query
            .states
            .into_iter()
            .map(|state| state_to_wire(state).into())
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str, last: Option<&str>) -> Result<v1::SubscribeRequest, String> {
        let asked = Asked {
            query,
            ..Asked::default()
        };
        subscribe(&asked, last).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn topics_are_given_one_by_one_and_a_browser_says_where_it_was() {
        let query = "topic=now&topic=log%3A6.5.a%40billing%2Fnightly&state=failed&cursor=old";
        let request = read(query, Some("new")).unwrap();
        assert_eq!(request.topics, ["now", "log:6.5.a@billing/nightly"]);
        assert_eq!(request.states, [i32::from(v1::ContextState::Failed)]);
        assert_eq!(request.cursor, "new");
        assert_eq!(read(query, None).unwrap().cursor, "old");
        for wrong in ["", "topic=", "topic=now&state=well", "topics=now"] {
            let refused = read(wrong, None);
            assert!(
                refused.is_err() == (wrong != "topic="),
                "{wrong}: {refused:?}"
            );
        }
        assert!(read(&"topic=now&".repeat(17), None).is_err());
    }
}
