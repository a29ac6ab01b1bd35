//! How far a write has come when its caller is told that it is accepted (W5).

use std::fmt;
use std::num::NonZeroU8;
use std::str::FromStr;

use crate::bounds::REPLICAS_MAX;
use crate::error::Violation;

/// What a caller is promised with an answer. Each mode survives what docs/durability.md says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Durability {
    /// In the memory of the primary, and in its append-only file as its settings have it.
    #[default]
    Async,
    /// Also in the memory of this many replicas, 1..=[`REPLICAS_MAX`].
    Replicated(NonZeroU8),
    /// Also on the disk of the primary.
    Fsynced,
}

impl Durability {
    /// Replicated to `replicas`.
    ///
    /// # Errors
    /// When that is none, or more than [`REPLICAS_MAX`].
    pub fn replicated(replicas: u8) -> Result<Self, Violation> {
        NonZeroU8::new(replicas)
            .filter(|count| count.get() <= REPLICAS_MAX)
            .map(Self::Replicated)
            .ok_or_else(|| {
                let rule = format!("has 1..={REPLICAS_MAX} replicas");
                Violation::new("durability", rule, replicas)
            })
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Async => f.write_str("async"),
            Self::Replicated(replicas) => write!(f, "replicated({replicas})"),
            Self::Fsynced => f.write_str("fsynced"),
        }
    }
}

impl FromStr for Durability {
    type Err = Violation;

    /// Reads `async`, `fsynced`, `replicated(2)`, and, for shells, `replicated:2`.
    fn from_str(text: &str) -> Result<Self, Violation> {
        let count = text.strip_prefix("replicated").and_then(|rest| {
            rest.strip_prefix(':')
                .or_else(|| rest.strip_prefix('(')?.strip_suffix(')'))
        });
        match (text, count) {
            ("async", _) => Ok(Self::Async),
            ("fsynced", _) => Ok(Self::Fsynced),
            (_, Some(count)) if count.bytes().all(|digit| digit.is_ascii_digit()) => {
                Self::replicated(count.parse().unwrap_or(0)).map_err(|violation| Violation {
                    given: text.chars().take(80).collect(),
                    ..violation
                })
            }
            _ => Err(Violation::new(
                "durability",
                "is async, replicated(N) or fsynced",
                text,
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_is_read_as_it_is_printed() {
        for text in ["async", "replicated(1)", "replicated(16)", "fsynced"] {
            let mode: Durability = text.parse().unwrap();
            assert_eq!(mode.to_string(), text);
        }
        let shell: Durability = "replicated:2".parse().unwrap();
        assert_eq!(shell, Durability::replicated(2).unwrap());
        assert_eq!(Durability::default(), Durability::Async);
    }

    #[test]
    fn what_is_no_mode_is_refused_with_the_rule() {
        for text in [
            "",
            "ASYNC",
            "replicated",
            "replicated()",
            "replicated(1",
            "replicated:",
            "replicated(+1)",
            "fsynced(1)",
            "async ",
        ] {
            assert!(text.parse::<Durability>().is_err(), "{text:?}");
        }
        for text in ["replicated(0)", "replicated(17)", "replicated(256)"] {
            let refused = text.parse::<Durability>().unwrap_err();
            assert_eq!(
                (refused.rule.as_str(), refused.given.as_str()),
                ("has 1..=16 replicas", text)
            );
        }
    }
}
