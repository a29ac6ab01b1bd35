//! Who shares with whom: contexts with a key share the permits of their group by the weights of their keys.
//!
//! A key is a tenant, a customer, a shop: whatever must not crowd out the others. Among the contexts of one group that wait for permits,
//! each key is served as often as its weight says, however many of its contexts wait.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::bounds::{FAIRNESS_KEY_CHARS_MAX, FAIRNESS_WEIGHT_MAX, POINTER_CHARS_MAX};
use crate::error::{Violation, Violations};

/// The key of a context: 1 to 64 of `[A-Za-z0-9._@+-]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FairnessKey(String);

impl FairnessKey {
    /// The key of this text.
    ///
    /// # Errors
    /// A violation when it has other characters, none, or too many.
    pub fn new(text: impl Into<String>) -> Result<Self, Violation> {
        let text = text.into();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._@+-".contains(&byte);
        if text.is_empty() || text.len() > FAIRNESS_KEY_CHARS_MAX || !text.bytes().all(fits) {
            let rule = format!("is 1 to {FAIRNESS_KEY_CHARS_MAX} of A-Z a-z 0-9 . _ @ + -");
            return Err(Violation::new("key", rule, text));
        }
        Ok(Self(text))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FairnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for FairnessKey {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        Self::new(text)
    }
}

/// The key of contexts, and what it weighs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Fairness {
    /// The key itself, or a JSON pointer (it begins with `/`) to the value of the body that is the key; `None`: it shares with nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How often it is served, beside keys of weight 1; 1..=64.
    pub weight: u32,
}

impl Default for Fairness {
    fn default() -> Self {
        Self {
            key: None,
            weight: 1,
        }
    }
}

impl Fairness {
    /// The key of a context with this body.
    ///
    /// # Errors
    /// A violation when the body has no such value, or the value is no key.
    pub fn key_of(&self, body: &[u8]) -> Result<Option<FairnessKey>, Violation> {
        let Some(key) = &self.key else {
            return Ok(None);
        };
        if !key.starts_with('/') {
            return FairnessKey::new(key).map(Some);
        }
        let Some(text) = text_at(body, key) else {
            let rule = "points at a text, a number or a truth value of the body, which is JSON";
            return Err(Violation::new("key", rule, key));
        };
        FairnessKey::new(text).map(Some)
    }

    /// Checks what can be checked without a body.
    ///
    /// # Errors
    /// All violations, each with the path of its field.
    pub fn validate(&self) -> Result<(), Violations> {
        let mut found = Violations::new();
        match &self.key {
            Some(pointer) if pointer.starts_with('/') && pointer.len() > POINTER_CHARS_MAX => {
                let rule = format!("has at most {POINTER_CHARS_MAX} characters");
                found.add("key", rule, pointer);
            }
            Some(pointer) if pointer.starts_with('/') => {}
            Some(key) => {
                found.keep(FairnessKey::new(key));
            }
            None if self.weight != 1 => found.add("weight", "belongs to a key", self.weight),
            None => {}
        }
        if !(1..=FAIRNESS_WEIGHT_MAX).contains(&self.weight) {
            let rule = format!("is 1..={FAIRNESS_WEIGHT_MAX}");
            found.add("weight", rule, self.weight);
        }
        found.into_result()
    }
}

/// The text, number or truth value of a body at a JSON pointer, as text.
pub(crate) fn text_at(body: &[u8], pointer: &str) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let value = body.pointer(pointer)?;
    if let serde_json::Value::String(text) = value {
        return Some(text.clone());
    }
    (value.is_number() || value.is_boolean()).then(|| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(key: &str) -> Fairness {
        Fairness {
            key: Some(key.to_owned()),
            ..Fairness::default()
        }
    }

    #[test]
    fn a_key_stands_there_or_in_the_body() {
        let key = |fairness: &Fairness, body: &str| {
            let key = fairness.key_of(body.as_bytes()).unwrap();
            key.map(|key| key.to_string())
        };
        assert_eq!(key(&by("acme"), "no json").as_deref(), Some("acme"));
        assert_eq!(
            key(&by("/shop/id"), r#"{"shop":{"id":17}}"#).as_deref(),
            Some("17")
        );
        assert_eq!(
            key(&by("/mail"), r#"{"mail":"a+b@c.org"}"#).as_deref(),
            Some("a+b@c.org")
        );
        assert_eq!(key(&Fairness::default(), "{}"), None);
    }

    #[test]
    fn what_is_no_key_is_refused_with_rule_and_value() {
        for (fairness, body, rule) in [
            (by("/tenant"), "{}", "points at a text"),
            (by("/tenant"), "no json", "points at a text"),
            (by("/tenant"), r#"{"tenant":["a"]}"#, "points at a text"),
            (by("/tenant"), r#"{"tenant":"a b"}"#, "is 1 to 64 of"),
            (by("/tenant"), r#"{"tenant":""}"#, "is 1 to 64 of"),
        ] {
            let wrong = fairness.key_of(body.as_bytes()).unwrap_err();
            assert!(wrong.rule.starts_with(rule), "{body}: {wrong}");
        }
    }

    #[test]
    fn weights_have_bounds_and_need_a_key() {
        let wrong = |fairness: Fairness| fairness.validate().unwrap_err().to_string();
        let heavy = |weight| Fairness {
            weight,
            ..by("acme")
        };
        assert_eq!(wrong(heavy(0)), "weight: is 1..=64 (given: 0)".to_owned());
        assert_eq!(wrong(heavy(65)), "weight: is 1..=64 (given: 65)");
        assert!(heavy(64).validate().is_ok());
        let alone = Fairness {
            key: None,
            weight: 2,
        };
        assert_eq!(wrong(alone), "weight: belongs to a key (given: 2)");
        assert!(wrong(by("a=b")).contains("is 1 to 64 of"));
        assert!(by("/any/where").validate().is_ok());
    }
}
