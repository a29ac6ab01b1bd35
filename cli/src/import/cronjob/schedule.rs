//! The `schedule` of a CronJob as a trigger. Its grammar is nearly a crontab's; where the days are read in another way, they are written so
//! that they mean the same.

use serde_json::{Value, json};

use crate::import::draft::{Draft, Reason};
use crate::import::settings::Settings;

const DAYS: Reason = Reason {
    why: "Kubernetes takes a day field with a step for one that restricts, \
         a crontab does not when it begins with a star; the days are the same",
    todo: "leave it",
};

const EVERY: Reason = Reason {
    why: "it has no fields of time, and begins anew with each registration",
    todo: "give it an `anchor`, if it matters where it begins",
};

/// The trigger, in the zone of the object, of the expression, of the settings, or UTC.
pub(super) fn trigger(
    schedule: &str,
    zone: Option<&str>,
    settings: &Settings,
    draft: &mut Draft,
) -> Value {
    let (inner, expression) = zoned(schedule.trim());
    if let Some(span) = expression.strip_prefix("@every") {
        let span = span.trim();
        draft.differs("schedule", schedule, format!("fixed_rate: {span}"), &EVERY);
        return json!({ "fixed_rate": span });
    }
    let expression = in_crontab(expression);
    if let Some(expression) = &expression {
        draft.differs("schedule", schedule, expression, &DAYS);
    }
    let written = expression.unwrap_or_else(|| zoned(schedule.trim()).1.to_owned());
    let whose = "that of the controller, mostly UTC";
    let zone = draft.zone(zone.or(inner), whose, settings);
    json!({ "cron": written, "time_zone": zone })
}

/// `CRON_TZ=Europe/Berlin 0 5 * * *`: a zone in front, which old clusters let by.
fn zoned(schedule: &str) -> (Option<&str>, &str) {
    let behind = schedule
        .strip_prefix("CRON_TZ=")
        .or_else(|| schedule.strip_prefix("TZ="));
    match behind.and_then(|rest| rest.split_once([' ', '\t'])) {
        Some((zone, rest)) => (Some(zone), rest.trim()),
        None => (None, schedule),
    }
}

/// The expression, when a crontab has to be written in another way to mean the same.
fn in_crontab(expression: &str) -> Option<String> {
    let fields: Vec<&str> = expression.split_ascii_whitespace().collect();
    let [minute, hour, day_of_month, month, day_of_week] = fields.as_slice() else {
        return None;
    };
    let (minute, hour, month) = (starred(minute), starred(hour), starred(month));
    let days = day(day_of_month, "1-31");
    let weekdays = day(day_of_week, "0-6");
    // Where only one of them restricts, both have to match, in either grammar.
    let (days, weekdays) = if days == "*" || weekdays == "*" {
        (kept(day_of_month, days), kept(day_of_week, weekdays))
    } else {
        (days, weekdays)
    };
    let written = [minute, hour, days, month, weekdays].join(" ");
    (written != fields.join(" ")).then_some(written)
}

fn starred(field: &str) -> String {
    field.replace('?', "*")
}

/// The field as it stands, when it need not be another one.
fn kept(field: &str, day: String) -> String {
    if day == "*" { day } else { starred(field) }
}

/// A day field: a star anywhere makes it one that does not restrict, a star with a step is a range.
fn day(field: &str, range: &str) -> String {
    let field = starred(field);
    if field
        .split(',')
        .any(|element| matches!(element, "*" | "*/1"))
    {
        return "*".to_owned();
    }
    let elements = field
        .split(',')
        .map(|element| match element.strip_prefix("*/") {
            Some(step) => format!("{range}/{step}"),
            None => element.to_owned(),
        });
    elements.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_so_that_a_crontab_reads_the_same() {
        for (there, here) in [
            ("*/5 0 * * *", None),
            ("0 0 1,15 * 1", None),
            ("0 0 */2 * *", None),
            ("0 0 * * */2", None),
            ("0 0 */2 * 1", Some("0 0 1-31/2 * 1")),
            ("0 0 1 * */2", Some("0 0 1 * 0-6/2")),
            ("0 0 10,* * 1", Some("0 0 * * 1")),
            ("? ? ? * MON", Some("* * * * MON")),
            ("0 0 */1 * MON", Some("0 0 * * MON")),
            ("@daily", None),
            ("0 0 * *", None),
        ] {
            assert_eq!(in_crontab(there).as_deref(), here, "{there}");
        }
    }

    #[test]
    fn a_zone_in_front_is_no_part_of_the_times() {
        assert_eq!(
            zoned("TZ=Asia/Tokyo  0 5 * * *"),
            (Some("Asia/Tokyo"), "0 5 * * *")
        );
        assert_eq!(zoned("0 5 * * *"), (None, "0 5 * * *"));
        assert_eq!(zoned("CRON_TZ=UTC"), (None, "CRON_TZ=UTC"));
    }
}
