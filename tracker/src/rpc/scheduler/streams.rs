//! Streams of what is going on.

use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::{ContextId, GroupName, JobName};
use tickwheel_core::run::ContextState;
use tickwheel_proto::convert::state_from_wire;
use tickwheel_proto::v1;

use super::call::Call;
use super::given::named;
use crate::error::Error;
use crate::live::{Cursor, Filter, Subscription, TOPICS_MAX, Topic, Wish};

/// A stream of what is wished.
pub(super) async fn subscribe(
    call: &Call<'_>,
    request: v1::SubscribeRequest,
) -> Result<Subscription, Error> {
    let wish = wish(call, &request)?;
    for topic in &wish.topics {
        if let Topic::Log(run) = topic {
            is_there(call, run).await?;
        }
    }
    call.hub.subscribe(call.caller, wish).await
}

/// Refuses a run that is not there, as one that its caller does not see.
async fn is_there(call: &Call<'_>, run: &ContextId) -> Result<(), Error> {
    let known = call.store.get_context(run).await?;
    match known {
        Some(view) if view.is_in(call.caller.sight()) => Ok(()),
        Some(_) | None => Err(Error::not_found("context", run.as_str())),
    }
}

/// What is asked for, with all its mistakes.
fn wish(call: &Call<'_>, request: &v1::SubscribeRequest) -> Result<Wish, Error> {
    let mut wrong = Violations::new();
    if !(1..=TOPICS_MAX).contains(&request.topics.len()) {
        let rule = format!("has 1 to {TOPICS_MAX} topics");
        wrong.add("topics", rule, request.topics.len());
    }
    let mut topics: Vec<Topic> = Vec::new();
    for (at, text) in request.topics.iter().enumerate() {
        let field = format!("topics[{at}]");
        match text.parse::<Topic>() {
            Ok(topic) if topics.contains(&topic) => {
                wrong.push(Violation::new(field, "is there once", text));
            }
            Ok(topic) => topics.push(topic),
            Err(violation) => wrong.push(violation.at(field)),
        }
    }
    let logs = topics.iter().filter(|topic| matches!(topic, Topic::Log(_)));
    // Which logs it is of is known only where all topics are.
    let cursor = match wrong.is_empty() {
        true => wrong.keep(Cursor::read(&request.cursor, logs.count())),
        false => None,
    };
    let job = name(&mut wrong, "job", &request.job, |text| {
        JobName::new(text).map_err(|_| Violation::new("job", "is a job's name", text))
    });
    let group = name(&mut wrong, "group", &request.group, |text| {
        GroupName::new(text)
    });
    let states = states(&mut wrong, &request.states);
    match cursor {
        Some(cursor) if wrong.is_empty() => Ok(Wish {
            topics,
            filter: Filter {
                job,
                group,
                states,
                sight: call.caller.sight().clone(),
            },
            cursor,
        }),
        Some(_) | None => Err(wrong.into()),
    }
}

fn name<T>(
    wrong: &mut Violations,
    field: &str,
    text: &str,
    new: impl Fn(&str) -> Result<T, Violation>,
) -> Option<T> {
    if text.is_empty() {
        return None;
    }
    wrong.keep(new(text).map_err(|violation| named(field, violation)))
}

/// Those in which a run has ended: nothing else is told.
fn states(wrong: &mut Violations, numbers: &[i32]) -> Vec<ContextState> {
    let mut states = Vec::new();
    for (at, number) in numbers.iter().enumerate() {
        let field = format!("states[{at}]");
        match state_from_wire(*number) {
            Ok(Some(state)) if state.is_settled() => states.push(state),
            Ok(Some(state)) => wrong.push(Violation::new(
                field,
                "is a state in which a run has ended",
                state.as_str(),
            )),
            Ok(None) => wrong.push(Violation::new(field, "names a state", "")),
            Err(violation) => wrong.push(named(&field, violation)),
        }
    }
    states
}
