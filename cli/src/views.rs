//! What the API answers, as it is shown: one file per noun, each with its fields for programs and its cells for people.

mod applied;
mod cluster;
mod context;
mod dead;
mod fan;
mod job;
mod ledger;
mod limits;
mod log;
mod model;
mod preview;
mod spec;
mod submitted;
mod worker;

pub(crate) use applied::AppliedView;
pub(crate) use cluster::ClusterView;
pub(crate) use context::{ContextView, state_word as context_state_word};
pub(crate) use dead::DeadListView;
pub(crate) use fan::SubtasksView;
pub(crate) use job::{DeletedView, JobView};
pub(crate) use ledger::{ExplainView, LedgerView, verdict_word};
pub(crate) use limits::LimitsView;
pub(crate) use log::LogLineView;
pub(crate) use preview::{PreviewView, rows as preview_rows};
pub(crate) use submitted::SubmittedView;
pub(crate) use worker::WorkerView;

/// Bytes for a person: text when they are text, their number otherwise.
fn bytes_text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| format!("{} bytes", bytes.len()), str::to_owned)
}

/// Bytes for a program: the JSON they hold, else text, else a list of numbers.
fn bytes_value(bytes: &[u8]) -> serde_json::Value {
    if bytes.is_empty() {
        return serde_json::Value::Null;
    }
    serde_json::from_slice(bytes).unwrap_or_else(|_| match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => bytes.to_vec().into(),
    })
}
