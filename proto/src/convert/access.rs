//! What tokens may do.

use std::collections::BTreeSet;

use tickwheel_core::access::{Patterns, Permission, Role, Scope, Sight, WorkerBounds};
use tickwheel_core::error::{Violation, Violations};

use super::word;
use crate::v1;

fn role_from_wire(number: i32) -> Result<Role, Violation> {
    const KNOWN: &str = "viewer, submitter, operator, admin, worker";
    match word("role", number, KNOWN)? {
        v1::Role::Unspecified => Err(Violation::new("role", format!("is one of {KNOWN}"), "")),
        v1::Role::Viewer => Ok(Role::Viewer),
        v1::Role::Submitter => Ok(Role::Submitter),
        v1::Role::Operator => Ok(Role::Operator),
        v1::Role::Admin => Ok(Role::Admin),
        v1::Role::Worker => Ok(Role::Worker),
    }
}

impl From<Role> for v1::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Submitter => Self::Submitter,
            Role::Operator => Self::Operator,
            Role::Admin => Self::Admin,
            Role::Worker => Self::Worker,
        }
    }
}

impl TryFrom<v1::Scope> for Scope {
    type Error = Violations;

    /// A scope whose parts go together.
    fn try_from(wire: v1::Scope) -> Result<Self, Violations> {
        let mut found = Violations::new();
        let role = found.keep(role_from_wire(wire.role));
        let mut patterns = |field: &str, texts: &[String]| {
            let read = Patterns::parse(texts).map_err(|wrong| wrong.prefix(field));
            found.keep(read).unwrap_or_default()
        };
        let sight = Sight {
            namespaces: patterns("namespaces", &wire.namespaces),
            groups: patterns("groups", &wire.groups),
            handlers: patterns("handlers", &wire.handlers),
        };
        let ids = patterns("worker_ids", &wire.worker_ids);
        let mut permissions = BTreeSet::new();
        for (at, text) in wire.permissions.iter().enumerate() {
            let read = text.parse::<Permission>();
            permissions
                .extend(found.keep(read.map_err(|wrong| wrong.at(format!("permissions[{at}]")))));
        }
        let is_bound = !ids.is_empty() || wire.permits > 0;
        let worker = is_bound.then(|| WorkerBounds {
            ids,
            permits: Some(wire.permits).filter(|permits| *permits > 0),
        });
        let Some(role) = role.filter(|_| found.is_empty()) else {
            return Err(found);
        };
        let scope = Self {
            role,
            sight,
            permissions,
            worker,
        };
        scope.validate()?;
        Ok(scope)
    }
}

impl From<&Scope> for v1::Scope {
    fn from(scope: &Scope) -> Self {
        let texts = |patterns: &Patterns| patterns.iter().map(ToString::to_string).collect();
        let permissions = scope.permissions.iter();
        let worker = scope.worker.as_ref();
        Self {
            role: v1::Role::from(scope.role).into(),
            namespaces: texts(&scope.sight.namespaces),
            groups: texts(&scope.sight.groups),
            handlers: texts(&scope.sight.handlers),
            permissions: permissions.map(ToString::to_string).collect(),
            worker_ids: worker.map_or_else(Vec::new, |worker| texts(&worker.ids)),
            permits: worker.and_then(|worker| worker.permits).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_the_same_behind_the_wire() {
        let worker = Scope {
            role: Role::Worker,
            sight: Sight {
                namespaces: Patterns::default(),
                groups: Patterns::parse(["g", "h*"]).unwrap(),
                handlers: Patterns::any(),
            },
            permissions: BTreeSet::new(),
            worker: Some(WorkerBounds {
                ids: Patterns::parse(["mill-*"]).unwrap(),
                permits: Some(4),
            }),
        };
        for scope in [worker, Scope::unlimited()] {
            assert_eq!(Scope::try_from(v1::Scope::from(&scope)), Ok(scope));
        }
    }

    #[test]
    fn every_mistake_comes_back_with_its_place() {
        let wrong = v1::Scope {
            namespaces: vec!["a".to_owned(), "b?".to_owned()],
            permissions: vec!["root".to_owned()],
            ..v1::Scope::default()
        };
        let found = Scope::try_from(wrong).unwrap_err();
        let fields: Vec<&str> = found.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, ["role", "namespaces[1]", "permissions[0]"]);
        let unbound = v1::Scope {
            role: v1::Role::Worker.into(),
            groups: vec!["*".to_owned()],
            handlers: vec!["*".to_owned()],
            ..v1::Scope::default()
        };
        let found = Scope::try_from(unbound).unwrap_err();
        assert_eq!(found.iter().next().unwrap().field, "worker_ids");
    }
}
