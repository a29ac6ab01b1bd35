//! When a row is due.

use serde_json::{Value, json};

use super::row::Cells;
use crate::import::draft::Draft;
use crate::import::settings::Settings;

/// When a row is due by itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Schedule {
    /// Never: somebody asks for it, or another job ends.
    None,
    Stopped(Value),
    Running(Value),
}

/// When it is due; older versions have an expression only.
pub(super) fn of(cells: &Cells, settings: &Settings, draft: &mut Draft) -> Schedule {
    let text = |column: &str| cells.get(column).map_or("", |value| value.trim());
    let (kind, times) = match cells.get("job_cron") {
        Some(cron) => ("CRON", cron.trim()),
        None => (text("schedule_type"), text("schedule_conf")),
    };
    let trigger = match kind {
        "" | "NONE" => return Schedule::None,
        "CRON" => {
            if !(6..=7).contains(&times.split_ascii_whitespace().count()) {
                draft.refuse(format!(
                    "schedule_conf has six or seven fields, as Quartz has, not {times}"
                ));
            }
            let own = cells
                .get("schedule_timezone")
                .map(String::as_str)
                .filter(|zone| !zone.is_empty());
            let zone = draft.zone(own, "that of the scheduler's machine", settings);
            json!({ "cron": times, "time_zone": zone })
        }
        "FIX_RATE" => {
            if times.parse::<u64>().is_err() {
                draft.refuse(format!(
                    "schedule_conf of FIX_RATE is a number of seconds, not {times}"
                ));
            }
            json!({ "fixed_rate": format!("{times}s") })
        }
        other => {
            draft.refuse(format!(
                "schedule_type is NONE, CRON or FIX_RATE, not {other}"
            ));
            return Schedule::None;
        }
    };
    match text("trigger_status") {
        "1" => Schedule::Running(trigger),
        "" | "0" => Schedule::Stopped(trigger),
        other => {
            draft.refuse(format!("trigger_status is 0 or 1, not {other}"));
            Schedule::None
        }
    }
}
