//! What each method asks of its caller: one row for each. A method without a row does not compile, as the service is made of them.
//!
//! A row says which role may call it at least, whether it is written down, and what its message is about: what it brings, which has to be within
//! what its caller reaches, and what it names, which does not exist for a caller who does not see it.

use std::borrow::Cow;

use tickwheel_core::access::Role;
use tickwheel_proto::v1;

use super::tasks::{NewTask, TaskId};

/// What a message is about.
#[derive(Debug, Clone)]
pub(crate) enum Object<'a> {
    /// A job as it shall be.
    NewJob { at: usize, job: &'a v1::JobSpec },
    /// A context as it shall be.
    NewContext {
        at: usize,
        context: &'a v1::Submission,
    },
    /// A job that is there.
    Job(&'a str),
    /// A context that is there, named in this field; what is said of one that is not.
    Context(&'a str, &'static str),
    /// The namespace in which something is looked for; what is looked for, and what is said when it is not there.
    Within(&'a str, &'a str, &'static str),
    /// A group that is paused or resumed, or whose limits change.
    Group(&'a str),
    /// A token.
    Token(&'a str),
    /// Something else, for people: no check goes by it.
    Words(Cow<'a, str>),
}

/// Takes one object after the other.
pub(crate) type Take<'t, 'a> = &'t mut dyn FnMut(Object<'a>);

/// A row.
pub(crate) struct Rule<Q> {
    /// As the proto calls the method.
    pub(crate) method: &'static str,
    /// Who may call it at least.
    pub(crate) least: Role,
    /// Whether a message is written down in the audit, also when nothing is refused.
    pub(crate) is_audited: fn(&Q) -> bool,
    /// What a message is about.
    pub(crate) objects: for<'a> fn(&'a Q, Take<'_, 'a>),
}

macro_rules! rules {
    ($(#[doc = $doc:literal])+ $all:ident: $($constant:ident = $method:literal($request:ty), $least:ident, $audited:expr, $objects:expr;)*) => {
        $(pub(crate) const $constant: Rule<$request> = Rule {
            method: $method,
            least: Role::$least,
            is_audited: $audited,
            objects: $objects,
        };)*

        $(#[doc = $doc])+
        #[cfg(test)]
        pub(crate) const $all: &[(&str, Role)] = &[$(($method, Role::$least)),*];
    };
}

const fn never<Q>(_: &Q) -> bool {
    false
}

const fn always<Q>(_: &Q) -> bool {
    true
}

rules! {
    /// Method and least role of each row.
    ALL:
    APPLY_JOBS = "ApplyJobs"(v1::ApplyJobsRequest), Operator, |r| !r.dry_run, |r, take| {
        for (at, job) in r.jobs.iter().enumerate() {
            take(Object::NewJob { at, job });
        }
    };
    LIST_JOBS = "ListJobs"(v1::ListJobsRequest), Viewer, never, |_, _| {};
    GET_JOB = "GetJob"(v1::JobRef), Viewer, never, |r, take| take(Object::Job(&r.name));
    PAUSE_JOB = "PauseJob"(v1::PauseJobRequest), Operator, always, |r, take| take(Object::Job(&r.name));
    RESUME_JOB = "ResumeJob"(v1::JobRef), Operator, always, |r, take| take(Object::Job(&r.name));
    DELETE_JOB = "DeleteJob"(v1::DeleteJobRequest), Operator, always, |r, take| take(Object::Job(&r.name));
    RUN_JOB = "RunJob"(v1::RunJobRequest), Submitter, never, |r, take| take(Object::Job(&r.name));
    PREVIEW_JOB = "PreviewJob"(v1::PreviewJobRequest), Viewer, never, |r, take| {
        if r.spec.is_none() {
            take(Object::Job(&r.name));
        }
    };
    GET_LEDGER = "GetLedger"(v1::GetLedgerRequest), Viewer, never, |r, take| take(Object::Job(&r.name));
    GET_JOB_STATS = "GetJobStats"(v1::GetJobStatsRequest), Viewer, never, |r, take| take(Object::Job(&r.name));
    EXPLAIN_JOB = "ExplainJob"(v1::ExplainJobRequest), Viewer, never, |r, take| take(Object::Job(&r.name));
    SUBMIT = "Submit"(v1::SubmitRequest), Submitter, never, |r, take| {
        for (at, context) in r.contexts.iter().enumerate() {
            take(Object::NewContext { at, context });
        }
    };
    FIND_CONTEXT = "FindContext"(v1::FindContextRequest), Viewer, never, |r, take| {
        let namespace = if r.job.is_empty() { r.namespace.as_str() } else { namespace_of(&r.job) };
        take(Object::Within(namespace, &r.dedup_key, "dedup key"));
    };
    LIST_CONTEXTS = "ListContexts"(v1::ListContextsRequest), Viewer, never, |_, _| {};
    GET_CONTEXT = "GetContext"(v1::ContextRef), Viewer, never, |r, take| take(Object::Context(&r.id, "context"));
    EXPLAIN_CONTEXT = "ExplainContext"(v1::ContextRef), Viewer, never, |r, take| take(Object::Context(&r.id, "context"));
    // A context that is not there has an empty log, as one without a log has: the method itself answers so.
    GET_LOG = "GetLog"(v1::GetLogRequest), Viewer, never, |_, _| {};
    CANCEL_CONTEXT = "CancelContext"(v1::ContextRef), Operator, always, |r, take| take(Object::Context(&r.id, "context"));
    RETRY_CONTEXT = "RetryContext"(v1::ContextRef), Operator, always, |r, take| take(Object::Context(&r.id, "context"));
    LIST_SUBTASKS = "ListSubtasks"(v1::ListSubtasksRequest), Viewer, never, |r, take| {
        take(Object::Context(&r.context_id, "split context with subtasks"));
    };
    LIST_DEAD = "ListDead"(v1::ListDeadRequest), Viewer, never, |_, _| {};
    REQUEUE_DEAD = "RequeueDead"(v1::ChangeDeadRequest), Operator, |r| !r.dry_run, dead;
    PURGE_DEAD = "PurgeDead"(v1::ChangeDeadRequest), Admin, |r| !r.dry_run, dead;
    WAIT_CONTEXT = "WaitContext"(v1::WaitContextRequest), Viewer, never, |r, take| take(Object::Context(&r.id, "context"));
    LIST_WORKERS = "ListWorkers"(v1::ListWorkersRequest), Viewer, never, |_, _| {};
    // Whose group is out of reach is found by the method, which looks for the worker.
    DRAIN_WORKER = "DrainWorker"(v1::WorkerRef), Operator, always, |r, take| take(Object::Words(format!("worker {}", r.id).into()));
    UNDRAIN_WORKER = "UndrainWorker"(v1::WorkerRef), Operator, always, |r, take| take(Object::Words(format!("worker {}", r.id).into()));
    GET_CLUSTER = "GetCluster"(v1::GetClusterRequest), Viewer, never, |_, _| {};
    GET_OVERVIEW = "GetOverview"(v1::GetOverviewRequest), Viewer, never, |_, _| {};
    GET_WHEEL = "GetWheel"(v1::GetWheelRequest), Viewer, never, |_, _| {};
    LIST_UPCOMING = "ListUpcoming"(v1::ListUpcomingRequest), Viewer, never, |_, _| {};
    SUBSCRIBE = "Subscribe"(v1::SubscribeRequest), Viewer, never, |r, take| {
        for topic in &r.topics {
            if let Some(id) = topic.strip_prefix("log:") {
                take(Object::Context(id, "context"));
            }
        }
    };
    SET_LIMITS = "SetLimits"(v1::GroupLimits), Admin, always, |r, take| take(Object::Group(&r.group));
    LIST_LIMITS = "ListLimits"(v1::ListLimitsRequest), Viewer, never, |_, _| {};
    LIST_GROUPS = "ListGroups"(v1::ListGroupsRequest), Viewer, never, |_, _| {};
    PAUSE_GROUP = "PauseGroup"(v1::PauseGroupRequest), Operator, always, |r, take| take(Object::Group(&r.name));
    RESUME_GROUP = "ResumeGroup"(v1::GroupRef), Operator, always, |r, take| take(Object::Group(&r.name));
    MAKE_LOGIN_LINK = "MakeLoginLink"(v1::MakeLoginLinkRequest), Viewer, always, |_, _| {};
    MAKE_TOKEN = "MakeToken"(v1::MakeTokenRequest), Admin, always, |r, take| {
        take(Object::Words(format!("token for {}", r.name).into()));
    };
    ROTATE_TOKEN = "RotateToken"(v1::RotateTokenRequest), Admin, always, |r, take| take(Object::Token(&r.id));
    REVOKE_TOKEN = "RevokeToken"(v1::RevokeTokenRequest), Admin, always, |r, take| take(Object::Token(&r.id));
    LIST_TOKENS = "ListTokens"(v1::ListTokensRequest), Admin, never, |_, _| {};
    LIST_AUDIT = "ListAudit"(v1::ListAuditRequest), Admin, never, |_, _| {};
}

// What clients of xcron ask for. A task is a job, and yet whoever submits contexts may create it: there is no job but a task that it can bring.
rules! {
    /// Those of xcron.
    TASKS:
    CREATE_TASK = "xcron/createTask"(NewTask), Submitter, always, |task, take| take(Object::NewJob { at: 0, job: task.job() });
    DELETE_TASK = "xcron/deleteTask"(TaskId), Submitter, always, |id, take| take(Object::Job(id.job()));
    QUERY_TASK = "xcron/queryTask"(TaskId), Viewer, never, |id, take| take(Object::Job(id.job()));
}

/// Each of the ids; a filter, or all, is about what is in sight.
fn dead<'a>(request: &'a v1::ChangeDeadRequest, take: Take<'_, 'a>) {
    for id in &request.ids {
        take(Object::Context(id, "context"));
    }
    if request.all {
        take(Object::Words("all dead".into()));
    } else if request.filter.is_some() {
        take(Object::Words("dead of a filter".into()));
    }
}

/// The namespace of a job's name as it was given.
pub(super) fn namespace_of(job: &str) -> &str {
    job.split_once('/').map_or("", |(namespace, _)| namespace)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tickwheel_proto::wire::schema::METHODS;

    use super::*;

    #[test]
    fn every_method_of_the_service_has_a_row_and_every_row_a_method() {
        let methods: Vec<&str> = METHODS
            .iter()
            .filter(|method| method.service == "SchedulerService")
            .map(|method| method.name)
            .collect();
        let rows: BTreeMap<&str, Role> = ALL.iter().copied().collect();
        assert_eq!(rows.len(), ALL.len(), "a method has two rows");
        assert_eq!(rows.len(), methods.len());
        for method in methods {
            assert!(rows.contains_key(method), "{method} has no row");
        }
        // Workers have a stream, which is entered by another door.
        let others = METHODS
            .iter()
            .filter(|method| method.service != "SchedulerService");
        let others: Vec<&str> = others.map(|method| method.name).collect();
        assert_eq!(others, ["Session"]);
        assert!(rows.values().all(|least| *least != Role::Worker));
    }

    #[test]
    fn a_path_asks_for_the_role_of_its_call() {
        let rows: BTreeMap<&str, Role> = ALL.iter().copied().collect();
        for operation in tickwheel_api::routes::Operation::ALL {
            let row = operation.row();
            assert_eq!(rows.get(row.rpc), Some(&row.role), "{operation:?}");
        }
    }

    #[test]
    fn the_page_has_the_rows() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/security.md");
        let page = std::fs::read_to_string(page).unwrap();
        for (method, least) in ALL.iter().chain(TASKS) {
            let row = page
                .lines()
                .find(|line| line.starts_with("| ") && line.contains(&format!("`{method}`")));
            let row = row.unwrap_or_else(|| panic!("docs/security.md does not know {method}"));
            assert!(
                row.contains(&format!("| {least} |")),
                "{method} is for {least}: {row}"
            );
        }
    }
}
