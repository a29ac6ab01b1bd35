//! Whether a caller may make a call, by the row of its method.

use tickwheel_core::access::{Role, Sight};
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::{ContextId, JobName};
use tickwheel_proto::convert::DEFAULT_GROUP;
use tickwheel_proto::v1;

use super::rules::{Object, Rule, namespace_of};
use crate::access::{Caller, OBJECTS_MAX};
use crate::error::Error;
use crate::rpc::api::ApiContext;

const DEFAULT_NAMESPACE: &str = "default";

/// Refuses a message of which its caller may not do all. Of a batch with one thing too many, nothing is done.
///
/// # Errors
/// [`Error::Denied`] with all that it may not bring; what there is to say of something that does not exist, for what it does not see.
pub(super) async fn check<Q>(
    api: &ApiContext,
    caller: &Caller,
    rule: &Rule<Q>,
    message: &Q,
) -> Result<(), Error> {
    if !caller.is(rule.least) {
        return Err(Error::Denied(needs(rule.least, rule.method, caller).into()));
    }
    let sight = caller.sight();
    if sight.is_everything() {
        return Ok(());
    }
    let (mut found, mut hidden) = (Violations::new(), None);
    let mut named: Vec<Named> = Vec::new();
    (rule.objects)(message, &mut |object| {
        let seen = look(sight, &object, &mut found);
        if let Err(error) = seen {
            hidden.get_or_insert(error);
        } else if sight.asks_for_more() {
            named.extend(Named::of(&object));
        }
    });
    if let Some(error) = hidden {
        return Err(error);
    }
    if !found.is_empty() {
        return Err(Error::Denied(found));
    }
    for one in named {
        one.look(api, sight).await?;
    }
    Ok(())
}

/// What a caller is missing.
pub(crate) fn needs(least: Role, method: &str, caller: &Caller) -> Violation {
    let rule = match least {
        Role::Worker => format!("is {least} for {method}"),
        Role::Viewer | Role::Submitter | Role::Operator | Role::Admin => {
            format!("is {least} or above for {method}")
        }
    };
    Violation::new("role", rule, caller.scope().role)
}

/// What a message is about, in words, for the audit.
pub(super) fn in_words<Q>(rule: &Rule<Q>, message: &Q) -> Vec<String> {
    let mut words = Vec::new();
    (rule.objects)(message, &mut |object| {
        if words.len() < OBJECTS_MAX {
            words.push(match object {
                Object::NewJob { job, .. } => format!("job {}", job.name),
                Object::NewContext { context, .. } => format!(
                    "context of {}/{}/{}",
                    context.namespace, context.group, context.handler
                ),
                Object::Job(name) => format!("job {name}"),
                Object::Context(id, _) => format!("context {id}"),
                Object::Within(namespace, _, kind) => format!("{kind} in {namespace}"),
                Object::Group(group) => format!("group {group}"),
                Object::Token(id) => format!("token {id}"),
                Object::Words(words) => words.into_owned(),
            });
        }
    });
    words
}

fn or_default<'a>(text: &'a str, default: &'a str) -> &'a str {
    if text.is_empty() { default } else { text }
}

/// What one object says of itself: what is brought and not within reach is `found`.
///
/// # Errors
/// What is said of something that does not exist, for what is not seen.
fn look(sight: &Sight, object: &Object<'_>, found: &mut Violations) -> Result<(), Error> {
    match object {
        Object::NewJob { at, job } => {
            let namespace = or_default(namespace_of(&job.name), DEFAULT_NAMESPACE);
            let place = format!("jobs[{at}]");
            let names = [
                ("name", namespace),
                ("group", &job.group),
                ("handler", &job.handler),
            ];
            brought(sight, &place, names, found);
            if !job.reduce.is_empty() && !sight.handlers.matches(&job.reduce) {
                found.push(beyond(&format!("{place}.reduce"), &job.reduce));
            }
        }
        Object::NewContext { at, context } => {
            let v1::Submission {
                namespace,
                group,
                handler,
                ..
            } = context;
            let names = [
                ("namespace", or_default(namespace, DEFAULT_NAMESPACE)),
                ("group", group),
                ("handler", handler),
            ];
            brought(sight, &format!("contexts[{at}]"), names, found);
        }
        Object::Group(group) => {
            if !sight.groups.matches(group) {
                found.push(beyond("group", group));
            }
        }
        Object::Job(name) => {
            // A name that is none is refused as such.
            if let Ok(name) = JobName::new(name)
                && !sight.namespaces.matches(name.namespace())
            {
                return Err(Error::not_found("job", name));
            }
        }
        Object::Context(id, kind) => {
            if let Ok(id) = id.parse::<ContextId>()
                && !sight.namespaces.matches(id.namespace())
            {
                return Err(Error::not_found(kind, id));
            }
        }
        Object::Within(namespace, looked_for, kind) => {
            if !sight
                .namespaces
                .matches(or_default(namespace, DEFAULT_NAMESPACE))
            {
                return Err(Error::not_found(kind, *looked_for));
            }
        }
        // Tokens are compared whole, by who changes them.
        Object::Token(_) | Object::Words(_) => {}
    }
    Ok(())
}

fn brought(
    sight: &Sight,
    place: &str,
    [namespace, group, handler]: [(&str, &str); 3],
    found: &mut Violations,
) {
    let group = (group.0, or_default(group.1, DEFAULT_GROUP));
    let all = [
        (namespace, &sight.namespaces),
        (group, &sight.groups),
        (handler, &sight.handlers),
    ];
    for ((field, name), patterns) in all {
        if !patterns.matches(name) {
            found.push(beyond(&format!("{place}.{field}"), name));
        }
    }
}

fn beyond(field: &str, name: &str) -> Violation {
    Violation::new(field, "is within what your token reaches", name)
}

/// Something that is loaded to know whether it is in sight.
enum Named {
    Job(JobName),
    /// One that is there may be changed only by who sees it.
    NewJob(usize, JobName),
    Context(ContextId, &'static str),
}

impl Named {
    fn of(object: &Object<'_>) -> Option<Self> {
        match object {
            Object::NewJob { at, job } => JobName::new(&job.name)
                .ok()
                .map(|name| Self::NewJob(*at, name)),
            Object::Job(name) => JobName::new(name).ok().map(Self::Job),
            Object::Context(id, kind) => id.parse().ok().map(|id| Self::Context(id, kind)),
            Object::NewContext { .. }
            | Object::Within(..)
            | Object::Group(_)
            | Object::Token(_)
            | Object::Words(_) => None,
        }
    }

    async fn look(self, api: &ApiContext, sight: &Sight) -> Result<(), Error> {
        match self {
            Self::Job(name) => {
                let known = api.store.get_job(&name).await?;
                let is_hidden = known.is_some_and(|view| !has_job(sight, &view.spec));
                if is_hidden {
                    return Err(Error::not_found("job", name));
                }
            }
            Self::NewJob(at, name) => {
                let known = api.store.get_job(&name).await?;
                if known.is_some_and(|view| !has_job(sight, &view.spec)) {
                    return Err(Error::Denied(
                        beyond(&format!("jobs[{at}].name"), name.as_str()).into(),
                    ));
                }
            }
            Self::Context(id, kind) => {
                let known = api.store.get_context(&id).await?;
                if known.is_some_and(|view| !view.is_in(sight)) {
                    return Err(Error::not_found(kind, id));
                }
            }
        }
        Ok(())
    }
}

/// Whether a job is in sight.
pub(super) fn has_job(sight: &Sight, spec: &tickwheel_core::job::JobSpec) -> bool {
    let (group, handler) = (spec.group.as_str(), spec.handler.as_str());
    sight.has(spec.name.namespace(), Some(group), Some(handler))
}
