//! Labels of jobs: names and values by which people find them. No rule of the scheduler looks at them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::bounds::{LABEL_CHARS_MAX, LABELS_MAX};
use crate::error::{Violation, Violations};

/// Checks names, values and their number.
///
/// # Errors
/// All violations, each under the name of its label.
pub fn check(labels: &BTreeMap<String, String>) -> Result<(), Violations> {
    let mut found = Violations::new();
    if labels.len() > LABELS_MAX {
        let rule = format!("has at most {LABELS_MAX} labels");
        found.add("", rule, labels.len());
    }
    for (name, value) in labels {
        if let Err(wrong) = check_name(name) {
            found.push(wrong.at(name.as_str()));
        }
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._/@+-".contains(&byte);
        if value.len() > LABEL_CHARS_MAX || !value.bytes().all(fits) {
            let rule =
                format!("has a value of at most {LABEL_CHARS_MAX} of A-Z a-z 0-9 . _ / @ + -");
            found.add(name.as_str(), rule, value);
        }
    }
    found.into_result()
}

fn check_name(name: &str) -> Result<(), Violation> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
    let begins = name.starts_with(|first: char| first.is_ascii_alphanumeric());
    if name.len() > LABEL_CHARS_MAX || !begins || !name.bytes().all(fits) {
        let rule = format!(
            "is 1 to {LABEL_CHARS_MAX} of A-Z a-z 0-9 . _ / -, and begins with a letter or a digit"
        );
        return Err(Violation::new("", rule, name));
    }
    Ok(())
}

/// What labels have to be: `team` (it is there, whatever its value) or `team=billing`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelSelector {
    name: String,
    value: Option<String>,
}

impl LabelSelector {
    /// Whether these labels are so.
    #[must_use]
    pub fn holds(&self, labels: &BTreeMap<String, String>) -> bool {
        let given = labels.get(&self.name);
        given.is_some_and(|given| self.value.as_ref().is_none_or(|value| given == value))
    }
}

impl FromStr for LabelSelector {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        if check_name(name).is_err() {
            let rule = "is a label and its value, like team=billing, or a label alone";
            return Err(Violation::new("", rule, text));
        }
        let name = name.to_owned();
        Ok(Self { name, value })
    }
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{}={value}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(of: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        of.iter().map(owned).collect()
    }

    #[test]
    fn labels_are_bounded_in_number_and_length() {
        let long = "x".repeat(LABEL_CHARS_MAX);
        check(&labels(&[
            ("team", "billing"),
            ("app/tier", ""),
            (&long, &long),
        ]))
        .unwrap();
        let longer = format!("{long}x");
        for (name, value, rule) in [
            ("", "x", "is 1 to 63 of"),
            ("-a", "x", "is 1 to 63 of"),
            ("a b", "x", "is 1 to 63 of"),
            (longer.as_str(), "x", "is 1 to 63 of"),
            ("a", "x y", "has a value of at most 63 of"),
            ("a", longer.as_str(), "has a value of at most 63 of"),
        ] {
            let wrong = check(&labels(&[(name, value)])).unwrap_err().to_string();
            assert!(wrong.contains(rule), "{name}={value}: {wrong}");
        }
        let many = (0..=LABELS_MAX).map(|number| (format!("l{number}"), String::new()));
        let wrong = check(&many.collect()).unwrap_err().to_string();
        assert_eq!(wrong, "has at most 16 labels (given: 17)");
    }

    #[test]
    fn a_selector_asks_for_a_label_or_its_value() {
        let own = labels(&[("team", "billing"), ("empty", "")]);
        let holds = |text: &str| text.parse::<LabelSelector>().unwrap().holds(&own);
        assert!(holds("team") && holds("team=billing") && holds("empty="));
        assert!(!holds("team=") && !holds("team=shop") && !holds("tier"));
        for text in ["", "=x", "a b=c"] {
            assert!(text.parse::<LabelSelector>().is_err(), "{text}");
        }
        assert_eq!(
            "a=b=c".parse::<LabelSelector>().unwrap().to_string(),
            "a=b=c"
        );
    }
}
