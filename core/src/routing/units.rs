//! Amounts of resources: what a worker has, what is free, what a context needs.
//!
//! `memory` and `disk` are counted in bytes, everything else in thousandths: half a CPU is 500.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::bounds::{AMOUNT_MAX, UNITS_MAX};
use crate::error::{Violation, Violations};

/// Amounts by name; what is absent is 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Units(BTreeMap<String, u64>);

/// Counted in bytes.
const IN_BYTES: [&str; 2] = ["memory", "disk"];
/// Longest name of a resource.
const NAME_CHARS_MAX: usize = 32;
/// Suffixes of sizes, the greatest first.
const SIZES: [(&str, u64); 8] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
];

impl Units {
    /// Reads amounts: of memory and disk a size like `1GiB`, of everything else a number with at most three decimals.
    ///
    /// # Errors
    /// All violations, each under the name of its resource.
    pub fn parse<'a>(
        amounts: impl IntoIterator<Item = (&'a str, String)>,
    ) -> Result<Self, Violations> {
        let (mut found, mut units) = (Violations::new(), BTreeMap::new());
        for (name, text) in amounts {
            let amount = check_name(name).and_then(|()| amount_of(name, &text));
            if let Some(amount) = found.keep(amount) {
                units.insert(name.to_owned(), amount);
            }
        }
        found.into_result()?;
        let units = Self(units);
        units.validate()?;
        Ok(units)
    }

    /// Amounts as they are counted.
    #[must_use]
    pub fn of(amounts: impl IntoIterator<Item = (String, u64)>) -> Self {
        Self(amounts.into_iter().collect())
    }

    /// The resources that a worker says it has: names as those of [`Units::validate`], at most 16, amounts up to 2^53 - 1. An amount of 0
    /// is one that it does not have now.
    ///
    /// # Errors
    /// All violations, each under the name of its resource; at most one for the number of them.
    pub fn of_worker(amounts: impl IntoIterator<Item = (String, u64)>) -> Result<Self, Violations> {
        let (mut found, mut units) = (Violations::new(), BTreeMap::new());
        for (index, (name, amount)) in amounts.into_iter().enumerate() {
            if index >= UNITS_MAX {
                let rule = format!("has at most {UNITS_MAX} resources");
                return Err(Violation::new("", rule, "more").into());
            }
            let fits = check_name(&name).and_then(|()| check_amount(&name, amount));
            if found.keep(fits).is_some() {
                units.insert(name, amount);
            }
        }
        found.into_result()?;
        Ok(Self(units))
    }

    /// Those of `amounts` whose names are among these units, bounded by 2^53 - 1, and how many were left out.
    #[must_use]
    pub fn known_of(&self, amounts: impl IntoIterator<Item = (String, u64)>) -> (Self, usize) {
        let (mut known, mut left_out) = (BTreeMap::new(), 0);
        for (name, amount) in amounts {
            if self.0.contains_key(&name) {
                known.insert(name, amount.min(AMOUNT_MAX));
            } else {
                left_out += 1;
            }
        }
        (Self(known), left_out)
    }

    /// Checks names and amounts of what a context needs.
    ///
    /// # Errors
    /// All violations, each under the name of its resource.
    pub fn validate(&self) -> Result<(), Violations> {
        let mut found = Violations::new();
        if self.0.len() > UNITS_MAX {
            let rule = format!("has at most {UNITS_MAX} resources");
            found.add("", rule, self.0.len());
        }
        for (name, amount) in &self.0 {
            found.keep(check_name(name));
            found.keep(check_amount(name, *amount));
            if *amount == 0 {
                found.add(name.as_str(), "is above 0", 0);
            }
        }
        found.into_result()
    }

    /// Whether nothing is needed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The amount of one resource.
    #[must_use]
    pub fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// Names and amounts, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, amount)| (name.as_str(), *amount))
    }

    /// Whether all of it is within `free`.
    #[must_use]
    pub fn fit_in(&self, free: &Self) -> bool {
        self.iter().all(|(name, amount)| amount <= free.get(name))
    }

    /// What is left without `taken`.
    #[must_use]
    pub fn without(mut self, taken: &Self) -> Self {
        for (name, amount) in taken.iter() {
            if let Some(left) = self.0.get_mut(name) {
                *left = left.saturating_sub(amount);
            }
        }
        self
    }

    /// Adds `more`.
    pub fn add(&mut self, more: &Self) {
        for (name, amount) in more.iter() {
            let sum = self.0.entry(name.to_owned()).or_default();
            *sum = sum.saturating_add(amount);
        }
    }

    /// `name=amount` as counted, separated by commas: what scripts and records have.
    #[must_use]
    pub fn to_record(&self) -> String {
        let amounts: Vec<String> = self
            .iter()
            .map(|(name, amount)| format!("{name}={amount}"))
            .collect();
        amounts.join(",")
    }
}

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, amount)) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{name} {}", amount_text(name, amount))?;
        }
        Ok(())
    }
}

/// An amount as a person writes it.
#[must_use]
pub fn amount_text(name: &str, amount: u64) -> String {
    if IN_BYTES.contains(&name) {
        let whole = SIZES.iter().find(|(suffix, size)| {
            suffix.ends_with("iB") && amount >= *size && amount.is_multiple_of(*size)
        });
        return match whole {
            Some((suffix, size)) => format!("{}{suffix}", amount / size),
            None => amount.to_string(),
        };
    }
    let (whole, part) = (amount / 1_000, amount % 1_000);
    if part == 0 {
        whole.to_string()
    } else {
        format!("{whole}.{part:03}")
            .trim_end_matches('0')
            .to_owned()
    }
}

fn check_name(name: &str) -> Result<(), Violation> {
    let fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte);
    if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.bytes().all(fits) {
        let rule = "is a name of 1 to 32 small letters, digits and _ . -";
        return Err(Violation::new(name, rule, name));
    }
    Ok(())
}

fn check_amount(name: &str, amount: u64) -> Result<(), Violation> {
    if amount > AMOUNT_MAX {
        let rule = format!("is at most {AMOUNT_MAX}");
        return Err(Violation::new(name, rule, amount));
    }
    Ok(())
}

fn amount_of(name: &str, text: &str) -> Result<u64, Violation> {
    if IN_BYTES.contains(&name) {
        let rule = "is a size above 0, like 512MiB or 4GiB";
        let size = size_of(text).filter(|size| *size > 0);
        return size.ok_or_else(|| Violation::new(name, rule, text));
    }
    let rule = "is a number above 0 with at most three decimals";
    let amount = thousandths(text).filter(|amount| *amount > 0);
    amount.ok_or_else(|| Violation::new(name, rule, text))
}

fn size_of(text: &str) -> Option<u64> {
    let text = text.trim();
    for (suffix, size) in SIZES {
        if let Some(number) = text.strip_suffix(suffix) {
            // Parts of a size to three decimals.
            let thousandths = thousandths(number.trim_end())?;
            return thousandths.checked_mul(size).map(|product| product / 1_000);
        }
    }
    text.parse().ok()
}

fn thousandths(text: &str) -> Option<u64> {
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || part.len() > 3 || !(part.is_empty() || digits(part)) {
        return None;
    }
    let part: u64 = format!("{part:0<3}").parse().ok()?;
    whole
        .parse::<u64>()
        .ok()?
        .checked_mul(1_000)?
        .checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(amounts: &[(&str, &str)]) -> Result<Units, Violations> {
        Units::parse(
            amounts
                .iter()
                .map(|(name, text)| (*name, (*text).to_owned())),
        )
    }

    #[test]
    fn amounts_are_read_and_printed() {
        let read = units(&[
            ("cpu", "0.5"),
            ("memory", "1.5GiB"),
            ("gpu", "2"),
            ("disk", "10GB"),
        ])
        .unwrap();
        assert_eq!(read.get("cpu"), 500);
        assert_eq!(read.get("memory"), 3 << 29);
        assert_eq!(read.get("disk"), 10_000_000_000);
        assert_eq!(
            read.to_string(),
            "cpu 0.5, disk 9765625KiB, gpu 2, memory 1536MiB"
        );
        assert_eq!(
            read.to_record(),
            "cpu=500,disk=10000000000,gpu=2000,memory=1610612736"
        );
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for (name, text, rule) in [
            ("cpu", "0", "is a number above 0"),
            ("cpu", "-1", "is a number above 0"),
            ("cpu", "1.2345", "is a number above 0"),
            ("gpu", "two", "is a number above 0"),
            ("memory", "0", "is a size above 0"),
            ("memory", "1XB", "is a size above 0"),
            ("GPU", "1", "is a name of"),
            ("", "1", "is a name of"),
        ] {
            let wrong = units(&[(name, text)]).unwrap_err().to_string();
            assert!(wrong.contains(rule), "{name} {text}: {wrong}");
        }
        let many: Vec<String> = (0..17).map(|n| format!("u{n}")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "1")).collect();
        assert!(units(&many).unwrap_err().to_string().contains("at most 16"));
    }

    #[test]
    fn a_worker_has_resources_of_known_names_and_countable_amounts() {
        let of = |amounts: &[(&str, u64)]| {
            let owned = amounts
                .iter()
                .map(|(name, amount)| ((*name).to_owned(), *amount));
            Units::of_worker(owned.collect::<Vec<_>>())
        };
        let fits = of(&[("gpu", 2_000), ("memory", AMOUNT_MAX), ("idle", 0)]).unwrap();
        assert_eq!(
            fits.to_record(),
            format!("gpu=2000,idle=0,memory={AMOUNT_MAX}")
        );
        for (name, amount, rule) in [
            ("GPU", 1, "is a name of 1 to 32 small letters"),
            ("gpu mem", 1, "is a name of 1 to 32 small letters"),
            ("gpu=1,a", 1, "is a name of 1 to 32 small letters"),
            ("gpu", AMOUNT_MAX + 1, "is at most 9007199254740991"),
            ("gpu", u64::MAX, "is at most 9007199254740991"),
        ] {
            let wrong = of(&[(name, amount)]).unwrap_err().to_string();
            assert!(wrong.contains(rule), "{name}: {wrong}");
        }
        let many: Vec<(String, u64)> = (0..100_000).map(|n| (format!("u{n}"), 1)).collect();
        assert_eq!(Units::of_worker(many).unwrap_err().len(), 1);
        let (known, left_out) = fits.known_of([
            ("gpu".to_owned(), u64::MAX),
            ("GPU".to_owned(), 1),
            ("tpu".to_owned(), 1),
        ]);
        assert_eq!((known.get("gpu"), left_out), (AMOUNT_MAX, 2));
    }

    #[test]
    fn amounts_fit_add_and_are_taken() {
        let need = units(&[("cpu", "2"), ("gpu", "1")]).unwrap();
        let mut free = units(&[("cpu", "2.1"), ("gpu", "1"), ("disk", "1GiB")]).unwrap();
        assert!(need.fit_in(&free));
        free = free.without(&need);
        assert_eq!((free.get("cpu"), free.get("gpu")), (100, 0));
        assert!(!need.fit_in(&free));
        free.add(&need);
        assert!(need.fit_in(&free));
        assert!(!units(&[("tpu", "1")]).unwrap().fit_in(&free));
        assert!(Units::default().fit_in(&Units::default()));
    }
}
