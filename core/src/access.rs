//! Who may do what: roles, what they reach, and the tokens that say so.
//!
//! A token is `tw_<id>_<secret>`. Whoever shows it is believed to be who it was made for; of the secret only its SHA-256 is kept. What it may do
//! is its [`Scope`]: a role, and what of namespaces, groups and handlers it reaches.

mod fingerprint;
mod mask;
mod pattern;
mod rates;
mod role;
mod scope;
mod token;

pub use fingerprint::Fingerprint;
pub use mask::mask;
pub use pattern::{Pattern, Patterns};
pub use rates::TokenRates;
pub use role::{Permission, Role};
pub use scope::{Scope, Sight, WorkerBounds};
pub use token::{Secret, SecretDigest, Token, TokenId};

#[cfg(test)]
mod tests;
