//! What one token may ask for in a second.

use serde::{Deserialize, Serialize};

use crate::bounds::{BYTE_RATE_MIN, RATE_MAX};
use crate::error::Violations;

/// What a token may ask for in a second, over the whole cluster, where that is not what trackers say of its role.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenRates {
    /// Calls, 1..=1000000000; `None`: as its role.
    #[serde(rename = "calls_per_second", skip_serializing_if = "Option::is_none")]
    pub calls: Option<u32>,
    /// Bytes of requests, 65536..=1000000000; `None`: as trackers say.
    #[serde(rename = "bytes_per_second", skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u32>,
}

impl TokenRates {
    /// Checks both ranges.
    ///
    /// # Errors
    /// All violations together.
    pub fn validate(&self) -> Result<(), Violations> {
        let mut found = Violations::new();
        for (field, given, least) in [
            ("calls_per_second", self.calls, 1),
            ("bytes_per_second", self.bytes, BYTE_RATE_MIN),
        ] {
            if let Some(given) = given.filter(|given| !(least..=RATE_MAX).contains(given)) {
                let rule = format!("is {least}..={RATE_MAX}; left out: as trackers say");
                found.add(field, rule, given);
            }
        }
        found.into_result()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_have_a_range_and_may_be_left_out() {
        let rates = |calls, bytes| TokenRates { calls, bytes };
        for good in [
            rates(None, None),
            rates(Some(1), Some(65_536)),
            rates(Some(RATE_MAX), Some(RATE_MAX)),
        ] {
            assert_eq!(good.validate(), Ok(()));
        }
        let wrong = rates(Some(0), Some(65_535)).validate().unwrap_err();
        let fields: Vec<&str> = wrong.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, ["calls_per_second", "bytes_per_second"]);
        assert!(rates(Some(RATE_MAX + 1), None).validate().is_err());
    }
}
