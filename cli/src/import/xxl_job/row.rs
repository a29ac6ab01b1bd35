//! Rows of the table, whatever they were read from.

use std::collections::{BTreeMap, HashMap};

/// The columns of version 2.3 and later, in the order in which the table is made: that of an INSERT without a list, in a dump without its
/// table.
pub(super) const COLUMNS: [&str; 24] = [
    "id",
    "job_group",
    "job_desc",
    "add_time",
    "update_time",
    "author",
    "alarm_email",
    "schedule_type",
    "schedule_conf",
    "misfire_strategy",
    "executor_route_strategy",
    "executor_handler",
    "executor_param",
    "executor_block_strategy",
    "executor_timeout",
    "executor_fail_retry_count",
    "glue_type",
    "glue_source",
    "glue_remark",
    "glue_updatetime",
    "child_jobid",
    "trigger_status",
    "trigger_last_time",
    "trigger_next_time",
];

/// Columns that say nothing a job has: when rows were written and fired, scripts of jobs that are none, and what is read elsewhere.
const PASSED: &[&str] = &[
    "add_time",
    "update_time",
    "glue_source",
    "glue_remark",
    "glue_updatetime",
    "trigger_last_time",
    "trigger_next_time",
];

/// A row, or why there is none.
#[derive(Debug, PartialEq)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) read: Result<Cells, String>,
    /// Whether the names of its columns were assumed.
    pub(super) assumed: bool,
}

/// Values by their columns, which are in small letters; NULL is none.
pub(super) type Cells = BTreeMap<String, String>;

impl Row {
    /// A row of these columns.
    pub(super) fn of(line: u64, columns: &[String], values: Vec<Option<String>>) -> Self {
        let (wanted, given) = (columns.len(), values.len());
        let read = if wanted == given {
            let cells = columns.iter().cloned().zip(values);
            Ok(cells
                .filter_map(|(column, value)| Some((column, value?)))
                .collect())
        } else {
            Err(format!("has {given} values for {wanted} columns"))
        };
        Self {
            line,
            read,
            assumed: false,
        }
    }

    pub(super) fn broken(line: u64, why: impl Into<String>) -> Self {
        Self {
            line,
            read: Err(why.into()),
            assumed: false,
        }
    }
}

/// Whether somebody reads this column, or nobody has to.
pub(super) fn is_known(column: &str) -> bool {
    COLUMNS.contains(&column)
        || PASSED.contains(&column)
        || ["job_cron", "schedule_timezone"].contains(&column)
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) found: Vec<Row>,
    /// The names of executors by the numbers that `job_group` has, where the dump has their table.
    pub(super) groups: HashMap<String, String>,
}
