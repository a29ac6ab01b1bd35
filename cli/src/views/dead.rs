//! Runs that ended without success, with the bound they are kept under.

use serde::Serialize;
use tickwheel_api::answers::{DeadPage, Run};

use super::run::error_line;
use crate::failure::Failure;
use crate::instant;
use crate::output::{Format, Row, screen, table};

/// One of them as a row: how it ended matters, not when it was due.
#[derive(Serialize)]
struct DeadRow<'a>(&'a Run);

impl Row for DeadRow<'_> {
    const HEADERS: &'static [&'static str] = &[
        "id", "state", "group", "handler", "ended", "attempt", "worker", "error",
    ];

    fn cells(&self) -> Vec<String> {
        let run = self.0;
        vec![
            run.id.clone(),
            run.state.to_owned(),
            run.group.clone(),
            run.handler.clone(),
            instant::text(run.ended_ms),
            run.attempt.to_string(),
            run.worker.clone(),
            error_line(&run.error_type, &run.error),
        ]
    }
}

/// Prints a list of them.
pub(crate) fn print_dead(page: &DeadPage, format: Format) -> Result<(), Failure> {
    format.thing(page, || text(page))
}

fn text(page: &DeadPage) -> String {
    let rows: Vec<DeadRow<'_>> = page.items.iter().map(DeadRow).collect();
    let mut text = table(&rows, screen());
    text += &format!("{} kept", page.kept);
    if page.dropped > 0 {
        text += &format!("; {} older ones were let go by the bound", page.dropped);
    }
    text.push('\n');
    if !page.next_cursor.is_empty() {
        text += &format!("there may be more: --cursor {}\n", page.next_cursor);
    }
    text
}
