//! The options of a context in a manifest.

use serde_json::Value;

use super::policy;
use super::reader::{Reader, shown, span_ms};
use crate::error::Violation;
use crate::job::{ContextOptions, Priority};

/// The options of a context, but for its retries.
pub(super) fn read_options(reader: &mut Reader<'_, '_>, options: &mut ContextOptions) {
    set(&mut options.priority, reader.get("priority", priority));
    options.timeout_ms = reader.get("timeout", span_ms);
    options.start_deadline_ms = reader.get("start_deadline", span_ms);
    set(
        &mut options.cancel_grace_ms,
        reader.get("cancel_grace", span_ms),
    );
    set(&mut options.lease_ms, reader.get("lease", span_ms));
    set(
        &mut options.fail_on_lease_lost,
        reader.get("on_lease_lost", policy::on_lease_lost),
    );
}

/// Takes what was read, if anything was.
pub(super) fn set<T>(place: &mut T, read: Option<T>) {
    if let Some(read) = read {
        *place = read;
    }
}

fn priority(value: &Value) -> Result<Priority, Violation> {
    shown(value)
        .parse()
        .map_err(|wrong: Violation| wrong.at(""))
}
