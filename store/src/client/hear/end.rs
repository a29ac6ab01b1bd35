//! How an ear ends.

/// Why an ear ends.
#[derive(Debug)]
pub(super) enum End {
    /// Nobody listens any more.
    Unwanted,
    /// It is of no use, in words.
    Deaf(String),
}
