//! How far a write has come when a caller is told that it is accepted: what the call asks for, else what its namespace has, else the
//! default.

use std::collections::BTreeMap;
use std::time::Duration;

use tickwheel_core::Durability;
use tonic::metadata::MetadataMap;

use tickwheel_core::error::Violation;
use tickwheel_proto::DURABILITY_HEADER;

/// What callers are promised, by namespaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promises {
    /// For namespaces that are not listed.
    pub default: Durability,
    /// For the jobs of a namespace and its contexts, those that were submitted alone among them.
    pub namespaces: BTreeMap<String, Durability>,
    /// No call waits longer for replicas or a disk: then it is answered that its write is not confirmed. 10 ms..=5 s.
    pub wait: Duration,
}

impl Default for Promises {
    fn default() -> Self {
        Self {
            default: Durability::Async,
            namespaces: BTreeMap::new(),
            wait: Duration::from_secs(1),
        }
    }
}

impl Promises {
    /// What holds for a namespace.
    #[must_use]
    pub fn of(&self, namespace: &str) -> Durability {
        let own = self.namespaces.get(namespace).copied();
        own.unwrap_or(self.default)
    }

    /// Every mode that occurs, the default first.
    #[must_use]
    pub fn modes(&self) -> Vec<Durability> {
        let mut modes = vec![self.default];
        for mode in self.namespaces.values() {
            if !modes.contains(mode) {
                modes.push(*mode);
            }
        }
        modes
    }
}

/// What a call asks for itself, in its metadata.
///
/// # Errors
/// When that is no mode.
pub(crate) fn asked(metadata: &MetadataMap) -> Result<Option<Durability>, Violation> {
    let Some(value) = metadata.get(DURABILITY_HEADER) else {
        return Ok(None);
    };
    let named = |violation: Violation| Violation {
        field: DURABILITY_HEADER.to_owned(),
        ..violation
    };
    let text = String::from_utf8_lossy(value.as_bytes());
    text.parse().map(Some).map_err(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_namespace_decides_before_the_default() {
        let promises = Promises {
            default: Durability::Fsynced,
            namespaces: BTreeMap::from([
                ("logs".to_owned(), Durability::Async),
                ("pay".to_owned(), Durability::Fsynced),
            ]),
            ..Promises::default()
        };
        assert_eq!(promises.of("logs"), Durability::Async);
        assert_eq!(promises.of("other"), Durability::Fsynced);
        assert_eq!(promises.modes(), [Durability::Fsynced, Durability::Async]);
    }

    #[test]
    fn a_call_says_what_it_wants_or_is_told_its_mistake() {
        let mut metadata = MetadataMap::new();
        assert_eq!(asked(&metadata), Ok(None));
        metadata.insert(DURABILITY_HEADER, "replicated(2)".parse().unwrap());
        assert_eq!(
            asked(&metadata),
            Ok(Some(Durability::replicated(2).unwrap()))
        );
        metadata.insert(DURABILITY_HEADER, "safe".parse().unwrap());
        assert_eq!(asked(&metadata).unwrap_err().field, DURABILITY_HEADER);
    }
}
