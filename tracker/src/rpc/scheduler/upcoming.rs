//! What is to come.

use tickwheel_core::bounds::INSTANT_MS_MAX;
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::{GroupName, HandlerName};
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::v1;
use tickwheel_store::wheel::{Coming, ComingKind, RING_BUCKETS, Ring, Upcoming, UpcomingFilter};

use super::call::Call;
use super::lists::{self, Given};
use crate::error::Error;

/// Bytes that the beginning of a name has at most: those of an id.
const PREFIX_BYTES_MAX: usize = 220;

/// What is asked for of a ring.
fn ring(request: &v1::GetWheelRequest) -> Result<(Ring, usize), Violations> {
    let mut wrong = Violations::new();
    let ring = match request.width_ms {
        0 => Some(Ring::Second),
        given => Ring::ALL.into_iter().find(|ring| ring.width_ms() == given),
    };
    if ring.is_none() {
        let rule = "is 1000, 10000, 60000, 600000, 3600000 or 86400000";
        wrong.push(Violation::new("width_ms", rule, request.width_ms));
    }
    let buckets = match usize::try_from(request.buckets) {
        Ok(0) => RING_BUCKETS,
        Ok(given) if given <= RING_BUCKETS => given,
        Ok(_) | Err(_) => {
            let rule = format!("is at most {RING_BUCKETS}");
            wrong.push(Violation::new("buckets", rule, request.buckets));
            RING_BUCKETS
        }
    };
    wrong
        .into_result()
        .map(|()| (ring.unwrap_or(Ring::Second), buckets))
}

/// How much is due when.
pub(super) async fn wheel(
    call: &Call<'_>,
    request: v1::GetWheelRequest,
) -> Result<v1::Wheel, Error> {
    let (ring, buckets) = ring(&request)?;
    if !call.caller.sight().is_everything() {
        // A number of one namespace would take a look at every record.
        return Ok(v1::Wheel {
            time_ms: call.store.time().await?.as_u64(),
            width_ms: ring.width_ms(),
            ..v1::Wheel::default()
        });
    }
    Ok(call.rings.now(ring, buckets).await?)
}

fn kinds(given: &mut Given, request: &v1::ListUpcomingRequest) -> Vec<ComingKind> {
    let mut kinds = Vec::new();
    for (place, number) in request.kinds.iter().enumerate() {
        let kind = match v1::UpcomingKind::try_from(*number) {
            Ok(v1::UpcomingKind::Run) => ComingKind::Run,
            Ok(v1::UpcomingKind::Retry) => ComingKind::Retry,
            Ok(v1::UpcomingKind::Job) => ComingKind::Job,
            Ok(v1::UpcomingKind::Deadline) => ComingKind::Deadline,
            Ok(v1::UpcomingKind::Unspecified) | Err(_) => {
                let field = format!("kinds[{place}]");
                let rule = "is a kind: run, retry, job or deadline";
                given.wrong.push(Violation::new(field, rule, number));
                continue;
            }
        };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

/// What a request chooses.
fn filter(request: &v1::ListUpcomingRequest) -> Result<UpcomingFilter, Violations> {
    let mut given = Given::new("");
    let filter = UpcomingFilter {
        kinds: kinds(&mut given, request),
        prefix: request.prefix.clone(),
        group: given.name("group", &request.group, |text| GroupName::new(text)),
        handler: given.name("handler", &request.handler, |text| HandlerName::new(text)),
        until: request.until_ms.map(TimestampMs::new),
        sight: None,
    };
    if request.prefix.len() > PREFIX_BYTES_MAX {
        let rule = format!("has at most {PREFIX_BYTES_MAX} bytes");
        let length = request.prefix.len();
        given.wrong.push(Violation::new("prefix", rule, length));
    }
    if let Some(until) = request.until_ms.filter(|until| *until > INSTANT_MS_MAX) {
        let rule = format!("is at most {INSTANT_MS_MAX}");
        given.wrong.push(Violation::new("until_ms", rule, until));
    }
    given.wrong.into_result().map(|()| filter)
}

/// What comes next.
pub(super) async fn list(
    call: &Call<'_>,
    request: v1::ListUpcomingRequest,
) -> Result<v1::ListUpcomingResponse, Error> {
    let bounds = lists::bounds(request.page_size, request.max_look)?;
    let filter = UpcomingFilter {
        sight: call.limited_sight(),
        ..filter(&request)?
    };
    let store = &call.store;
    let page = store
        .list_upcoming(&filter, &request.cursor, bounds)
        .await?;
    Ok(v1::ListUpcomingResponse {
        items: page.items.iter().map(shown).collect(),
        next_cursor: page.next,
        unreadable: page.unreadable,
        looked: Some(lists::looked(call, page.looked)),
    })
}

fn shown(entry: &Upcoming) -> v1::Upcoming {
    let (kind, id, attempts) = match &entry.coming {
        Coming::Run(id) => (v1::UpcomingKind::Run, Some(id), 0),
        Coming::Retry { id, attempts } => (v1::UpcomingKind::Retry, Some(id), *attempts),
        Coming::Job { .. } => (v1::UpcomingKind::Job, None, 0),
        Coming::Deadline(id) => (v1::UpcomingKind::Deadline, Some(id), 0),
    };
    let (job, due) = match &entry.coming {
        Coming::Job { name, due } => (Some(name.to_string()), *due),
        Coming::Run(id) | Coming::Retry { id, .. } | Coming::Deadline(id) => {
            (id.job().map(String::from), Some(id.due()))
        }
    };
    v1::Upcoming {
        kind: kind.into(),
        at_ms: entry.at.as_u64(),
        job: job.unwrap_or_default(),
        context_id: id.map(ToString::to_string).unwrap_or_default(),
        due_ms: due.map_or(0, TimestampMs::as_u64),
        group: entry.group.to_string(),
        handler: entry.handler.to_string(),
        priority: u32::from(entry.priority),
        attempts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_a_few_and_mistakes_are_told_at_once() {
        let of = |width_ms, buckets| ring(&v1::GetWheelRequest { width_ms, buckets });
        assert_eq!(of(0, 0), Ok((Ring::Second, 60)));
        assert_eq!(of(600_000, 6), Ok((Ring::TenMinutes, 6)));
        let wrong = of(2_000, 61).unwrap_err();
        let fields: Vec<&str> = wrong.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, ["width_ms", "buckets"]);
    }

    #[test]
    fn every_mistake_of_a_list_is_named_at_once() {
        let request = v1::ListUpcomingRequest {
            kinds: vec![v1::UpcomingKind::Job.into(), 0, 9],
            prefix: "x".repeat(221),
            group: "no group".to_owned(),
            handler: "no handler".to_owned(),
            until_ms: Some(u64::MAX),
            ..v1::ListUpcomingRequest::default()
        };
        let wrong = filter(&request).unwrap_err();
        let mut fields: Vec<&str> = wrong.iter().map(|one| one.field.as_str()).collect();
        fields.sort_unstable();
        let expected = [
            "group", "handler", "kinds[1]", "kinds[2]", "prefix", "until_ms",
        ];
        assert_eq!(fields, expected);
        let twice = v1::ListUpcomingRequest {
            kinds: vec![v1::UpcomingKind::Job.into(); 2],
            ..v1::ListUpcomingRequest::default()
        };
        assert_eq!(filter(&twice).unwrap().kinds, [ComingKind::Job]);
    }
}
