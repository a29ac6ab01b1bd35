//! What is asked for: one file per noun, with the declarations by which requests are read, described, and refused with every rule that
//! they break.
//!
//! Each function makes the message of `tickwheel.v1` that a caller of gRPC sends for the same, so that both do the same.

mod access;
mod asked;
mod between;
mod dead;
mod dedup;
mod documents;
mod forms;
mod groups;
mod jobs;
mod record;
mod runs;
mod stream;
mod submissions;
mod times;
mod tree;
mod upcoming;
mod words;

pub use access::{list_audit, list_tokens, login_code, make_token, revoke_token, rotate_token};
pub use asked::Asked;
pub use dead::{change_dead, list_dead};
pub use dedup::{IDEMPOTENCY_KEY, run_once, submitted_once};
pub use groups::{
    list_workers, named_group, named_worker, nothing, pause_group, remove_limits, set_limits,
};
pub use jobs::{apply_jobs, delete_job, list_jobs, named_job, pause_job, put_job, run_job};
pub use record::parameters;
pub use runs::{WAIT_MAX, find_run, get_log, list_runs, list_subtasks, named_run, wait_run};
pub use stream::{LAST_EVENT_ID, subscribe};
pub use submissions::submit;
pub use times::{explain_job, get_job_stats, get_ledger, preview_definition, preview_job};
pub use tree::{DEPTH_MAX, checked as whole, keyed};
pub use upcoming::{get_wheel, list_upcoming};
pub use words::place_in;

pub(crate) use access::{AuditQuery, Rotation, TokenWish, TokensQuery};
pub(crate) use dead::{Change, DeadQuery};
pub(crate) use groups::{GroupPause, WorkersQuery};
pub(crate) use jobs::{ApplyQuery, DeleteQuery, JobsQuery, Pause, RunWish};
pub(crate) use record::Nothing;
pub(crate) use runs::{FindQuery, LogQuery, RunsQuery, SubtasksQuery, WaitQuery};
pub(crate) use stream::StreamQuery;
pub(crate) use submissions::Submission;
pub(crate) use times::{ExplainQuery, LedgerQuery, PreviewQuery, StatsQuery};
pub(crate) use upcoming::{UpcomingQuery, WheelQuery};
