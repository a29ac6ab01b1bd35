//! How much may be asked for in a second.

use tickwheel_core::access::{Role, TokenRates};
use tickwheel_core::bounds::{BYTE_RATE_MIN, RATE_MAX};
use tickwheel_core::error::Violations;

/// What one token may ask for in a second, by its role, all trackers together; each has an equal share. 0: as much as there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates {
    /// Calls of a viewer. A page that is open makes some ten in a second.
    pub viewer_calls: u32,
    /// Calls of a submitter. One tracker takes in some ten thousand with one context each; a call may have a thousand.
    pub submitter_calls: u32,
    /// Calls of an operator.
    pub operator_calls: u32,
    /// Calls of an admin, whose token is often the only one.
    pub admin_calls: u32,
    /// Bytes of requests, whatever the role. As many as Redis takes in on a good day.
    pub bytes: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            viewer_calls: 1_000,
            submitter_calls: 20_000,
            operator_calls: 2_000,
            admin_calls: 20_000,
            bytes: 64 << 20,
        }
    }
}

impl Rates {
    /// As much as there is, for everybody.
    #[must_use]
    pub fn unlimited() -> Self {
        Self {
            viewer_calls: 0,
            submitter_calls: 0,
            operator_calls: 0,
            admin_calls: 0,
            bytes: 0,
        }
    }

    /// Calls of a token in a second; 0: any number. A worker makes none but to be told so: it is held to what a viewer is. Its stream is no call.
    const fn calls_of(&self, role: Role) -> u32 {
        match role {
            Role::Viewer | Role::Worker => self.viewer_calls,
            Role::Submitter => self.submitter_calls,
            Role::Operator => self.operator_calls,
            Role::Admin => self.admin_calls,
        }
    }

    /// Calls and bytes in a second of a token; 0: any number.
    pub(crate) fn of(&self, role: Role, own: TokenRates) -> (u32, u32) {
        let calls = own.calls.unwrap_or_else(|| self.calls_of(role));
        (calls, own.bytes.unwrap_or(self.bytes))
    }

    /// What is wrong with it.
    pub(super) fn check(&self, violations: &mut Violations) {
        for (field, given) in [
            ("rates.viewer_calls", self.viewer_calls),
            ("rates.submitter_calls", self.submitter_calls),
            ("rates.operator_calls", self.operator_calls),
            ("rates.admin_calls", self.admin_calls),
        ] {
            if given > RATE_MAX {
                violations.add(field, format!("is at most {RATE_MAX}; 0: no limit"), given);
            }
        }
        if self.bytes != 0 && !(BYTE_RATE_MIN..=RATE_MAX).contains(&self.bytes) {
            let rule = format!("is {BYTE_RATE_MIN}..={RATE_MAX}, or 0 for no limit");
            violations.add("rates.bytes", rule, self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_value_is_named() {
        let mut found = Violations::new();
        Rates::default().check(&mut found);
        Rates::unlimited().check(&mut found);
        assert_eq!(found.to_string(), "");
        let wrong = Rates {
            operator_calls: RATE_MAX + 1,
            bytes: 1_000,
            ..Rates::default()
        };
        wrong.check(&mut found);
        let fields: Vec<&str> = found.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, ["rates.operator_calls", "rates.bytes"]);
    }
}
