//! What keeps a program from speaking TLS as it is told to.

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// The setting, as a builder calls it: `ca_file`, `client_cert`, `client_key`.
    pub setting: &'static str,
    /// What is wrong, and with which file; nothing of a key is in it.
    pub reason: String,
}
