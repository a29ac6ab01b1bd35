//! What those who listen are told.

/// A message of a sharded channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The channel and the text.
    Message(String, String),
    /// The channels are subscribed to anew, some are missing, or messages were dropped: anything may have been missed.
    Gap,
}

/// How many channels are subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hearing {
    /// So many are, as the server has confirmed.
    pub subscribed: usize,
    /// So many should be.
    pub expected: usize,
}
