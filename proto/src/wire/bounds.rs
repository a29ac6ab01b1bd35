//! Every bound of a message as it arrives, in one table. `docs/wire-limits.md` is made from it.

use tickwheel_core::bounds::{
    JOB_LISTS, LABELS_MAX, PATTERNS_MAX, SHARD_ITEMS_MAX, SPLIT_ITEMS_MAX, SUBMIT_MAX,
    SUCCESS_INDEXES_MAX, UNITS_MAX, WORKER_LIST_MAX,
};

/// Bytes of a message to `SchedulerService`: a thousand contexts of 4 KiB, sixteen of the greatest body.
pub const CALL_BYTES_MAX: usize = 4 << 20;

/// Bytes of one frame of a worker: a page of mapped items has 1 MiB, and ids beside it.
pub const FRAME_BYTES_MAX: usize = 3 << 19;

/// Entries of all lists of one message to a tracker together, lists inside lists too. With it a message takes at most a few times its bytes
/// in memory.
pub const ENTRIES_MAX: u32 = 100_000;

/// Bytes of one text in a message to `SchedulerService`: the longest that any field allows has a thousand characters.
pub const TEXT_BYTES_MAX: usize = 4_096;

/// How many entries a list, or a map, may have.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    /// The message, by its name in the package.
    pub message: &'static str,
    /// Its field.
    pub field: &'static str,
    /// Entries.
    pub most: u32,
}

const fn bound(message: &'static str, field: &'static str, most: usize) -> Bound {
    Bound {
        message,
        field,
        // No bound is near the greatest number.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "there is no other way in a constant"
        )]
        most: most as u32,
    }
}

/// Items of one kind in a frame of a worker. Its SDK sends 500.
pub const ITEMS: usize = 4_096;
/// Questions of one kind in a frame of a worker: each is a call of Redis, or more.
pub const QUESTIONS: usize = 64;
/// Attempts that a Hello may say it still runs.
pub const HELLO_RUNNING_MAX: usize = 20_000;
/// Words for what one side understands beyond the core.
pub const CAPABILITIES_MAX: usize = 32;
/// Items of one kind in a frame of a tracker: no worker has more permits.
const PERMITS: usize = 65_536;
/// Entries of a page, of whatever is listed.
const PAGE: usize = 1_000;
/// States of a context, each of them once.
const STATES: usize = 11;
/// Lines of a log in one answer: a page of 256 KiB and the lines of one call behind it, if all of them are empty.
const LINES: usize = 50_000;
/// Resources in a report: those a worker may have, and those that are measured.
const REPORTED: usize = 2 * UNITS_MAX;

/// The bound of each list of each message: those of a job's own fields are declared with the job.
pub fn bounds() -> impl Iterator<Item = Bound> {
    let of_job = |(field, most): &(&'static str, usize)| bound("JobSpec", field, *most);
    JOB_LISTS.iter().map(of_job).chain(BOUNDS.iter().copied())
}

static BOUNDS: &[Bound] = &[
    // What callers send, and what lies in it.
    bound("ApplyJobsRequest", "jobs", SUBMIT_MAX),
    bound("SubmitRequest", "contexts", SUBMIT_MAX),
    bound("ChangeDeadRequest", "ids", PAGE),
    bound("GroupLimits", "keys", 1_000),
    bound("Group", "handlers", PAGE),
    bound("ListJobsRequest", "labels", LABELS_MAX),
    bound("ListContextsRequest", "states", STATES),
    bound("SubscribeRequest", "topics", 16),
    bound("SubscribeRequest", "states", STATES),
    bound("Scope", "namespaces", PATTERNS_MAX),
    bound("Scope", "groups", PATTERNS_MAX),
    bound("Scope", "handlers", PATTERNS_MAX),
    bound("Scope", "permissions", 16),
    bound("Scope", "worker_ids", PATTERNS_MAX),
    bound("ContextOptions", "resources", UNITS_MAX),
    bound("Routing", "list", WORKER_LIST_MAX),
    bound("WorkerSelection", "allow", WORKER_LIST_MAX),
    bound("WorkerSelection", "deny", WORKER_LIST_MAX),
    bound("Model.Sharding", "items", SHARD_ITEMS_MAX),
    bound("Model.Success", "indexes", SUCCESS_INDEXES_MAX),
    // What workers send.
    bound("WorkerMessage", "accepted", ITEMS),
    bound("WorkerMessage", "rejected", ITEMS),
    bound("WorkerMessage", "renew", ITEMS),
    bound("WorkerMessage", "progress", ITEMS),
    bound("WorkerMessage", "log", ITEMS),
    bound("WorkerMessage", "settle", ITEMS),
    bound("WorkerMessage", "split", QUESTIONS),
    bound("WorkerMessage", "fetch", QUESTIONS),
    bound("WorkerMessage", "lost_trackers", 64),
    bound("Split", "items", SPLIT_ITEMS_MAX),
    bound("Hello", "handlers", 1_000),
    bound("Hello", "tags", 64),
    bound("Hello", "running", HELLO_RUNNING_MAX),
    bound("Hello", "resources", UNITS_MAX),
    bound("Hello", "capabilities", CAPABILITIES_MAX),
    bound("Units", "amounts", REPORTED),
    bound("Heartbeat", "resources", REPORTED),
    // What workers are told.
    bound("TrackerMessage", "dispatch", PERMITS),
    bound("TrackerMessage", "cancel", PERMITS),
    bound("TrackerMessage", "confirm", PERMITS),
    bound("TrackerMessage", "renewed", PERMITS),
    bound("TrackerMessage", "split", ITEMS),
    bound("TrackerMessage", "results", ITEMS),
    bound("Assignment", "requires", UNITS_MAX),
    bound("ResultsPage", "results", 1_000),
    bound("Roster", "tracker_urls", 10_000),
    bound("Welcome", "capabilities", CAPABILITIES_MAX),
    // What callers are answered.
    bound("ApplyJobsResponse", "jobs", SUBMIT_MAX),
    bound("SubmitResponse", "contexts", SUBMIT_MAX),
    bound("ListJobsResponse", "jobs", PAGE),
    bound("Job", "active", 200_000),
    bound("DeleteJobResponse", "followers", 100),
    bound("PreviewJobResponse", "due_ms", PAGE),
    bound("GetLedgerRequest", "verdicts", 8),
    bound("GetLedgerResponse", "records", 100_000),
    bound("JobStats", "cells", 1_000),
    bound("ListContextsResponse", "contexts", PAGE),
    bound("Context", "log", LINES),
    bound("GetLogResponse", "lines", LINES),
    bound("Context", "attempts", 20),
    bound("ListSubtasksResponse", "subtasks", PAGE),
    bound("ListDeadResponse", "contexts", PAGE),
    bound("ChangeDeadResponse", "ids", 10_000),
    bound("ListWorkersResponse", "workers", 100_000),
    bound("Worker", "handlers", 1_000),
    bound("Worker", "tags", 64),
    bound("Worker", "resources", REPORTED),
    bound("ListLimitsResponse", "groups", 100_000),
    bound("ListGroupsResponse", "groups", 100_000),
    bound("Cluster", "trackers", 10_000),
    bound("Overview", "groups", PAGE),
    bound("WheelCounts", "buckets", 60),
    bound("ListUpcomingRequest", "kinds", 16),
    bound("ListUpcomingResponse", "items", PAGE),
    bound("EndedRuns", "runs", 20_000),
    bound("LogLines", "lines", LINES),
    // One step of Redis through a hash, whatever that is.
    bound("ListTokensResponse", "tokens", 10_000),
    bound("ListAuditResponse", "events", PAGE),
    bound("AuditEvent", "objects", 64),
    bound("ErrorDetail", "violations", 10_000),
    bound("ErrorDetail", "context_ids", SUBMIT_MAX),
    bound("ErrorDetail", "taken", SUBMIT_MAX),
];
