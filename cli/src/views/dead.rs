//! Contexts that ended without success, with the bound they are kept under.

use serde::Serialize;
use tickwheel_proto::v1;

use super::ContextView;
use crate::failure::Failure;
use crate::instant;
use crate::output::{Format, Row, screen, table};

/// A list of the dead.
#[derive(Debug, Default, Serialize)]
pub(crate) struct DeadListView {
    pub(crate) contexts: Vec<ContextView>,
    pub(crate) next_cursor: String,
    /// How many are kept, over all partitions.
    pub(crate) kept: u64,
    /// How many the bound has let go.
    pub(crate) dropped: u64,
}

/// One of them as a row: how it ended matters, not when it was due.
#[derive(Serialize)]
struct DeadRow<'a>(&'a ContextView);

impl Row for DeadRow<'_> {
    const HEADERS: &'static [&'static str] = &[
        "id", "state", "group", "handler", "ended", "attempt", "worker", "error",
    ];

    fn cells(&self) -> Vec<String> {
        let context = self.0;
        vec![
            context.id.clone(),
            context.state.to_owned(),
            context.group.clone(),
            context.handler.clone(),
            instant::text(context.ended_ms),
            context.attempt.to_string(),
            context.worker.clone(),
            context.error.clone(),
        ]
    }
}

impl DeadListView {
    /// Takes over a page.
    pub(crate) fn add(&mut self, page: v1::ListDeadResponse) {
        self.contexts
            .extend(page.contexts.into_iter().map(ContextView::from));
        self.next_cursor = page.next_cursor;
        self.kept = page.kept;
        self.dropped = page.dropped;
    }

    pub(crate) fn print(&self, format: Format) -> Result<(), Failure> {
        format.thing(self, || self.text())
    }

    fn text(&self) -> String {
        let rows: Vec<DeadRow<'_>> = self.contexts.iter().map(DeadRow).collect();
        let mut text = table(&rows, screen());
        text += &format!("{} kept", self.kept);
        if self.dropped > 0 {
            text += &format!("; {} older ones were let go by the bound", self.dropped);
        }
        text.push('\n');
        if !self.next_cursor.is_empty() {
            text += &format!("there may be more: --cursor {}\n", self.next_cursor);
        }
        text
    }
}
