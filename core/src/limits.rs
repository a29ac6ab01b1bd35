//! How many contexts of a group, and of a fairness key in it, may run at once and start per time, over the whole cluster.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Violation, Violations};
use crate::fairness::FairnessKey;
use crate::id::GroupName;
use crate::time::parse_duration;

/// Contexts that a limit may let run at once, and starts that a rate may have.
pub(crate) const COUNT_MAX: u32 = 1_000_000;
/// The longest time that a rate counts in.
const PER_MS_MAX: u64 = 24 * 3_600_000;
/// Keys of a group that have limits of their own.
pub(crate) const KEYS_MAX: usize = 1_000;
/// Bytes of a group's limits as they are kept.
const BYTES_MAX: usize = 65_536;
/// Groups that may have limits: every turn is told of all of them.
pub const GROUPS_MAX: usize = 1_000;

/// So many starts in so much time: a bucket that fills evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Starts, 1..=1000000.
    pub starts: u32,
    /// Milliseconds, 1..=86400000.
    pub per_ms: u64,
    /// Starts that gather while nothing starts, 1..=1000000.
    pub burst: u32,
}

impl Rate {
    /// The rate of `text`, like `100/s` or `5/10m`; starts of one period gather.
    ///
    /// # Errors
    /// A violation when it is none.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let rule = "is a number of starts and a time, like 100/s or 5/10m";
        let wrong = || Violation::new("rate", rule, text);
        let (starts, per) = text.split_once('/').ok_or_else(wrong)?;
        let starts: u32 = starts.trim().parse().map_err(|_| wrong())?;
        let per = per.trim();
        let per = if per.starts_with(|first: char| first.is_ascii_digit()) {
            per.to_owned()
        } else {
            format!("1{per}")
        };
        let per = parse_duration(&per).map_err(|_| wrong())?;
        let per_ms = u64::try_from(per.as_millis()).map_err(|_| wrong())?;
        Ok(Self {
            starts,
            per_ms,
            burst: starts,
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}ms", self.starts, self.per_ms)?;
        if self.burst == self.starts {
            return Ok(());
        }
        write!(f, " burst {}", self.burst)
    }
}

impl FromStr for Rate {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        Self::parse(text)
    }
}

/// What holds for a group as a whole, or for a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limit {
    /// Contexts that run at once, 0..=1000000; `None`: any number. 0 holds all of them back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// Contexts that start; `None`: at any rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
}

impl Limit {
    /// Whether it limits nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.concurrency.is_none() && self.rate.is_none()
    }

    /// `c` for a bound on what runs, `r` for a rate, both, or `-`: what a turn has to know of it.
    #[must_use]
    pub const fn rules(&self) -> &'static str {
        match (self.concurrency.is_some(), self.rate.is_some()) {
            (true, true) => "cr",
            (true, false) => "c",
            (false, true) => "r",
            (false, false) => "-",
        }
    }

    fn check(&self, place: &str, found: &mut Violations) {
        let field = |name: &str| match place {
            "" => name.to_owned(),
            place => format!("{place}.{name}"),
        };
        if let Some(concurrency) = self.concurrency.filter(|most| *most > COUNT_MAX) {
            let rule = format!("is 0..={COUNT_MAX}");
            found.add(field("concurrency"), rule, concurrency);
        }
        let Some(rate) = &self.rate else {
            return;
        };
        for (name, value) in [("rate", rate.starts), ("burst", rate.burst)] {
            if !(1..=COUNT_MAX).contains(&value) {
                found.add(field(name), format!("is 1..={COUNT_MAX} starts"), value);
            }
        }
        if !(1..=PER_MS_MAX).contains(&rate.per_ms) {
            let rule = format!("counts in 1..={PER_MS_MAX} ms");
            found.add(field("rate"), rule, rate.per_ms);
        }
    }
}

/// The limits of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupLimits {
    /// Of all its contexts together.
    pub all: Limit,
    /// Of the contexts of each fairness key.
    pub per_key: Limit,
    /// Of certain keys instead, at most 1,000.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<String, Limit>,
}

impl GroupLimits {
    /// Whether nothing is limited.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty() && self.per_key.is_empty() && self.keys.is_empty()
    }

    /// Checks every range.
    ///
    /// # Errors
    /// All violations, each with the path of its field.
    pub fn validate(&self) -> Result<(), Violations> {
        let mut found = Violations::new();
        self.all.check("", &mut found);
        self.per_key.check("per_key", &mut found);
        if self.keys.len() > KEYS_MAX {
            let rule = format!("has at most {KEYS_MAX} keys");
            found.add("keys", rule, self.keys.len());
        }
        for (key, limit) in &self.keys {
            let place = format!("keys.{key}");
            if let Err(wrong) = FairnessKey::new(key) {
                found.add(place.clone(), wrong.rule, key);
            }
            limit.check(&place, &mut found);
        }
        let bytes = serde_json::to_vec(self).map_or(usize::MAX, |json| json.len());
        if found.is_empty() && bytes > BYTES_MAX {
            let rule = format!("take at most {BYTES_MAX} bytes as JSON");
            found.add("keys", rule, format_args!("{bytes} bytes"));
        }
        found.into_result()
    }

    /// What holds for a key.
    #[must_use]
    pub fn of_key(&self, key: &str) -> Limit {
        self.keys.get(key).copied().unwrap_or(self.per_key)
    }

    /// What a turn has to know: `<group> <rules> <rules of keys> <key>=<rules>,...`.
    #[must_use]
    pub fn line(&self, group: &GroupName) -> String {
        let special: Vec<String> = self
            .keys
            .iter()
            .map(|(key, limit)| format!("{key}={}", limit.rules()))
            .collect();
        let line = format!(
            "{group} {} {} {}",
            self.all.rules(),
            self.per_key.rules(),
            special.join(",")
        );
        line.trim_end().to_owned()
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.concurrency, &self.rate) {
            (Some(most), Some(rate)) => write!(f, "{most} at once and {rate}"),
            (Some(most), None) => write!(f, "{most} at once"),
            (None, Some(rate)) => rate.fmt(f),
            (None, None) => f.write_str("any number"),
        }
    }
}

impl fmt::Display for GroupLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.all)?;
        if !self.per_key.is_empty() {
            write!(f, ", of each key {}", self.per_key)?;
        }
        for (key, limit) in self.keys.iter().take(3) {
            write!(f, ", of `{key}` {limit}")?;
        }
        if self.keys.len() > 3 {
            f.write_str(", …")?;
        }
        Ok(())
    }
}

/// A limit by its name: that of a group, or of a key in it. As scripts have it: `<group>`, or `<group> k=<key>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LimitName {
    /// The group.
    pub group: GroupName,
    /// The key.
    pub key: Option<FairnessKey>,
}

impl fmt::Display for LimitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{} k={key}", self.group),
            None => self.group.fmt(f),
        }
    }
}

impl FromStr for LimitName {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        let (group, key) = match text.split_once(" k=") {
            Some((group, key)) => (group, Some(key.parse()?)),
            None => (text, None),
        };
        Ok(Self {
            group: group.parse()?,
            key,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_and_checked() {
        let rate = |text: &str| Rate::parse(text).unwrap();
        assert_eq!((rate("100/s").starts, rate("100/s").per_ms), (100, 1_000));
        assert_eq!((rate("5/10m").starts, rate("5/10m").per_ms), (5, 600_000));
        for text in ["100", "x/s", "5/", "5/x", "-1/s"] {
            let wrong = Rate::parse(text).unwrap_err();
            assert!(wrong.rule.starts_with("is a number of starts"), "{text}");
        }
    }

    #[test]
    fn all_mistakes_are_found_at_once() {
        let limits = GroupLimits {
            all: Limit {
                concurrency: Some(2_000_000),
                rate: Some(Rate {
                    starts: 0,
                    per_ms: 0,
                    burst: 1,
                }),
            },
            keys: [("a b".to_owned(), Limit::default())].into(),
            ..GroupLimits::default()
        };
        let wrong = limits.validate().unwrap_err().to_string();
        for part in [
            "concurrency: is 0..=1000000 (given: 2000000)",
            "rate: is 1..=1000000 starts (given: 0)",
            "rate: counts in 1..=86400000 ms (given: 0)",
            "keys.a b: is 1 to 64 of",
        ] {
            assert!(wrong.contains(part), "{part}: {wrong}");
        }
    }

    #[test]
    fn a_turn_is_told_by_letters() {
        let limits = GroupLimits {
            all: Limit {
                concurrency: Some(5),
                rate: None,
            },
            per_key: Limit {
                concurrency: Some(1),
                rate: Some(Rate::parse("1/s").unwrap()),
            },
            keys: [("acme".to_owned(), Limit::default())].into(),
        };
        let group = "orders".parse().unwrap();
        assert_eq!(limits.line(&group), "orders c cr acme=-");
        assert_eq!(limits.of_key("acme"), Limit::default());
        assert_eq!(limits.of_key("other").concurrency, Some(1));
        assert_eq!(GroupLimits::default().line(&group), "orders - -");
    }

    #[test]
    fn names_round_trip() {
        for text in ["orders", "orders k=a@b.c"] {
            assert_eq!(text.parse::<LimitName>().unwrap().to_string(), text);
        }
        assert!("a b c".parse::<LimitName>().is_err());
    }
}
