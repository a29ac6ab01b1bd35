//! Which workers come into question: a condition over their tags, lists of names, and a greatest number.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::policy::check_list;
use super::{Condition, Profile};
use crate::bounds::WORKERS_CHOSEN_MAX;
use crate::error::Violations;

/// Which workers come into question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Selection {
    /// Holds for their tags; `None`: for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub select: Option<Condition>,
    /// Only these ids, names or hosts; `None`: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow: Option<Vec<String>>,
    /// None of these, whatever else holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<String>,
    /// At most so many workers at a time, the same ones while they live; 1..=10000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
}

/// Why a worker does not come into question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ineligible {
    /// The condition does not hold for it.
    Condition,
    /// It is not among the allowed ones.
    NotAllowed,
    /// It is among the denied ones.
    Denied,
    /// The routing policy names others.
    NotListed,
    /// It has less of a resource than a context takes, or none of it.
    TooSmall,
    /// Others were taken before the greatest number was reached.
    BeyondMax,
}

impl fmt::Display for Ineligible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Condition => "the condition does not hold for",
            Self::NotAllowed => "the allowed ones do not name",
            Self::Denied => "the denied ones name",
            Self::NotListed => "the routing policy does not name",
            Self::TooSmall => "the resources are too small of",
            Self::BeyondMax => "the greatest number leaves out",
        })
    }
}

impl Selection {
    /// Whether a worker comes into question.
    ///
    /// # Errors
    /// Why it does not.
    pub fn fits(&self, worker: &Profile) -> Result<(), Ineligible> {
        let names = |list: &[String]| list.iter().any(|entry| worker.is_called(entry));
        if names(&self.deny) {
            return Err(Ineligible::Denied);
        }
        if self.allow.as_ref().is_some_and(|allow| !names(allow)) {
            return Err(Ineligible::NotAllowed);
        }
        match &self.select {
            Some(condition) if !condition.holds(worker) => Err(Ineligible::Condition),
            Some(_) | None => Ok(()),
        }
    }

    /// Checks lists and numbers; conditions are checked when they are read.
    ///
    /// # Errors
    /// All violations, each with the path of its field.
    pub fn validate(&self) -> Result<(), Violations> {
        let mut found = Violations::new();
        if let Some(allow) = &self.allow {
            if allow.is_empty() {
                found.add("allow", "names at least one worker or host", "");
            }
            check_list("allow", allow, &mut found);
        }
        check_list("deny", &self.deny, &mut found);
        if let Some(allow) = &self.allow
            && let Some(both) = allow.iter().find(|entry| self.deny.contains(entry))
        {
            found.add("deny", "has no entry of allow", both);
        }
        if let Some(max) = self.max
            && !(1..=WORKERS_CHOSEN_MAX).contains(&max)
        {
            found.add("max", format!("is 1..={WORKERS_CHOSEN_MAX}"), max);
        }
        found.into_result()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::WorkerId;
    use crate::routing::{Tags, Units};

    fn worker(id: &str, host: &str, tags: &[&str]) -> Profile {
        Profile {
            id: WorkerId::new(id).unwrap(),
            host: host.to_owned(),
            cpus: 8,
            tags: Tags::parse(tags).unwrap(),
            resources: Units::default(),
        }
    }

    fn list(entries: &[&str]) -> Vec<String> {
        entries.iter().map(|&entry| entry.to_owned()).collect()
    }

    #[test]
    fn lists_name_ids_names_and_hosts() {
        let mill = worker("mill-1-abcdefgh", "east.example", &["gpu"]);
        for entry in ["mill-1-abcdefgh", "mill-1", "east.example"] {
            let only = Selection {
                allow: Some(list(&[entry])),
                ..Selection::default()
            };
            assert_eq!(only.fits(&mill), Ok(()), "{entry}");
            let without = Selection {
                deny: list(&[entry]),
                ..Selection::default()
            };
            assert_eq!(without.fits(&mill), Err(Ineligible::Denied), "{entry}");
        }
        let other = Selection {
            allow: Some(list(&["mill"])),
            ..Selection::default()
        };
        assert_eq!(other.fits(&mill), Err(Ineligible::NotAllowed));
        let tagged = Selection {
            select: Some("gpu && cpus >= 9".parse().unwrap()),
            ..Selection::default()
        };
        assert_eq!(tagged.fits(&mill), Err(Ineligible::Condition));
        assert_eq!(Selection::default().fits(&mill), Ok(()));
    }

    #[test]
    fn bad_lists_and_numbers_are_refused() {
        let selection = Selection {
            allow: Some(list(&[])),
            deny: list(&["a", "a"]),
            max: Some(0),
            ..Selection::default()
        };
        assert_eq!(
            selection.validate().unwrap_err().to_string(),
            "allow: names at least one worker or host\ndeny[1]: occurs once (given: a)\nmax: is 1..=10000 (given: 0)"
        );
        let both = Selection {
            allow: Some(list(&["a", "b"])),
            deny: list(&["b"]),
            ..Selection::default()
        };
        assert_eq!(
            both.validate().unwrap_err().to_string(),
            "deny: has no entry of allow (given: b)"
        );
    }
}
