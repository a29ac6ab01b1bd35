//! A caller's own key for a context, and what becomes of a submission whose key stands for another one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use super::digits::hex;
use crate::bounds::ID_CHARS_MAX;
use crate::error::Violation;
use crate::word::word_enum;

/// Hexadecimal digits of a SHA-1.
const DIGITS: usize = 40;

/// A caller's key for "submit this once": any text of 1 to 256 bytes without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DedupKey(String);

/// What a dedup key is called in the names of keys and in records, where a text must have no spaces, commas, colons or `@`: the key itself
/// where it consists of letters, digits and `. _ / -`, else `#` and the SHA-1 of it in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DedupName(String);

word_enum! {
    /// What becomes of a submission whose dedup key stands for another context.
    Reuse {
        /// It is answered with that context.
        ReturnExisting = "return_existing",
        /// The same, and told to be refused.
        Reject = "reject",
        /// It takes the key. The other context is cancelled if it waits, say for its time or its next attempt; if it runs, it goes on.
        Replace = "replace",
    }
}

impl DedupKey {
    /// Bytes of a key.
    pub const BYTES_MAX: usize = 256;

    /// Checks and keeps the key.
    ///
    /// # Errors
    /// A violation when it is empty, too long, or has control characters.
    pub fn new(text: impl AsRef<str>) -> Result<Self, Violation> {
        let text = text.as_ref();
        let rule = if text.is_empty() {
            "is not empty".to_owned()
        } else if text.len() > Self::BYTES_MAX {
            format!("has at most {} bytes", Self::BYTES_MAX)
        } else if text.chars().any(char::is_control) {
            "has no control characters".to_owned()
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(Violation::new("dedup_key", rule, text.escape_debug()))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it is called in Redis.
    #[must_use]
    pub fn name(&self) -> DedupName {
        if is_plain(&self.0) {
            DedupName(self.0.clone())
        } else {
            DedupName(format!("#{}", hex(&Sha1::digest(&self.0))))
        }
    }
}

fn is_plain(text: &str) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b'-');
    !text.is_empty() && text.len() <= ID_CHARS_MAX && text.bytes().all(plain)
}

impl DedupName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DedupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for DedupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for DedupKey {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        Self::new(text)
    }
}

impl FromStr for DedupName {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        let hashed = text.strip_prefix('#').is_some_and(|digits| {
            digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        if hashed || is_plain(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(Violation::new("dedup_name", "is of a dedup key", text))
    }
}

impl TryFrom<String> for DedupKey {
    type Error = Violation;

    fn try_from(text: String) -> Result<Self, Violation> {
        Self::new(text)
    }
}

impl From<DedupKey> for String {
    fn from(key: DedupKey) -> Self {
        key.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_any_text_without_control_characters() {
        let long = "ä".repeat(128);
        for good in [
            "x",
            "order:7@shop",
            "注文 7",
            "a b",
            "{tw:0}:wheel",
            "\u{1f600}",
            &long,
        ] {
            let key = DedupKey::new(good).unwrap();
            assert_eq!(key.as_str(), good);
            let name = key.name();
            assert_eq!(name.as_str().parse::<DedupName>().unwrap(), name);
            assert!(name.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
        }
        let long = "ä".repeat(129);
        for wrong in ["", "a\nb", "a\0", "\u{7f}", "\u{9b}x", "a\tb", &long] {
            assert!(DedupKey::new(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn plain_keys_are_their_own_names_and_no_key_has_the_name_of_another() {
        let name = |text: &str| DedupKey::new(text).unwrap().name();
        assert_eq!(name("order-7").as_str(), "order-7");
        // printf 'order:7' | sha1sum
        assert_eq!(
            name("order:7").as_str(),
            format!("#{}", hex(&Sha1::digest("order:7")))
        );
        assert_ne!(name(name("order:7").as_str()), name("order:7"));
        assert_ne!(name("a:b"), name("a@b"));
        let long = "x".repeat(129);
        assert!(name(&long).as_str().starts_with('#'));
        for wrong in ["", "#1", "a b", "a,b", "a=b", "!after"] {
            assert!(wrong.parse::<DedupName>().is_err(), "{wrong:?}");
        }
    }
}
