//! What is asked about jobs.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tickwheel_core::bounds::{LABELS_MAX, SUBMIT_MAX};
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::Reuse;
use tickwheel_core::manifest::{describe_body, read_body};
use tickwheel_core::shape::{Defaults, List, Part, Reader, Record, TEXT, Visitor, optional, place};
use tickwheel_proto::convert::dedup_of;
use tickwheel_proto::v1;

use super::asked::Asked;
use super::dedup::DedupWish;
use super::documents::{documents, named_document};
use super::forms::{Flag, Number};
use super::{record, tree, words};

const PAGE: Number = Number {
    least: 1,
    most: 1_000,
};
/// What a caller of gRPC says by 0.
const PAGE_DEFAULT: u32 = 100;

/// Which jobs are listed.
pub(crate) struct JobsQuery {
    prefix: String,
    labels: Vec<String>,
    page_size: u32,
    cursor: String,
}

impl Record for JobsQuery {
    fn blank() -> Self {
        Self {
            prefix: String::new(),
            labels: Vec::new(),
            page_size: PAGE_DEFAULT,
            cursor: String::new(),
        }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        visit.field(
            optional("prefix", "Only names that start with this, say payments/."),
            TEXT,
            place!(Self: prefix),
        );
        visit.field(
            optional(
                "label",
                "Only jobs with this label, or this value of it: team, team=billing. May be given several times.",
            ),
            List {
                form: TEXT,
                rule: "is a list of labels",
                least: 0,
                most: LABELS_MAX,
            },
            place!(Self: labels),
        );
        visit.field(
            optional("page_size", "At most so many."),
            PAGE,
            place!(Self: page_size),
        );
        visit.field(
            optional("cursor", "The `next_cursor` of the page before."),
            TEXT,
            place!(Self: cursor),
        );
    }
}

/// A page of jobs.
///
/// # Errors
/// Everything that is wrong with the parameters.
pub fn list_jobs(asked: &Asked<'_>) -> Result<v1::ListJobsRequest, Violations> {
    let query: JobsQuery = record::of_query(asked.query, &["label"])?;
    Ok(v1::ListJobsRequest {
        prefix: query.prefix,
        page_size: query.page_size,
        cursor: query.cursor,
        labels: query.labels,
    })
}

/// Whether anything is written.
pub(crate) struct ApplyQuery {
    dry_run: bool,
}

impl Record for ApplyQuery {
    fn blank() -> Self {
        Self { dry_run: false }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        let about = "Checks everything, answers what would happen, and writes nothing.";
        visit.field(optional("dry_run", about), Flag, place!(Self: dry_run));
    }
}

/// The jobs of one document, or of a list of them.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn apply_jobs(asked: &Asked<'_>) -> Result<v1::ApplyJobsRequest, Violations> {
    let query = record::of_query::<ApplyQuery>(asked.query, &[]);
    let jobs = documents(asked.body, SUBMIT_MAX);
    let mut found = Violations::new();
    match (found.keep(query), found.keep(jobs)) {
        (Some(query), Some(jobs)) => Ok(v1::ApplyJobsRequest {
            jobs: jobs.iter().map(v1::JobSpec::from).collect(),
            dry_run: query.dry_run,
            ..v1::ApplyJobsRequest::default()
        }),
        (None, _) | (_, None) => Err(found),
    }
}

/// The job of the name in the path.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn put_job(asked: &Asked<'_>) -> Result<v1::ApplyJobsRequest, Violations> {
    let query = record::of_query::<ApplyQuery>(asked.query, &[]);
    let job = named_document(asked.name, tree::checked(asked.body)?);
    let mut found = Violations::new();
    match (found.keep(query), found.keep(job)) {
        (Some(query), Some(job)) => Ok(v1::ApplyJobsRequest {
            jobs: vec![v1::JobSpec::from(&job)],
            dry_run: query.dry_run,
            ..v1::ApplyJobsRequest::default()
        }),
        (None, _) | (_, None) => Err(found),
    }
}

/// A job by its name.
///
/// # Errors
/// When there are parameters.
pub fn named_job(asked: &Asked<'_>) -> Result<v1::JobRef, Violations> {
    let record::Nothing = record::of_query(asked.query, &[])?;
    Ok(v1::JobRef {
        name: asked.name.to_owned(),
    })
}

/// Whether it is deleted also when others follow it.
pub(crate) struct DeleteQuery {
    force: bool,
}

impl Record for DeleteQuery {
    fn blank() -> Self {
        Self { force: false }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        let about = "Also when other jobs follow it: they do not run until a job of its name is registered again.";
        visit.field(optional("force", about), Flag, place!(Self: force));
    }
}

/// The deletion of a job.
///
/// # Errors
/// Everything that is wrong with the parameters.
pub fn delete_job(asked: &Asked<'_>) -> Result<v1::DeleteJobRequest, Violations> {
    let query: DeleteQuery = record::of_query(asked.query, &[])?;
    Ok(v1::DeleteJobRequest {
        name: asked.name.to_owned(),
        force: query.force,
        ..v1::DeleteJobRequest::default()
    })
}

/// Why a job is paused.
pub(crate) struct Pause {
    note: String,
}

impl Record for Pause {
    fn blank() -> Self {
        let note = String::new();
        Self { note }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        let about = "Why; others see it in lists and in the job.";
        visit.field(optional("note", about), TEXT, place!(Self: note));
    }
}

/// The pause of a job.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn pause_job(asked: &Asked<'_>) -> Result<v1::PauseJobRequest, Violations> {
    let name = named_job(asked);
    let pause = record::of_json::<Pause>(asked.body);
    let mut found = Violations::new();
    match (found.keep(name), found.keep(pause)) {
        (Some(job), Some(pause)) => Ok(v1::PauseJobRequest {
            name: job.name,
            note: pause.note,
        }),
        (None, _) | (_, None) => Err(found),
    }
}

/// What is different in a run that is asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunWish {
    body: Option<Bytes>,
    dedup: DedupWish,
}

/// The keys of a body.
struct Body;

impl Part<RunWish> for Body {
    fn read(&self, reader: &mut Reader<'_, '_>, into: &mut RunWish) {
        into.body = read_body(reader);
    }

    fn write(&self, _: &RunWish, _: Defaults, _: &mut Vec<(&'static str, Value)>) {}

    fn describe(&self, properties: &mut Map<String, Value>) -> Vec<&'static str> {
        describe_body(properties);
        if let Some(body) = properties.get_mut("body").and_then(Value::as_object_mut) {
            let about = "The body of this run in place of the job's own; any JSON.";
            body.insert("description".to_owned(), json!(about));
        }
        Vec::new()
    }
}

impl Record for RunWish {
    fn blank() -> Self {
        Self::default()
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        visit.part(&Body);
        DedupWish::fields(visit, place!(Self: dedup));
    }

    fn check(&self) -> Violations {
        let (key, keep_ms, reuse) = self.dedup.clone().into_wire();
        match dedup_of(&key, keep_ms, reuse) {
            Ok(Some(dedup)) if dedup.reuse == Reuse::Replace => {
                let rule = "is return_existing or reject for the run of a job: its overlap policy says what is replaced";
                Violation::new("dedup_reuse", rule, Reuse::Replace).into()
            }
            Ok(_) => Violations::new(),
            Err(wrong) => {
                let field = words::in_words(&wrong.field);
                wrong.at(field).into()
            }
        }
    }
}

/// The run of a job on demand.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn run_job(asked: &Asked<'_>) -> Result<v1::RunJobRequest, Violations> {
    let name = named_job(asked);
    let wish = record::of_json::<RunWish>(asked.body);
    let mut found = Violations::new();
    let (Some(job), Some(wish)) = (found.keep(name), found.keep(wish)) else {
        return Err(found);
    };
    let (dedup_key, dedup_keep_ms, dedup_reuse) = wish.dedup.into_wire();
    Ok(v1::RunJobRequest {
        name: job.name,
        body: wish.body,
        dedup_key,
        dedup_keep_ms,
        dedup_reuse,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &'static str, body: &'static str) -> Asked<'static> {
        Asked {
            name: "a/b",
            query,
            body: body.as_bytes(),
        }
    }

    #[test]
    fn documents_are_those_of_files_and_their_bodies_are_exact() {
        let body = r#"[{"kind": "Job", "name": "x", "handler": "h", "trigger": "manual", "body": {"a": 1e400}},
            {"name": "y", "handler": "h", "trigger": {"fixed_rate": "10s"}, "body_base64": "/w=="}]"#;
        let request = apply_jobs(&asked("dry_run=true", body)).unwrap();
        assert!(request.dry_run);
        assert_eq!(request.jobs[0].body.as_ref(), br#"{"a": 1e400}"#);
        assert_eq!(request.jobs[1].body.as_ref(), b"\xff");
        let body = r#"[{"name": "x", "handler": "h", "trigger": {"cron": "nope"}, "tmeout": "1s"}, {"kind": "Limits", "group": "g"}, 5]"#;
        let wrong = apply_jobs(&asked("dry=1", body)).unwrap_err().to_string();
        for line in [
            "dry: is not a known key; did you mean `dry_run`?",
            "[0].trigger.cron: ",
            "[0].tmeout: is not a known key; did you mean `timeout`?",
            "[1].kind: is Job",
            "[2]: is an object",
        ] {
            assert!(wrong.contains(line), "{line}: {wrong}");
        }
    }

    #[test]
    fn a_run_may_have_a_body_of_its_own() {
        let request = run_job(&asked("", "")).unwrap();
        assert_eq!((request.name.as_str(), request.body), ("a/b", None));
        let request = run_job(&asked("", r#"{"body": [1,  2], "dedup_key": "k"}"#)).unwrap();
        assert_eq!(request.body.as_deref(), Some(&b"[1,  2]"[..]));
        let body = r#"{"dedup_key": "k", "dedup_reuse": "replace", "boddy": 1}"#;
        let wrong = run_job(&asked("x=1", body)).unwrap_err();
        assert_eq!(wrong.len(), 3, "{wrong}");
        let wrong = run_job(&asked("", r#"{"dedup_keep": "1h"}"#)).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "dedup_keep: belongs to a dedup_key (given: 3600000)"
        );
    }

    #[test]
    fn what_is_no_parameter_is_refused() {
        assert!(delete_job(&asked("force=yes", "")).is_err());
        assert!(pause_job(&asked("", "[]")).is_err());
        assert_eq!(
            pause_job(&asked("", r#"{"note": "why"}"#)).unwrap().note,
            "why"
        );
    }
}
