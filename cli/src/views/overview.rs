//! How the cluster is, in numbers.

use std::fmt::Write as _;

use tickwheel_api::answers::{EndedLately, GroupNumbers, Overview, Totals};

use crate::instant;
use crate::output::{Row, table};

impl Row for GroupNumbers {
    const HEADERS: &'static [&'static str] = &["group", "workers", "running", "permits", "ready"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.group.clone(),
            self.workers.to_string(),
            self.running.to_string(),
            self.permits.to_string(),
            self.ready
                .map(|ready| ready.to_string())
                .unwrap_or_default(),
        ]
    }
}

/// Names and numbers, and a table of the groups behind them.
pub(crate) fn overview_text(overview: &Overview) -> String {
    let mut lines = vec![("time", instant::text(overview.time_ms))];
    if let Some(totals) = &overview.totals {
        lines.extend(totals_lines(totals));
    }
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value) in lines {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{name:width$}  {value}");
    }
    if !overview.groups.is_empty() {
        text.push('\n');
        text.push_str(&table(&overview.groups, None));
    }
    if overview.cut {
        text.push_str("there are more groups or workers than were looked at\n");
    }
    if overview.unreadable > 0 {
        let _ = writeln!(
            text,
            "{} partitions or keys could not be counted: see `tickwheel store check`",
            overview.unreadable
        );
    }
    text
}

/// What there is in all, by name.
pub(crate) fn totals_lines(totals: &Totals) -> Vec<(&'static str, String)> {
    let lag = match totals.overdue {
        0 => "nothing is overdue".to_owned(),
        count => format!("{} ms, {count} overdue", totals.lag_ms),
    };
    vec![
        ("lag", lag),
        ("scheduled", totals.scheduled.to_string()),
        ("ready", totals.ready.to_string()),
        ("running", totals.running.to_string()),
        ("ended, last minute", ended_text(&totals.ended)),
        ("dead", totals.dead.to_string()),
        ("trackers", totals.trackers.to_string()),
        ("redis memory", memory_text(totals)),
    ]
}

fn ended_text(ended: &EndedLately) -> String {
    let about = if ended.estimated { "about " } else { "" };
    let mut text = format!("{about}{}", ended.sum());
    let ways = [
        ("succeeded", ended.succeeded),
        ("failed", ended.failed),
        ("timed out", ended.timed_out),
        ("cancelled", ended.cancelled),
        ("expired", ended.expired),
    ];
    let told = ways.iter().filter(|(_, count)| *count > 0);
    let told: Vec<String> = told.map(|(way, count)| format!("{count} {way}")).collect();
    if !told.is_empty() {
        let _ = write!(text, " ({})", told.join(", "));
    }
    text
}

fn memory_text(totals: &Totals) -> String {
    let mib = |bytes: u64| bytes >> 20;
    match (totals.redis_memory_bytes, totals.redis_memory_max_bytes) {
        (0, _) => "not told".to_owned(),
        (used, 0) => format!("{} MiB, without a bound", mib(used)),
        (used, most) => format!("{} of {} MiB", mib(used), mib(most)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_lines_and_groups_a_table() {
        let overview = Overview {
            totals: Some(Totals {
                scheduled: 5,
                overdue: 2,
                lag_ms: 40,
                ended: EndedLately {
                    succeeded: 7,
                    timed_out: 1,
                    estimated: true,
                    ..EndedLately::default()
                },
                redis_memory_bytes: 3 << 20,
                ..Totals::default()
            }),
            groups: vec![GroupNumbers {
                group: "mail".to_owned(),
                workers: 2,
                permits: 8,
                running: 3,
                ready: Some(9),
            }],
            ..Overview::default()
        };
        let text = overview_text(&overview);
        for line in [
            "lag                 40 ms, 2 overdue",
            "ended, last minute  about 8 (7 succeeded, 1 timed out)",
            "redis memory        3 MiB, without a bound",
            "mail   2        3        8        9",
        ] {
            assert!(text.lines().any(|told| told == line), "{line}: {text}");
        }
        let scoped = Overview {
            totals: None,
            ..overview
        };
        assert_eq!(overview_text(&scoped).lines().count(), 4);
    }
}
