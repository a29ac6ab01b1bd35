//! How much a namespace may take.

use std::collections::BTreeMap;

use tickwheel_core::bounds::RATE_MAX;
use tickwheel_core::error::Violations;

/// So much of something for each namespace; 0: any amount.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quota {
    /// Of namespaces that are not listed.
    pub default: u32,
    /// Of these namespaces.
    pub namespaces: BTreeMap<String, u32>,
}

/// What namespaces may take, of the whole cluster. Nothing is bounded unless told so: whether there is more than one tenant only its owner knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Contexts that are submitted to it in a second, runs of jobs by hand among them.
    pub contexts_per_second: Quota,
    /// Jobs that are registered in it. More may be there from before: none is deleted, and those may be changed.
    pub jobs: Quota,
}

impl Quota {
    /// What holds for a namespace; 0: nothing.
    pub(crate) fn of(&self, namespace: &str) -> u32 {
        let own = self.namespaces.get(namespace).copied();
        own.unwrap_or(self.default)
    }

    /// Whether nothing is bounded.
    pub(crate) fn is_none(&self) -> bool {
        self.default == 0 && self.namespaces.is_empty()
    }

    fn check(&self, field: &str, violations: &mut Violations) {
        let rule = || format!("is at most {RATE_MAX}; 0: no limit");
        if self.default > RATE_MAX {
            violations.add(field, rule(), self.default);
        }
        for (namespace, given) in self.namespaces.iter().filter(|(_, most)| **most > RATE_MAX) {
            violations.add(format!("{field}.{namespace}"), rule(), given);
        }
    }
}

impl Quotas {
    /// What is wrong with it.
    pub(super) fn check(&self, violations: &mut Violations) {
        let Self {
            contexts_per_second,
            jobs,
        } = self;
        contexts_per_second.check("quotas.contexts_per_second", violations);
        jobs.check("quotas.jobs", violations);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_has_its_own_quota_or_that_of_all() {
        let quotas = Quotas {
            contexts_per_second: Quota {
                default: 5,
                namespaces: [("a".to_owned(), 7), ("free".to_owned(), 0)].into(),
            },
            ..Quotas::default()
        };
        let of = |namespace| quotas.contexts_per_second.of(namespace);
        assert_eq!((of("a"), of("free"), of("b")), (7, 0, 5));
        let mut found = Violations::new();
        quotas.check(&mut found);
        assert_eq!(found.to_string(), "");
    }

    #[test]
    fn every_wrong_value_is_named() {
        let wrong = Quotas {
            contexts_per_second: Quota {
                default: RATE_MAX + 1,
                namespaces: [("a".to_owned(), u32::MAX)].into(),
            },
            jobs: Quota {
                default: u32::MAX,
                ..Quota::default()
            },
        };
        let mut found = Violations::new();
        wrong.check(&mut found);
        let fields: Vec<&str> = found.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "quotas.contexts_per_second",
                "quotas.contexts_per_second.a",
                "quotas.jobs"
            ]
        );
    }
}
