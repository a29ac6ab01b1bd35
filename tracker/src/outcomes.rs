//! What workers report of their attempts: written in batches, confirmed, and told to the callers that wait for it.

pub(crate) mod coalesce;
pub(crate) mod notes;
pub(crate) mod resolve;
pub(crate) mod settle;
pub(crate) mod waits;
