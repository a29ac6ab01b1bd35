//! When a job is due next, and why it is due no more.

use tickwheel_core::calendar::Calendar;
use tickwheel_core::job::{JobSpec, Trigger};
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::convert::wire_paths;
use tickwheel_proto::v1;
use tickwheel_store::job::{JobState, JobView};

use super::consent;
use super::given::Count;
use super::jobs::existing;
use crate::error::Error;
use crate::planning;
use crate::rpc::api::ApiContext;

const DUE_TIMES: Count = Count {
    default: 5,
    most: 1_000,
};

/// Due times, and what there is to say about them.
#[derive(Debug, Default)]
struct Preview {
    dues: Vec<TimestampMs>,
    notes: Vec<String>,
}

pub(super) async fn preview(
    api: &ApiContext,
    request: v1::PreviewJobRequest,
) -> Result<v1::PreviewJobResponse, Error> {
    let count = DUE_TIMES.read("count", request.count)?;
    let wanted = usize::try_from(count).unwrap_or(usize::MAX);
    let now = api.store.time().await?;
    let after = request.after_ms.map_or(now, TimestampMs::new);
    let (spec, preview) = match request.spec {
        Some(spec) => {
            let spec = JobSpec::try_from(spec)?;
            spec.validate(now)
                .map_err(|violations| wire_paths(violations, &spec.trigger))?;
            let calendar = Calendar::new(&spec, now)?;
            let preview = of_definition(&spec, &calendar, after, wanted);
            (spec, preview)
        }
        None => {
            let view = existing(api, &request.name).await?;
            let calendar = planning::calendar_of(&view)?;
            let mut preview = of_job(&view, &calendar, after, wanted);
            preview
                .notes
                .extend(consent::why_untold(&api.store, &view).await?);
            (view.spec, preview)
        }
    };
    let mut notes = preview.notes;
    notes.extend(spec.trigger.warning());
    let zone = match spec.trigger {
        Trigger::Cron {
            time_zone: zone, ..
        } => zone,
        Trigger::FixedRate { .. }
        | Trigger::FixedDelay { .. }
        | Trigger::Once { .. }
        | Trigger::Manual
        | Trigger::After { .. } => "UTC".to_owned(),
    };
    let dues = preview.dues.into_iter();
    Ok(v1::PreviewJobResponse {
        due_ms: dues.map(TimestampMs::as_u64).collect(),
        zone,
        note: notes.join("; "),
    })
}

/// A job that is not registered: it begins now.
fn of_definition(
    spec: &JobSpec,
    calendar: &Calendar,
    after: TimestampMs,
    wanted: usize,
) -> Preview {
    match &spec.trigger {
        Trigger::FixedDelay { .. } => Preview {
            dues: calendar
                .first()
                .into_iter()
                .filter(|first| *first >= after)
                .collect(),
            notes: vec![FROM_THE_END.to_owned()],
        },
        Trigger::Manual | Trigger::After { .. } => asked_for(&spec.trigger),
        Trigger::Cron { .. } | Trigger::FixedRate { .. } | Trigger::Once { .. } => {
            timed(spec, calendar, (after, wanted), spec.max_runs)
        }
    }
}

/// A registered job: what it ran counts, and so does that it is paused.
fn of_job(view: &JobView, calendar: &Calendar, after: TimestampMs, wanted: usize) -> Preview {
    let spec = &view.spec;
    let left = spec.max_runs.map(|most| most.saturating_sub(view.fired));
    let over = match view.state {
        JobState::Active => None,
        JobState::Paused => {
            let note = match view.note.as_str() {
                "" => String::new(),
                note => format!(" ({note})"),
            };
            Some(format!(
                "is paused{note}: nothing is due until it is resumed"
            ))
        }
        JobState::Finished => Some(match (spec.max_runs, left) {
            (Some(most), Some(0)) => format!("is finished: it ran {most} times, its max_runs"),
            _ => "is finished: no due time is left".to_owned(),
        }),
        JobState::Deleting => Some("is being deleted".to_owned()),
    };
    if let Some(note) = over {
        return Preview {
            notes: vec![note],
            ..Preview::default()
        };
    }
    match &spec.trigger {
        Trigger::FixedDelay { .. } => {
            let next = view.next_due.filter(|next| *next > after);
            let mut notes = vec![FROM_THE_END.to_owned()];
            if view.next_due.is_none() {
                notes.insert(
                    0,
                    "the next one is known when the run under way ends".to_owned(),
                );
            }
            Preview {
                dues: next.into_iter().collect(),
                notes,
            }
        }
        Trigger::Manual | Trigger::After { .. } => asked_for(&spec.trigger),
        Trigger::Cron { .. } | Trigger::FixedRate { .. } | Trigger::Once { .. } => {
            timed(spec, calendar, (after, wanted), left)
        }
    }
}

const FROM_THE_END: &str = "each due time follows from the end of the run before";

fn asked_for(trigger: &Trigger) -> Preview {
    let note = match trigger {
        Trigger::After { job, on } => format!("runs when `{job}` has {on}"),
        Trigger::Manual
        | Trigger::Cron { .. }
        | Trigger::FixedRate { .. }
        | Trigger::FixedDelay { .. }
        | Trigger::Once { .. } => "runs when it is asked to".to_owned(),
    };
    Preview {
        notes: vec![note],
        ..Preview::default()
    }
}

/// Due times of a calendar, as many as may still run.
fn timed(
    spec: &JobSpec,
    calendar: &Calendar,
    (after, wanted): (TimestampMs, usize),
    left: Option<u64>,
) -> Preview {
    let few = left
        .and_then(|left| usize::try_from(left).ok())
        .filter(|left| *left < wanted);
    let dues = calendar.upcoming(after, few.unwrap_or(wanted));
    let note = if dues.len() == wanted {
        None
    } else if let (Some(left), Some(most)) = (few.filter(|left| *left == dues.len()), spec.max_runs)
    {
        Some(format!(
            "no more follow: {left} of its max_runs, {most}, are left"
        ))
    } else if let Some(end) = spec.end_at {
        Some(format!("no due time follows before its end_at, {end}"))
    } else {
        Some("no due time follows".to_owned())
    };
    Preview {
        dues,
        notes: note.into_iter().collect(),
    }
}
