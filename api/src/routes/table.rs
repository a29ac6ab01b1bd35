//! The table.

use serde_json::Value;
use tickwheel_core::access::Role;
use tickwheel_core::shape::describe_fields;

use super::bodies::{
    job_document, job_documents, limits_document, named_job_document, object, submissions,
};
use super::row::{BODY_BYTES_MAX, Method, Request, Row, SUBMISSIONS_BYTES_MAX};
use crate::requests::{
    ApplyQuery, AuditQuery, Change, DeadQuery, DeleteQuery, ExplainQuery, FindQuery, GroupPause,
    JobsQuery, LedgerQuery, LogQuery, Nothing, Pause, PreviewQuery, Rotation, RunWish, RunsQuery,
    StatsQuery, StreamQuery, SubtasksQuery, TokenWish, TokensQuery, UpcomingQuery, WaitQuery,
    WheelQuery, WorkersQuery,
};

/// Declares the operations, each with its row: there is none without.
macro_rules! operations {
    ($($(#[$meta:meta])* $name:ident = $row:expr;)+) => {
        /// What can be asked for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Operation {
            $($(#[$meta])* $name,)+
        }

        impl Operation {
            /// Every operation, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// What the table says of it.
            #[must_use]
            pub const fn row(self) -> &'static Row {
                match self {
                    $(Self::$name => {
                        const ROW: Row = $row;
                        &ROW
                    })+
                }
            }

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }
        }
    };
}

/// A row that reads: no body, for viewers.
const fn reads(
    path: &'static str,
    rpc: &'static str,
    command: &'static str,
    about: &'static str,
    answer: &'static str,
) -> Row {
    Row {
        method: Method::Get,
        path,
        rpc,
        command,
        about,
        role: Role::Viewer,
        query: describe_fields::<Nothing>,
        request: None,
        is_durable: false,
        answer,
    }
}

/// A row that does something, for operators.
const fn does(
    path: &'static str,
    rpc: &'static str,
    command: &'static str,
    about: &'static str,
    answer: &'static str,
) -> Row {
    Row {
        method: Method::Post,
        role: Role::Operator,
        ..reads(path, rpc, command, about, answer)
    }
}

const fn body(name: &'static str, schema: fn() -> Value, is_required: bool) -> Option<Request> {
    Some(Request {
        name,
        schema,
        is_required,
        most: BODY_BYTES_MAX,
    })
}

operations! {
    /// A page of jobs.
    ListJobs = Row {
        query: describe_fields::<JobsQuery>,
        ..reads("/jobs", "ListJobs", "job list", "Lists jobs, in the order of their names.", "JobPage")
    };
    /// Registers or changes jobs.
    ApplyJobs = Row {
        is_durable: true,
        query: describe_fields::<ApplyQuery>,
        request: body("JobDocuments", job_documents, true),
        ..does(
            "/jobs:apply", "ApplyJobs", "apply",
            "Registers or changes jobs; with one mistake in any of them nothing is written.",
            "AppliedList",
        )
    };
    /// One job.
    GetJob = reads("/jobs/{job}", "GetJob", "job get", "Shows a job.", "Job");
    /// Registers or changes one job.
    PutJob = Row {
        method: Method::Put,
        is_durable: true,
        query: describe_fields::<ApplyQuery>,
        request: body("NamedJobDocument", named_job_document, true),
        ..does(
            "/jobs/{job}", "ApplyJobs", "apply",
            "Registers or changes a job; with `If-Match` only from the revision that it names, with `If-None-Match: *` only a new one.",
            "Applied",
        )
    };
    /// Deletes a job.
    DeleteJob = Row {
        is_durable: true,
        method: Method::Delete,
        query: describe_fields::<DeleteQuery>,
        ..does(
            "/jobs/{job}", "DeleteJob", "job delete",
            "Deletes a job and what it has waiting; what runs goes on. With `If-Match` only the revision that it names.",
            "Deleted",
        )
    };
    /// Stops a job's firing.
    PauseJob = Row {
        is_durable: true,
        request: body("Pause", object::<Pause>, false),
        ..does("/jobs/{job}:pause", "PauseJob", "job pause", "Stops firing; what runs goes on.", "Job")
    };
    /// Lets a job fire again.
    ResumeJob = Row {
        is_durable: true,
        ..does("/jobs/{job}:resume", "ResumeJob", "job resume", "Fires again.", "Job")
    };
    /// Runs a job now.
    RunJob = Row {
        is_durable: true,
        role: Role::Submitter,
        request: body("RunWish", object::<RunWish>, false),
        ..does("/jobs/{job}:run", "RunJob", "job run", "Runs a job now, whatever its trigger.", "Submitted")
    };
    /// When a registered job is due.
    PreviewJob = Row {
        query: describe_fields::<PreviewQuery>,
        ..reads("/jobs/{job}/preview", "PreviewJob", "job preview", "Shows when a job will fire next.", "Preview")
    };
    /// When a job that need not be registered is due.
    PreviewDefinition = Row {
        method: Method::Post,
        query: describe_fields::<PreviewQuery>,
        request: body("JobDocument", job_document, true),
        ..reads(
            "/preview", "PreviewJob", "job preview -f",
            "Shows when a job that need not be registered would fire.",
            "Preview",
        )
    };
    /// What became of a job's due times.
    GetLedger = Row {
        query: describe_fields::<LedgerQuery>,
        ..reads(
            "/jobs/{job}/ledger", "GetLedger", "job ledger",
            "Lists what became of each due time, the newest first.",
            "LedgerPage",
        )
    };
    /// How a job fared, in numbers.
    GetJobStats = Row {
        query: describe_fields::<StatsQuery>,
        ..reads(
            "/jobs/{job}/stats", "GetJobStats", "job stats",
            "Counts a job's due times and runs by what became of them, over time, and how late and how long they ran.",
            "JobStats",
        )
    };
    /// Why a job did or did not run.
    ExplainJob = Row {
        query: describe_fields::<ExplainQuery>,
        ..reads(
            "/jobs/{job}/explain", "ExplainJob", "job explain",
            "Says in words why a job did or did not run at an instant.",
            "Explained",
        )
    };
    /// Submits runs.
    Submit = Row {
        is_durable: true,
        role: Role::Submitter,
        request: Some(Request {
            name: "Submissions",
            schema: submissions,
            is_required: true,
            most: SUBMISSIONS_BYTES_MAX,
        }),
        ..does(
            "/submissions", "Submit", "submit",
            "Submits a run, or a list of them, now or for later; no job is needed.",
            "SubmittedList",
        )
    };
    /// A page of runs.
    ListRuns = Row {
        query: describe_fields::<RunsQuery>,
        ..reads("/runs", "ListContexts", "run list", "Lists runs: waiting, running or ended.", "RunPage")
    };
    /// The run that a key stands for.
    FindRun = Row {
        query: describe_fields::<FindQuery>,
        ..reads("/runs:find", "FindContext", "run get --key", "Shows the run that a dedup key stands for.", "Run")
    };
    /// One run.
    GetRun = reads("/runs/{run}", "GetContext", "run get", "Shows a run with its body, its log and its result.", "Run");
    /// Where a run stands.
    ExplainRun = reads(
        "/runs/{run}/explain", "ExplainContext", "run explain",
        "Says in words where a run stands and why: what it waits for, where it runs, how it ended.",
        "RunExplained",
    );
    /// A page of a run's log.
    GetLog = Row {
        query: describe_fields::<LogQuery>,
        ..reads("/runs/{run}/log", "GetLog", "run logs", "Shows what a run said, the oldest lines first.", "LogPage")
    };
    /// A page of a run's subtasks.
    ListSubtasks = Row {
        query: describe_fields::<SubtasksQuery>,
        ..reads(
            "/runs/{run}/subtasks", "ListSubtasks", "run subtasks",
            "Lists the subtasks of a run that is split, under how far they are.",
            "SubtaskPage",
        )
    };
    /// Cancels a run.
    CancelRun = Row {
        is_durable: true,
        ..does(
            "/runs/{run}:cancel", "CancelContext", "run cancel",
            "Cancels a run; one that runs is told, and has its grace to clean up.",
            "Run",
        )
    };
    /// Runs again what ended without success.
    RetryRun = Row {
        is_durable: true,
        ..does("/runs/{run}:retry", "RetryContext", "run retry", "Runs again what ended without success.", "Run")
    };
    /// Waits for the end of a run.
    WaitRun = Row {
        method: Method::Post,
        query: describe_fields::<WaitQuery>,
        ..reads(
            "/runs/{run}:wait", "WaitContext", "run wait",
            "Answers when a run has ended, or with its present state at the time limit.",
            "Run",
        )
    };
    /// A page of the dead.
    ListDead = Row {
        query: describe_fields::<DeadQuery>,
        ..reads("/dead", "ListDead", "dead list", "Lists runs that ended without success.", "DeadPage")
    };
    /// Runs the dead again.
    RequeueDead = Row {
        request: body("DeadChange", object::<Change>, true),
        ..does(
            "/dead:requeue", "RequeueDead", "dead requeue",
            "Runs them again, one bounded step in each request.",
            "DeadChanged",
        )
    };
    /// Forgets the dead.
    PurgeDead = Row {
        role: Role::Admin,
        request: body("DeadChange", object::<Change>, true),
        ..does(
            "/dead:purge", "PurgeDead", "dead purge",
            "Forgets them, one bounded step in each request.",
            "DeadChanged",
        )
    };
    /// The live workers.
    ListWorkers = Row {
        query: describe_fields::<WorkersQuery>,
        ..reads("/workers", "ListWorkers", "worker list", "Lists the live workers with their load.", "WorkerList")
    };
    /// Lets a worker take no more work.
    DrainWorker = does(
        "/workers/{worker}:drain", "DrainWorker", "worker drain",
        "Lets a worker take no more work; what it runs goes on.",
        "Worker",
    );
    /// Lets it take work again.
    UndrainWorker = does("/workers/{worker}:undrain", "UndrainWorker", "worker undrain", "Lets a worker take work again.", "Worker");
    /// The cluster.
    GetCluster = reads("/cluster", "GetCluster", "cluster", "Shows the trackers, the partitions, and what can be lost.", "Cluster");
    /// How the cluster is, in numbers.
    GetOverview = reads(
        "/overview", "GetOverview", "overview",
        "Counts what waits, runs, is late, is dead and ended in the last minute, with workers and permits by group.",
        "Overview",
    );
    /// How much is due when.
    GetWheel = Row {
        query: describe_fields::<WheelQuery>,
        ..reads(
            "/wheel", "GetWheel", "wheel",
            "Counts what is due in each of up to 60 spans of time from now on, and what is overdue.",
            "Wheel",
        )
    };
    /// What comes next.
    ListUpcoming = Row {
        query: describe_fields::<UpcomingQuery>,
        ..reads(
            "/upcoming", "ListUpcoming", "upcoming",
            "Lists what comes next, the earliest first: firings of jobs, runs, further attempts, start deadlines.",
            "UpcomingPage",
        )
    };
    /// What is going on.
    Subscribe = Row {
        query: describe_fields::<StreamQuery>,
        ..reads(
            "/stream", "Subscribe", "tail",
            "Tells what is going on, as server-sent events, until one of both ends it; `Last-Event-ID` goes on behind an event.",
            "StreamEvent",
        )
    };
    /// The limits of all groups.
    ListLimits = reads("/limits", "ListLimits", "limit list", "Lists the groups with limits, with what runs and waits.", "LimitsList");
    /// Gives a group its limits.
    SetLimits = Row {
        method: Method::Put,
        role: Role::Admin,
        request: body("LimitsDocument", limits_document, true),
        ..does(
            "/groups/{group}/limits", "SetLimits", "limit set",
            "Gives a group its limits, in place of those that it had.",
            "Limits",
        )
    };
    /// Takes a group's limits away.
    RemoveLimits = Row {
        method: Method::Delete,
        role: Role::Admin,
        ..does("/groups/{group}/limits", "SetLimits", "limit remove", "Takes a group's limits away.", "Limits")
    };
    /// The groups.
    ListGroups = reads("/groups", "ListGroups", "group list", "Lists the groups that have workers, limits or a pause.", "GroupList");
    /// Holds a group back.
    PauseGroup = Row {
        request: body("GroupPause", object::<GroupPause>, false),
        ..does(
            "/groups/{group}:pause", "PauseGroup", "group pause",
            "Starts no run of a group until it is resumed; what runs goes on.",
            "Group",
        )
    };
    /// Lets a group go on.
    ResumeGroup = does("/groups/{group}:resume", "ResumeGroup", "group resume", "Starts runs of a group again.", "Group");
    /// The tokens.
    ListTokens = Row {
        role: Role::Admin,
        query: describe_fields::<TokensQuery>,
        ..reads("/tokens", "ListTokens", "token list", "Lists the tokens, without their secrets.", "TokenPage")
    };
    /// A link for a browser.
    MakeLoginLink = Row {
        role: Role::Viewer,
        ..does("/login-links", "MakeLoginLink", "console", "Makes a link that logs a browser in as its caller, once.", "LoginLink")
    };
    /// A new token.
    MakeToken = Row {
        role: Role::Admin,
        request: body("TokenWish", object::<TokenWish>, true),
        ..does("/tokens", "MakeToken", "token make", "Makes a token, and answers with its secret this once.", "MadeToken")
    };
    /// Another secret.
    RotateToken = Row {
        role: Role::Admin,
        request: body("Rotation", object::<Rotation>, false),
        ..does(
            "/tokens/{token}:rotate", "RotateToken", "token rotate",
            "Gives a token another secret; the one before is good for a while.",
            "MadeToken",
        )
    };
    /// No token any more.
    RevokeToken = Row {
        method: Method::Delete,
        role: Role::Admin,
        ..does("/tokens/{token}", "RevokeToken", "token revoke", "Revokes a token: within seconds nobody may do anything by it.", "Revoked")
    };
    /// What was done.
    ListAudit = Row {
        role: Role::Admin,
        query: describe_fields::<AuditQuery>,
        ..reads("/audit", "ListAudit", "audit", "Lists what was done and refused, the newest first.", "AuditPage")
    };
}

impl Operation {
    /// What its answer is.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        if matches!(self, Self::Subscribe) {
            "text/event-stream"
        } else {
            "application/json"
        }
    }

    /// Whether a request may say by `If-Match` of which revision it speaks.
    #[must_use]
    pub fn may_name_a_revision(self) -> bool {
        matches!(self, Self::PutJob | Self::DeleteJob)
    }

    /// Whether a request may carry an `Idempotency-Key`.
    #[must_use]
    pub fn may_be_repeated_by_key(self) -> bool {
        matches!(self, Self::Submit | Self::RunJob)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;
    use tickwheel_proto::wire::schema::METHODS;

    use super::*;

    #[test]
    fn every_call_has_a_row_and_every_row_a_call() {
        let calls: BTreeSet<&str> = METHODS
            .iter()
            .filter(|method| method.service == "SchedulerService")
            .map(|method| method.name)
            .collect();
        let rows: BTreeSet<&str> = Operation::ALL.iter().map(|one| one.row().rpc).collect();
        assert_eq!(rows, calls);
        assert!(calls.len() > 20);
    }

    #[test]
    fn paths_differ_and_what_changes_something_is_not_for_viewers() {
        let mut seen = BTreeSet::new();
        for operation in Operation::ALL {
            let row = operation.row();
            assert!(seen.insert((row.method.as_str(), row.path)), "{}", row.path);
            assert!(row.path.starts_with('/') && row.about.ends_with('.'));
            assert!(!row.method.is_safe() || row.request.is_none());
            let reads = [
                Operation::PreviewDefinition,
                Operation::ExplainJob,
                Operation::WaitRun,
            ];
            // What it makes is for whoever asks, and may no more than that.
            let is_own = *operation == Operation::MakeLoginLink;
            let changes = !row.method.is_safe() && !is_own && !reads.contains(operation);
            assert!(!changes || row.role != Role::Viewer, "{operation:?}");
        }
    }

    #[test]
    fn requests_are_described() {
        for operation in Operation::ALL {
            let row = operation.row();
            let query = (row.query)();
            assert_eq!(query["additionalProperties"], false, "{operation:?}");
            if let Some(request) = row.request {
                let schema = (request.schema)();
                assert!(schema.as_object().is_some_and(|schema| !schema.is_empty()));
            }
        }
        assert_eq!(limits_document().get("required"), Some(&json!([])));
        assert!(job_document()["properties"]["body_base64"].is_object());
    }
}
