//! What Redis has of a token, as `lua/lib/records/token_record.lua` has it.

use serde::{Deserialize, Serialize};
use tickwheel_core::access::{Fingerprint, Scope, SecretDigest, TokenRates};
use tickwheel_core::time::TimestampMs;

use crate::error::Error;
use crate::script::GET_TOKEN;

/// What is kept of a token.
#[derive(Debug, Clone)]
pub struct TokenRecord {
    /// What is kept of its secret.
    digest: SecretDigest,
    /// The same of the secret before the last rotation, and until when that is good.
    earlier: Option<(SecretDigest, TimestampMs)>,
    /// From here on it is refused.
    pub not_after: Option<TimestampMs>,
    /// When it was made.
    pub made: TimestampMs,
    /// When it was given another secret last.
    pub rotated: Option<TimestampMs>,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// The certificate of whoever may show it; `None`: anybody may.
    pub bound: Option<Fingerprint>,
    /// What it may ask for in a second.
    pub rates: TokenRates,
}

#[derive(Serialize, Deserialize)]
struct About {
    name: String,
    /// The fingerprint of a certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cert_sha256: Option<String>,
    #[serde(flatten)]
    rates: TokenRates,
    #[serde(flatten)]
    scope: Scope,
}

/// What stands at the end of a record.
pub(super) fn about(
    name: &str,
    scope: &Scope,
    bound: Option<Fingerprint>,
    rates: TokenRates,
) -> Result<String, Error> {
    let about = About {
        name: name.to_owned(),
        cert_sha256: bound.map(|bound| bound.to_string()),
        rates,
        scope: scope.clone(),
    };
    let json = serde_json::to_string(&about);
    let json = json.map_err(|error| Error::contract("access/make", error))?;
    Ok(format!("{}:{json}", scope.role))
}

impl TokenRecord {
    /// Until when the secret before the last rotation is good.
    #[must_use]
    pub fn earlier_until(&self) -> Option<TimestampMs> {
        self.earlier.map(|(_, until)| until)
    }

    /// Whether whoever connects with this certificate may show it.
    #[must_use]
    pub fn is_for(&self, certificate: Option<Fingerprint>) -> bool {
        self.bound.is_none() || self.bound == certificate
    }

    /// Until when whoever shows this secret is to be believed: `None` when it is wrong, or over at `now`; `Some(None)`: without end.
    #[must_use]
    pub fn good_until(&self, shown: SecretDigest, now: TimestampMs) -> Option<Option<TimestampMs>> {
        // Both are compared, whatever the first says.
        let is_present = self.digest == shown;
        let earlier = self.earlier.filter(|(digest, _)| *digest == shown);
        let ends = if is_present {
            self.not_after
        } else {
            let (_, until) = earlier?;
            Some(
                self.not_after
                    .map_or(until, |not_after| not_after.min(until)),
            )
        };
        ends.is_none_or(|ends| ends > now).then_some(ends)
    }

    /// Reads what Redis has.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        // What it is for is nothing for a log.
        let damaged = || Error::damaged(GET_TOKEN.name(), "a token");
        let mut words = text.splitn(7, ' ');
        let mut word = || words.next().ok_or_else(damaged);
        let digest = word()?.parse().map_err(|_| damaged())?;
        let (earlier, until) = (word()?, word()?);
        let mut instants = [0_u64; 3];
        for instant in &mut instants {
            *instant = word()?.parse().map_err(|_| damaged())?;
        }
        let [not_after, made, rotated] = instants;
        let (role, json) = word()?.split_once(':').ok_or_else(damaged)?;
        let about: About = serde_json::from_str(json).map_err(|_| damaged())?;
        if about.scope.role.as_str() != role
            || about.scope.validate().is_err()
            || about.rates.validate().is_err()
        {
            return Err(damaged());
        }
        let bound = about.cert_sha256.map(|text| text.parse());
        let bound = bound.transpose().map_err(|_| damaged())?;
        let some = |ms: u64| Some(ms).filter(|ms| *ms > 0).map(TimestampMs::new);
        let earlier = match earlier {
            "-" => None,
            digest => {
                let until = until.parse().map_err(|_| damaged())?;
                let digest = digest.parse().map_err(|_| damaged())?;
                Some((digest, TimestampMs::new(until)))
            }
        };
        Ok(Self {
            digest,
            earlier,
            not_after: some(not_after),
            made: TimestampMs::new(made),
            rotated: some(rotated),
            name: about.name,
            scope: about.scope,
            bound,
            rates: about.rates,
        })
    }
}

#[cfg(test)]
mod tests {
    use tickwheel_core::access::Secret;

    use super::*;

    fn digest(of: u8) -> SecretDigest {
        Secret::new([of; 32]).digest()
    }

    fn record(earlier: &str, until: u64, not_after: u64) -> TokenRecord {
        let about = about("it is", &Scope::unlimited(), None, TokenRates::default()).unwrap();
        let text = format!(
            "{} {earlier} {until} {not_after} 5 0 {about}",
            digest(1).to_hex()
        );
        TokenRecord::parse(&text).unwrap()
    }

    #[test]
    fn a_secret_is_good_until_its_end_and_the_one_before_until_its_own() {
        let at = TimestampMs::new;
        let plain = record("-", 0, 0);
        assert_eq!(plain.good_until(digest(1), at(9)), Some(None));
        assert_eq!(plain.good_until(digest(2), at(9)), None);
        assert_eq!((plain.name.as_str(), plain.made), ("it is", at(5)));
        let ends = record("-", 0, 100);
        assert_eq!(ends.good_until(digest(1), at(99)), Some(Some(at(100))));
        assert_eq!(ends.good_until(digest(1), at(100)), None);
        let rotated = record(&digest(2).to_hex(), 50, 0);
        assert_eq!(rotated.good_until(digest(1), at(60)), Some(None));
        assert_eq!(rotated.good_until(digest(2), at(49)), Some(Some(at(50))));
        assert_eq!(rotated.good_until(digest(2), at(50)), None);
        let both = record(&digest(2).to_hex(), 50, 20);
        assert_eq!(both.good_until(digest(2), at(1)), Some(Some(at(20))));
    }

    #[test]
    fn a_token_is_bound_to_the_certificate_that_it_was_made_with() {
        let [own, other] = [b"own", b"etc"].map(|one| Fingerprint::of(one));
        let text = |bound| {
            let about = about("n", &Scope::unlimited(), bound, TokenRates::default()).unwrap();
            format!("{} - 0 0 5 0 {about}", digest(1).to_hex())
        };
        let bound = TokenRecord::parse(&text(Some(own))).unwrap();
        assert!(bound.is_for(Some(own)));
        assert!(!bound.is_for(Some(other)) && !bound.is_for(None));
        let free = TokenRecord::parse(&text(None)).unwrap();
        assert!(free.is_for(None) && free.is_for(Some(other)));
    }

    #[test]
    fn a_token_has_the_rates_that_it_was_made_with() {
        let rates = TokenRates {
            calls: Some(7),
            bytes: None,
        };
        let about = about("n", &Scope::unlimited(), None, rates).unwrap();
        assert!(about.contains("\"calls_per_second\":7"), "{about}");
        assert!(!about.contains("bytes"), "{about}");
        let text = format!("{} - 0 0 5 0 {about}", digest(1).to_hex());
        assert_eq!(TokenRecord::parse(&text).unwrap().rates, rates);
        let wrong = text.replace("\"calls_per_second\":7", "\"calls_per_second\":0");
        assert!(TokenRecord::parse(&wrong).is_err());
        assert_eq!(record("-", 0, 0).rates, TokenRates::default());
    }

    #[test]
    fn what_is_none_is_damaged_and_not_repeated() {
        let good = about("n", &Scope::unlimited(), None, TokenRates::default()).unwrap();
        let hex = digest(1).to_hex();
        for text in [
            String::new(),
            format!("{hex} - 0 0 5 0 viewer:{}", good.split_once(':').unwrap().1),
            format!("{hex} - 0 0 x 0 {good}"),
            format!("{hex} - 0 0 5 0 admin:{{}}"),
            format!("short - 0 0 5 0 {good}"),
            format!("{hex} x 9 0 5 0 {good}"),
            // A binding that cannot be read binds to nobody.
            format!(
                "{hex} - 0 0 5 0 {}",
                good.replacen("{", "{\"cert_sha256\":\"x\",", 1)
            ),
        ] {
            let error = TokenRecord::parse(&text).unwrap_err();
            assert!(matches!(error, Error::Damaged { .. }), "{error}");
            assert!(!error.to_string().contains(&hex), "{error}");
        }
    }
}
