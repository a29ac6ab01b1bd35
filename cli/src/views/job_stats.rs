//! How a job fared: sums, how late and how long, and a row for each span of time in which something was due.

use std::fmt::Write as _;

use tickwheel_api::answers::{JobStats, Spread, StatsCell};

use crate::failure::Failure;
use crate::instant;
use crate::output::{Format, Row, table};

/// Cells of the widest bar.
const BAR: u64 = 24;

/// A cell with its bar: how much of what was due in it came to nothing.
#[derive(Debug, Clone, serde::Serialize)]
struct CellRow {
    cell: StatsCell,
    bar: String,
}

impl Row for CellRow {
    const HEADERS: &'static [&'static str] = &[
        "from",
        "fired",
        "skipped",
        "missed",
        "cancelled",
        "succeeded",
        "failed",
        "",
    ];

    fn cells(&self) -> Vec<String> {
        let shown = |count: u64| match count {
            0 => String::new(),
            count => count.to_string(),
        };
        let cell = &self.cell;
        vec![
            instant::text(cell.from_ms),
            shown(cell.fired),
            shown(cell.skipped),
            shown(cell.missed),
            shown(cell.cancelled),
            shown(cell.succeeded),
            shown(cell.failed),
            self.bar.clone(),
        ]
    }
}

/// Prints the statistics of a job.
pub(crate) fn print_job_stats(stats: &JobStats, format: Format) -> Result<(), Failure> {
    format.thing(stats, || text(stats))
}

fn text(stats: &JobStats) -> String {
    let between = format!(
        "{} to {}",
        instant::text(stats.from_ms),
        instant::text(stats.to_ms)
    );
    let dues = format!(
        "{} fired, {} skipped, {} missed, {} cancelled",
        stats.fired, stats.skipped, stats.missed, stats.cancelled
    );
    let runs = format!(
        "{} succeeded, {} failed, {} timed out, {} cancelled, {} expired",
        stats.runs_succeeded,
        stats.runs_failed,
        stats.runs_timed_out,
        stats.runs_cancelled,
        stats.runs_expired
    );
    let lines = [
        ("between", between),
        ("due times", dues),
        ("ended runs, as far as kept", runs),
        ("decided behind the due time", spread(stats.decided)),
        ("started behind the due time", spread(stats.started)),
        ("ran", spread(stats.ran)),
    ];
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value) in lines {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{name:width$}  {value}");
    }
    if !stats.cells.is_empty() {
        let _ = writeln!(text, "\nin spans of {}:", instant::span(stats.cell_ms));
        text.push_str(&table(&rows(&stats.cells), None));
    }
    text
}

fn spread(spread: Option<Spread>) -> String {
    spread.map_or_else(
        || "nothing to measure".to_owned(),
        |spread| {
            let span = instant::span;
            format!(
                "half within {}, 90 % within {}, 99 % within {}, at most {} (of {})",
                span(spread.p50_ms),
                span(spread.p90_ms),
                span(spread.p99_ms),
                span(spread.most_ms),
                spread.count
            )
        },
    )
}

/// The bars are as long as the most that was due in one of the cells.
fn rows(cells: &[StatsCell]) -> Vec<CellRow> {
    let bad = |cell: &StatsCell| cell.missed + cell.skipped + cell.cancelled;
    let due = |cell: &StatsCell| cell.fired + bad(cell);
    let most = cells.iter().map(due).max().unwrap_or(0).max(1);
    let length = |count: u64| {
        let length = u128::from(count) * u128::from(BAR) / u128::from(most);
        // What is there is seen.
        usize::try_from(length).map_or(0, |length| length.max(usize::from(count > 0)))
    };
    let row = |cell: &StatsCell| CellRow {
        cell: *cell,
        bar: format!(
            "{}{}",
            "█".repeat(length(cell.fired)),
            "░".repeat(length(bad(cell)))
        ),
    };
    cells.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_to_nothing_is_seen() {
        let cell = |from_ms, fired, missed| StatsCell {
            from_ms,
            fired,
            missed,
            ..StatsCell::default()
        };
        let stats = JobStats {
            from_ms: 1_000,
            to_ms: 4_000,
            cell_ms: 1_000,
            fired: 25,
            missed: 1,
            decided: Some(Spread {
                count: 25,
                p50_ms: 2,
                p90_ms: 3,
                p99_ms: 1_500,
                most_ms: 1_500,
                ..Spread::default()
            }),
            cells: vec![cell(1_000, 24, 0), cell(3_000, 1, 1)],
            ..JobStats::default()
        };
        let text = text(&stats);
        for part in [
            "25 fired, 0 skipped, 1 missed, 0 cancelled",
            "half within 2 ms, 90 % within 3 ms, 99 % within 1.5 s, at most 1.5 s (of 25)",
            "nothing to measure",
            "in spans of 1.0 s:",
            &"█".repeat(24),
            "█░",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }
}
