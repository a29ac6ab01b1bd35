//! Contexts with subtasks: split when they are due, mapped and read by their handlers.

pub(crate) mod fan;
pub(crate) mod open;
