//! By what a certificate is known from all others.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::error::Violation;
use crate::id::hex;

const BYTES: usize = 32;

/// The SHA-256 of a whole certificate (its DER form): `x5t#S256` of RFC 8705. It is no secret, as certificates are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; BYTES]);

impl Fingerprint {
    /// That of a certificate in DER.
    #[must_use]
    pub fn of(certificate: &[u8]) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

impl fmt::Display for Fingerprint {
    /// 64 small hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl FromStr for Fingerprint {
    type Err = Violation;

    /// 64 hexadecimal digits, with a colon between two of them or without, as `openssl x509 -fingerprint -sha256` prints them.
    fn from_str(text: &str) -> Result<Self, Violation> {
        let wrong = || {
            let rule = "is the SHA-256 of a certificate, 64 hexadecimal digits: `openssl x509 -noout -fingerprint -sha256 -in cert.pem` prints it";
            Violation::new("", rule, text)
        };
        if text.len() > 3 * BYTES {
            return Err(wrong());
        }
        let digits: String = if text.contains(':') {
            let pairs: Vec<&str> = text.split(':').collect();
            if pairs.iter().any(|pair| pair.len() != 2) {
                return Err(wrong());
            }
            pairs.concat()
        } else {
            text.to_owned()
        };
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if digits.len() != 2 * BYTES || !is_hex {
            return Err(wrong());
        }
        let mut bytes = [0; BYTES];
        for (at, byte) in bytes.iter_mut().enumerate() {
            let pair = digits.get(2 * at..2 * at + 2).ok_or_else(wrong)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_tools_print_it() {
        let plain = Fingerprint::of(b"a certificate");
        let text = plain.to_string();
        assert_eq!(text.len(), 64);
        let pairs: Vec<String> = text
            .as_bytes()
            .chunks(2)
            .map(|pair| String::from_utf8_lossy(pair).to_uppercase())
            .collect();
        for given in [text.clone(), text.to_uppercase(), pairs.join(":")] {
            assert_eq!(given.parse(), Ok(plain), "{given}");
        }
        let colons = pairs.join("::");
        for wrong in [
            "",
            "ab",
            &text[1..],
            &colons,
            &"é".repeat(32),
            &"+a".repeat(32),
        ] {
            let refused = wrong.parse::<Fingerprint>().unwrap_err();
            assert!(refused.rule.contains("64 hexadecimal digits"), "{wrong}");
        }
    }
}
