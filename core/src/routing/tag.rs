//! Tags: what a worker says of itself, as `name` or `name=value`.

use std::collections::BTreeMap;

use crate::bounds::{ID_CHARS_MAX, WEIGHT_MAX};
use crate::error::Violation;

/// The tag that gives a worker its share under `weighted`.
const WEIGHT: &str = "weight";

/// One tag.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag {
    /// What conditions call it.
    pub name: String,
    /// Empty for a bare word.
    pub value: String,
}

impl Tag {
    /// Reads `name` or `name=value`.
    ///
    /// # Errors
    /// A violation when a letter is not allowed, it is too long, or a weight is no share.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
        let in_value = |byte: u8| in_name(byte) || b":+@%".contains(&byte);
        let rule = if name.is_empty() {
            "is a name or name=value".to_owned()
        } else if !name.bytes().all(in_name) {
            "has a name of letters, digits and . _ / -".to_owned()
        } else if text.contains('=') && value.is_empty() {
            "has a value behind its =".to_owned()
        } else if !value.bytes().all(in_value) {
            "has a value of letters, digits and . _ / - : + @ %".to_owned()
        } else if name.len() > ID_CHARS_MAX || value.len() > ID_CHARS_MAX {
            format!("has at most {ID_CHARS_MAX} characters on each side")
        } else if name == WEIGHT && weight_of(value).is_none() {
            format!("is a weight of 1..={WEIGHT_MAX}")
        } else {
            return Ok(Self {
                name: name.to_owned(),
                value: value.to_owned(),
            });
        };
        Err(Violation::new("tags", rule, text))
    }
}

fn weight_of(value: &str) -> Option<u32> {
    value
        .parse()
        .ok()
        .filter(|weight| (1..=WEIGHT_MAX).contains(weight))
}

/// The tags of one worker by name. Of two with one name the later holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags(BTreeMap<String, String>);

impl Tags {
    /// Reads them all.
    ///
    /// # Errors
    /// The first violation.
    pub fn parse<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Result<Self, Violation> {
        let mut tags = BTreeMap::new();
        for text in texts {
            let tag = Tag::parse(text.as_ref())?;
            tags.insert(tag.name, tag.value);
        }
        Ok(Self(tags))
    }

    /// The value of a tag, empty for a bare word.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The share under `weighted`, 1 without a tag `weight`.
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.get(WEIGHT).and_then(weight_of).unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_words_or_pairs() {
        let tags = Tags::parse(["gpu", "region=eu-1", "cores=8", "region=us"]).unwrap();
        assert_eq!(tags.get("gpu"), Some(""));
        assert_eq!(tags.get("region"), Some("us"));
        assert_eq!(tags.get("disk"), None);
        assert_eq!(tags.weight(), 1);
        assert_eq!(Tags::parse(["weight=3"]).unwrap().weight(), 3);
    }

    #[test]
    fn what_is_no_tag_is_refused_with_its_rule() {
        for (text, rule) in [
            ("", "is a name or name=value"),
            ("=x", "is a name or name=value"),
            ("a b", "has a name of"),
            ("region=", "has a value behind its ="),
            ("region=a,b", "has a value of"),
            ("weight=0", "is a weight of 1..=10000"),
            ("weight=-2", "is a weight of 1..=10000"),
            ("weight", "is a weight of 1..=10000"),
            ("weight=1.5", "is a weight of 1..=10000"),
        ] {
            let wrong = Tag::parse(text).unwrap_err();
            assert!(wrong.rule.starts_with(rule), "{text}: {wrong}");
            assert_eq!(wrong.given, text);
        }
    }
}
