//! What came of it, for a person and as one JSON object for a program.

use serde::Serialize;

/// The counts of one quickstart. The names of the first five are relied upon by others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    /// Due times, and runs on demand, that became a context.
    pub(crate) fired: u64,
    pub(crate) succeeded: u64,
    /// Ended as failed, timed out, or expired.
    pub(crate) failed: u64,
    /// Due times without a ledger record, and contexts that never ended.
    pub(crate) lost: u64,
    /// Due time to handler start, of first attempts.
    pub(crate) p99_lateness_ms: u64,
    pub(crate) cancelled: u64,
    /// Due times that a policy let pass.
    pub(crate) skipped: u64,
    pub(crate) missed: u64,
    pub(crate) jobs: usize,
    pub(crate) seconds: u64,
}

impl Summary {
    /// The object on one line.
    pub(crate) fn json_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    /// In words.
    pub(crate) fn text(&self) -> String {
        let Self {
            fired,
            succeeded,
            failed,
            lost,
            p99_lateness_ms,
            cancelled,
            skipped,
            missed,
            jobs,
            seconds,
        } = self;
        format!(
            "\n{jobs} jobs in {seconds} s: {fired} fired, {succeeded} succeeded, {failed} failed, {cancelled} cancelled; \
             {skipped} skipped and {missed} missed by policy\n\
             lost (due times without a ledger record, contexts that never ended): {lost}\n\
             99 of 100 handlers began within {p99_lateness_ms} ms of their due time\n\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_one_json_object_with_the_agreed_names() {
        let line = Summary {
            fired: 7,
            ..Summary::default()
        }
        .json_line();
        assert_eq!(line.matches('\n').count(), 1);
        assert!(
            line.starts_with(
                "{\"fired\":7,\"succeeded\":0,\"failed\":0,\"lost\":0,\"p99_lateness_ms\":0"
            ),
            "{line}"
        );
    }
}
