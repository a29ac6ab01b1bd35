//! A token, its secret, and what is kept of it.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::mask::MARK;
use crate::error::Violation;
use crate::id::hex;

/// Bytes of a secret, and of what is kept of it.
const BYTES: usize = 32;
/// The same in letters of base64.
const LETTERS: usize = 43;
/// Letters of an id that is made.
const ID_MADE: usize = 12;

/// What a token is called: 8 to 16 small letters and digits. It is no secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenId(String);

impl TokenId {
    /// An id made of random bytes.
    #[must_use]
    pub fn random(bytes: [u8; ID_MADE]) -> Self {
        const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        let letter = |byte: u8| LETTERS.get(usize::from(byte) % LETTERS.len());
        let letters = bytes.into_iter().filter_map(letter);
        Self(letters.map(|letter| char::from(*letter)).collect())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for TokenId {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if (8..=16).contains(&text.len()) && text.bytes().all(fits) {
            return Ok(Self(text.to_owned()));
        }
        let rule = "is 8 to 16 small letters and digits, what stands behind `tw_` of a token";
        // A whole token may have been given in its place.
        let given = if text.len() <= 16 { text } else { "" };
        Err(Violation::new("id", rule, given))
    }
}

impl TryFrom<String> for TokenId {
    type Error = Violation;

    fn try_from(text: String) -> Result<Self, Violation> {
        text.parse()
    }
}

impl From<TokenId> for String {
    fn from(id: TokenId) -> Self {
        id.0
    }
}

/// What only those know who were given the token. It is compared through its [`SecretDigest`], and nothing prints it.
#[derive(Clone)]
pub struct Secret([u8; BYTES]);

impl Secret {
    /// The secret of these random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }

    /// What is kept of it.
    #[must_use]
    pub fn digest(&self) -> SecretDigest {
        SecretDigest(Sha256::digest(self.0).into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The SHA-256 of a secret: what is kept, and what is compared, in a time that does not tell how much of it is right.
#[derive(Clone, Copy)]
pub struct SecretDigest([u8; BYTES]);

impl SecretDigest {
    /// As it is kept: 64 hexadecimal digits.
    #[must_use]
    pub fn to_hex(self) -> String {
        hex(&self.0)
    }
}

impl PartialEq for SecretDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretDigest {}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(…)")
    }
}

impl FromStr for SecretDigest {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        let wrong = || Violation::new("", "is 64 hexadecimal digits", "");
        if text.len() != 2 * BYTES || !text.is_ascii() {
            return Err(wrong());
        }
        let mut bytes = [0; BYTES];
        for (at, byte) in bytes.iter_mut().enumerate() {
            let digits = text.get(2 * at..2 * at + 2).ok_or_else(wrong)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

/// What a caller shows: `tw_<id>_<secret>`, the secret in base64 for URLs.
#[derive(Debug, Clone)]
pub struct Token {
    /// Which.
    pub id: TokenId,
    /// What proves it.
    pub secret: Secret,
}

impl Token {
    /// The whole text. Whoever has it can do what the token may.
    #[must_use]
    pub fn reveal(&self) -> String {
        let secret = URL_SAFE_NO_PAD.encode(self.secret.0);
        format!("{MARK}{}_{secret}", self.id)
    }
}

impl FromStr for Token {
    type Err = Violation;

    /// What was given is in no error.
    fn from_str(text: &str) -> Result<Self, Violation> {
        let wrong = || {
            let rule = "is `tw_<id>_<secret>`, as `tickwheel token make` prints it";
            Violation::new("token", rule, "")
        };
        let rest = text.strip_prefix(MARK).ok_or_else(wrong)?;
        let (id, secret) = rest.split_once('_').ok_or_else(wrong)?;
        if secret.len() != LETTERS {
            return Err(wrong());
        }
        // Decoding wants room for whole groups of letters.
        let mut room = [0; BYTES + 1];
        let read = URL_SAFE_NO_PAD.decode_slice(secret, &mut room);
        let bytes = room.first_chunk().copied();
        let (Ok(BYTES), Some(bytes)) = (read, bytes) else {
            return Err(wrong());
        };
        Ok(Self {
            id: id.parse().map_err(|_| wrong())?,
            secret: Secret(bytes),
        })
    }
}
