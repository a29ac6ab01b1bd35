//! What a token reaches.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::pattern::Patterns;
use super::role::{Permission, Role};
use crate::bounds::WORKER_PERMITS_MAX;
use crate::error::Violations;
use crate::id::ContextId;

/// Which jobs, contexts and workers there are for somebody: of these namespaces, groups and handlers. Nothing else exists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    /// Of jobs, and of contexts submitted alone.
    pub namespaces: Patterns,
    /// Of workers, and of what they run.
    pub groups: Patterns,
    /// What is run.
    pub handlers: Patterns,
}

impl Sight {
    /// Everything.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            namespaces: Patterns::any(),
            groups: Patterns::any(),
            handlers: Patterns::any(),
        }
    }

    /// Whether nothing is hidden.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.namespaces.is_any() && !self.asks_for_more()
    }

    /// Whether it takes more than its namespace to know if something is in sight.
    #[must_use]
    pub fn asks_for_more(&self) -> bool {
        !(self.groups.is_any() && self.handlers.is_any())
    }

    /// Whether something of this namespace, group and handler is in sight. What is not known of it is hidden from those who do not see all.
    #[must_use]
    pub fn has(&self, namespace: &str, group: Option<&str>, handler: Option<&str>) -> bool {
        let in_sight = |patterns: &Patterns, name: Option<&str>| {
            name.map_or_else(|| patterns.is_any(), |name| patterns.matches(name))
        };
        self.namespaces.matches(namespace)
            && in_sight(&self.groups, group)
            && in_sight(&self.handlers, handler)
    }

    /// The same of a context, by the namespace of its id.
    #[must_use]
    pub fn has_context(&self, id: &ContextId, group: Option<&str>, handler: Option<&str>) -> bool {
        self.has(id.namespace(), group, handler)
    }

    /// Whether all that `other` sees is in sight.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.namespaces.covers(&other.namespaces)
            && self.groups.covers(&other.groups)
            && self.handlers.covers(&other.handlers)
    }

    /// With what the names of all jobs in sight begin: disjoint, in order. `billing/` is a whole namespace, `team-` all that begin so.
    #[must_use]
    pub fn beginnings(&self) -> Vec<String> {
        let all = self.namespaces.iter().map(|pattern| match pattern.parts() {
            (name, false) => format!("{name}/"),
            (beginning, true) => beginning.to_owned(),
        });
        let mut all: Vec<String> = all.collect();
        all.sort_unstable();
        all
    }
}

/// What workers with a token may be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerBounds {
    /// Their ids.
    pub ids: Patterns,
    /// Permits of each; `None`: as many as any may have.
    pub permits: Option<u32>,
}

/// Who somebody is, and what it reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// What it may do.
    pub role: Role,
    /// To what. Workers belong to no namespace: theirs are empty.
    #[serde(flatten)]
    pub sight: Sight,
    /// What beside that.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub permissions: BTreeSet<Permission>,
    /// Only of workers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<WorkerBounds>,
}

impl Scope {
    /// Whoever may do everything.
    #[must_use]
    pub fn unlimited() -> Self {
        Self {
            role: Role::Admin,
            sight: Sight::everything(),
            permissions: Permission::ALL.iter().copied().collect(),
            worker: None,
        }
    }

    /// Whether it has a permission.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// Whether `other` may do nothing that this may not, so that who has this may give that to others. Only admins give workers what they are.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let role = other.role == Role::Worker && self.role == Role::Admin
            || self.role.includes(other.role);
        role && self.sight.covers(&other.sight) && other.permissions.is_subset(&self.permissions)
    }

    /// Checks that its parts go together.
    ///
    /// # Errors
    /// All violations together.
    pub fn validate(&self) -> Result<(), Violations> {
        let mut found = Violations::new();
        let some = "has at least one entry; * means all";
        if self.sight.groups.is_empty() {
            found.add("groups", some, "");
        }
        if self.sight.handlers.is_empty() {
            found.add("handlers", some, "");
        }
        if self.role == Role::Worker {
            if !self.sight.namespaces.is_empty() {
                found.add(
                    "namespaces",
                    "is empty for a worker: its group says what it runs",
                    "",
                );
            }
            if !self.permissions.is_empty() {
                found.add("permissions", "is empty for a worker", "");
            }
            self.check_worker(&mut found);
        } else {
            if self.sight.namespaces.is_empty() {
                found.add("namespaces", some, "");
            }
            if self.worker.is_some() {
                found.add("worker_ids", "is only for a worker", "");
            }
        }
        found.into_result()
    }

    fn check_worker(&self, found: &mut Violations) {
        let Some(worker) = &self.worker else {
            found.add("worker_ids", "is given for a worker; * means any", "");
            return;
        };
        if worker.ids.is_empty() {
            found.add("worker_ids", "has at least one entry; * means any", "");
        }
        let fits = |permits: u32| (1..=WORKER_PERMITS_MAX).contains(&permits);
        if let Some(permits) = worker.permits.filter(|permits| !fits(*permits)) {
            found.add(
                "permits",
                format!("is 1..={WORKER_PERMITS_MAX}, or 0 for any number"),
                permits,
            );
        }
    }
}
