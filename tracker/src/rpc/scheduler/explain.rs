//! Why a job did or did not run at an instant, in words.

use tickwheel_core::access::Permission;
use tickwheel_core::id::ContextId;
use tickwheel_core::job::Trigger;
use tickwheel_core::ledger::{LedgerRecord, LedgerVerdict};
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::v1;
use tickwheel_store::job::{JobState, JobView};

use super::call::Call;
use super::consent;
use super::given::job_name;
use crate::error::Error;
use crate::planning::calendar_of;

pub(super) async fn explain(
    call: &Call<'_>,
    request: v1::ExplainJobRequest,
) -> Result<v1::ExplainJobResponse, Error> {
    let api = call.api;
    let name = job_name(&request.name)?;
    let at = TimestampMs::new(request.at_ms);
    let view = api
        .store
        .get_job(&name)
        .await?
        .ok_or_else(|| Error::not_found("job", name.as_str()))?;
    let limit = view.spec.ledger_limit;
    let records = api.store.ledger(&name, limit).await?.items;
    let stands_for = |record: &&LedgerRecord| {
        record.verdict != LedgerVerdict::Redefined
            && (record.from..=record.to).contains(&at)
            && is_due(&view, record, at)
    };
    let Some(record) = records.iter().find(stands_for) else {
        let mut text = without_record(&view, &records, at, api.store.time().await?)?;
        if let Some(why) = consent::why_untold(&api.store, &view).await? {
            text.push_str(" At present ");
            text.push_str(&why);
            text.push('.');
        }
        return Ok(v1::ExplainJobResponse { text, record: None });
    };
    let mut text = in_words(record, at);
    if record.verdict == LedgerVerdict::Fired {
        let firing = ContextId::firing(&name, at, api.store.partitions());
        let id = record.context_id.clone().unwrap_or(firing);
        text.push(' ');
        text.push_str(&outcome(call, &id).await?);
    }
    Ok(v1::ExplainJobResponse {
        text,
        record: Some(record.into()),
    })
}

/// Inside a run of due times only those of the calendar are meant.
fn is_due(view: &JobView, record: &LedgerRecord, at: TimestampMs) -> bool {
    record.count == 1
        || calendar_of(view).is_ok_and(|calendar| calendar.next_after(at.minus_ms(1)) == Some(at))
}

fn in_words(record: &LedgerRecord, at: TimestampMs) -> String {
    let reason = record
        .reason
        .map(|reason| format!(" {}", reason.sentence()))
        .unwrap_or_default();
    let more = if record.count > 1 {
        format!(
            " One record stands for {} due times, {} to {}.",
            record.count, record.from, record.to
        )
    } else {
        String::new()
    };
    match record.verdict {
        LedgerVerdict::Fired => {
            let late = record
                .decided_ms
                .map(|decided| format!(", {} ms after its due time", decided.ms_since(at)))
                .unwrap_or_default();
            format!("It fired at {at}{late}.")
        }
        LedgerVerdict::Skipped => format!("The due time {at} was skipped.{reason}{more}"),
        LedgerVerdict::Missed => format!("The due time {at} was missed.{reason}{more}"),
        LedgerVerdict::Cancelled => format!("The due time {at} was cancelled.{reason}{more}"),
        LedgerVerdict::Redefined => String::new(),
    }
}

async fn outcome(call: &Call<'_>, id: &ContextId) -> Result<String, Error> {
    let Some(view) = call.store.get_context(id).await? else {
        return Ok(format!(
            "Its context `{id}` ended before what is kept of settled contexts."
        ));
    };
    let worker = view
        .worker
        .as_ref()
        .map(|worker| format!(" on worker `{worker}`"))
        .unwrap_or_default();
    let started = view
        .claimed
        .map(|at| format!(", started {} ms after its due time", at.ms_since(view.due)))
        .unwrap_or_default();
    let error = if view.error.is_empty() || !call.caller.may(Permission::ReadPayload) {
        String::new()
    } else {
        format!(": {}", view.error)
    };
    Ok(format!(
        "Its context `{id}` is {}{worker}{started}, attempt {}{error}.",
        view.state, view.attempt
    ))
}

/// No record stands for `at`: it is no due time, or not decided yet, or forgotten.
fn without_record(
    view: &JobView,
    records: &[LedgerRecord],
    at: TimestampMs,
    now: TimestampMs,
) -> Result<String, Error> {
    let kind = view.spec.trigger.kind();
    if at < view.created {
        return Ok(format!(
            "The job was registered at {}, after {at}.",
            view.created
        ));
    }
    let oldest = records
        .last()
        .filter(|_| records.len() >= usize::try_from(view.spec.ledger_limit).unwrap_or(usize::MAX));
    if let Some(oldest) = oldest.filter(|oldest| at < oldest.from) {
        let (limit, from) = (view.spec.ledger_limit, oldest.from);
        return Ok(format!(
            "The ledger keeps {limit} records and begins at {from}: what became of {at} is no longer known."
        ));
    }
    let by_calendar = match view.spec.trigger {
        Trigger::Cron { .. } | Trigger::FixedRate { .. } | Trigger::Once { .. } => true,
        Trigger::FixedDelay { .. } | Trigger::Manual | Trigger::After { .. } => false,
    };
    if !by_calendar {
        return Ok(format!(
            "{at} was no due time: the trigger is {kind}, whose due times do not follow from a calendar.{}",
            nearest(records, at)
        ));
    }
    let calendar = calendar_of(view)?;
    let following = calendar.next_after(at.minus_ms(1));
    if following != Some(at) {
        let next = following
            .map(|due| format!(" The next one by the calendar is {due}."))
            .unwrap_or_default();
        return Ok(format!(
            "{at} is no due time of its trigger {kind}.{}{next}",
            nearest(records, at)
        ));
    }
    Ok(match view.state {
        JobState::Paused => format!(
            "{at} is a due time, and the job is paused: it is skipped when the job is resumed."
        ),
        JobState::Finished | JobState::Deleting => {
            format!("{at} would be a due time, and the job is finished: nothing of it fires.")
        }
        JobState::Active if at > now => format!("{at} is a due time to come."),
        JobState::Active if view.updated > at => format!(
            "The job was changed at {}, after {at}; the definition of today did not decide it.",
            view.updated
        ),
        JobState::Active => format!(
            "{at} is a due time that no tracker has decided yet: {} ms late.",
            now.ms_since(at)
        ),
    })
}

fn nearest(records: &[LedgerRecord], at: TimestampMs) -> String {
    let before = records
        .iter()
        .find(|record| record.verdict != LedgerVerdict::Redefined && record.to < at);
    before
        .map(|record| format!(" The one before it was {}.", record.to))
        .unwrap_or_default()
}
