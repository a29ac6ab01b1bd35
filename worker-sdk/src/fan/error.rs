//! What can go wrong while a context fans out.

use crate::error::BoxError;

/// Why items could not be mapped, a reduce not be named, or results not be read.
///
/// With `?` it becomes a failure of the attempt that is retried by the context's policy: items that are in Redis stay there, and the next
/// attempt goes on behind them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FanError {
    /// Another attempt may run, or the worker ends: nothing this attempt does counts any more.
    #[error("the lease is lost: another attempt may run")]
    LeaseLost,
    /// An item cannot be written as JSON. Items before it in its page were not sent either.
    #[error("item {index} of the map cannot be written as JSON")]
    Encode {
        /// Its place among all items that this context mapped.
        index: u64,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// An item is greater than the body of a subtask may be.
    #[error("item {index} of the map has {bytes} bytes, the limit is {limit}")]
    BodyTooLarge {
        /// Its place among all items that this context mapped.
        index: u64,
        /// Its size.
        bytes: usize,
        /// The greatest size.
        limit: usize,
    },
    /// A context was asked to map more than 10,000,000 items.
    #[error("a context has at most {limit} subtasks")]
    TooMany {
        /// The greatest number.
        limit: u64,
    },
    /// A reduce was named before the first map call; one of no items counts.
    #[error("a reduce without a map: nothing was mapped before reduce(\"{handler}\")")]
    ReduceWithoutMap {
        /// The reduce that was named.
        handler: String,
    },
    /// Two map calls of one attempt ran at the same time. Items have to come in the same order in every attempt.
    #[error(
        "another map call of this attempt is under way: items have to come in the same order in every attempt"
    )]
    AlreadyMapping,
    /// A name or an option breaks a rule.
    #[error("invalid {setting}: {reason}")]
    Invalid {
        /// What it is about.
        setting: String,
        /// The rule, and what was given.
        reason: String,
    },
    /// Results were asked for by a context that is no reduce.
    #[error("only the handler of a reduce has results to read")]
    NotAReduce,
    /// A result is not of the type that was asked for.
    #[error("the result of subtask {index} does not fit")]
    Decode {
        /// Of the subtask.
        index: u64,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// The tracker refused, and says why.
    #[error("refused: {0}")]
    Refused(String),
}
