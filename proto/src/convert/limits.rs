//! Limits of groups.

use std::collections::BTreeMap;

use tickwheel_core::error::Violations;
use tickwheel_core::limits::{GroupLimits, Limit, Rate};

use crate::v1;

impl TryFrom<v1::GroupLimits> for GroupLimits {
    type Error = Violations;

    fn try_from(wire: v1::GroupLimits) -> Result<Self, Violations> {
        let mut keys = BTreeMap::new();
        for (key, limit) in wire.keys {
            keys.insert(key, limit_of(Some(limit)));
        }
        let limits = Self {
            all: limit_of(wire.all),
            per_key: limit_of(wire.per_key),
            keys,
        };
        limits.validate()?;
        Ok(limits)
    }
}

fn limit_of(wire: Option<v1::Limit>) -> Limit {
    let wire = wire.unwrap_or_default();
    Limit {
        concurrency: wire.concurrency,
        rate: wire.rate.map(|rate| Rate {
            starts: rate.starts,
            per_ms: rate.per_ms,
            burst: rate.burst.unwrap_or(rate.starts),
        }),
    }
}

impl From<&GroupLimits> for v1::GroupLimits {
    fn from(limits: &GroupLimits) -> Self {
        let keys = limits.keys.iter();
        Self {
            group: String::new(),
            all: wire_of(&limits.all),
            per_key: wire_of(&limits.per_key),
            keys: keys
                .map(|(key, limit)| (key.clone(), wire_of(limit).unwrap_or_default()))
                .collect(),
            running: 0,
            waiting: 0,
        }
    }
}

/// Absent where nothing is limited.
fn wire_of(limit: &Limit) -> Option<v1::Limit> {
    (!limit.is_empty()).then(|| v1::Limit {
        concurrency: limit.concurrency,
        rate: limit.rate.map(|rate| v1::Rate {
            starts: rate.starts,
            per_ms: rate.per_ms,
            burst: (rate.burst != rate.starts).then_some(rate.burst),
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_survive_the_wire() {
        let limits = GroupLimits {
            all: Limit {
                concurrency: Some(5),
                rate: None,
            },
            per_key: Limit {
                concurrency: None,
                rate: Some(Rate {
                    burst: 7,
                    ..Rate::parse("3/s").unwrap()
                }),
            },
            keys: [("acme".to_owned(), Limit::default())].into(),
        };
        let wire = v1::GroupLimits::from(&limits);
        assert_eq!(GroupLimits::try_from(wire).unwrap(), limits);
    }

    #[test]
    fn a_rate_of_nothing_is_refused() {
        let wire = v1::GroupLimits {
            all: Some(v1::Limit {
                concurrency: None,
                rate: Some(v1::Rate::default()),
            }),
            ..v1::GroupLimits::default()
        };
        let wrong = GroupLimits::try_from(wire).unwrap_err().to_string();
        assert!(wrong.contains("rate: is 1..=1000000 starts"), "{wrong}");
    }
}
