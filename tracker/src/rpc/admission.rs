//! Whether a worker may be who it says.

use tickwheel_core::access::Role;
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::GroupName;
use tickwheel_proto::v1::Hello;

use super::scheduler::needs;
use crate::access::{Authority, Caller};
use crate::error::Error;

const METHOD: &str = "Session";
/// Handlers that a refusal names.
const NAMED_MAX: usize = 10;

/// Refuses a stream of whoever is no worker.
///
/// # Errors
/// [`Error::Denied`].
pub(super) fn is_worker(authority: &Authority, caller: &Caller) -> Result<(), Error> {
    if caller.is(Role::Worker) {
        return Ok(());
    }
    authority.denied(caller, METHOD, Vec::new, "PERMISSION_DENIED");
    Err(Error::Denied(needs(Role::Worker, METHOD, caller).into()))
}

/// Refuses a worker that is of another group, has other handlers, another id or more permits than its token says.
///
/// # Errors
/// [`Error::Denied`] with all of it.
pub(super) fn admit(
    authority: &Authority,
    caller: &Caller,
    group: &GroupName,
    hello: &Hello,
) -> Result<(), Error> {
    let scope = caller.scope();
    let mut found = Violations::new();
    if !scope.sight.groups.matches(group.as_str()) {
        found.push(beyond("group", group.as_str()));
    }
    let others = hello
        .handlers
        .iter()
        .filter(|handler| !scope.sight.handlers.matches(handler));
    for handler in others.take(NAMED_MAX) {
        found.push(beyond("handlers", handler));
    }
    if let Some(worker) = &scope.worker {
        if !worker.ids.matches(&hello.worker_id) {
            found.push(beyond("worker_id", &hello.worker_id));
        }
        if let Some(permits) = worker.permits.filter(|most| hello.permits > *most) {
            let rule = format!("is at most {permits} by its token");
            found.add("permits", rule, hello.permits);
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    let objects = || {
        vec![
            format!("worker {}", hello.worker_id),
            format!("group {group}"),
        ]
    };
    authority.denied(caller, METHOD, objects, "PERMISSION_DENIED");
    Err(Error::Denied(found.prefix("hello")))
}

fn beyond(field: &str, name: &str) -> Violation {
    Violation::new(field, "is within what its token reaches", name)
}
