//! Whether Redis is set up and heard as a tracker needs it.

pub(crate) mod fitness;
pub(crate) mod hearing;
