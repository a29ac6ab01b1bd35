//! Damage to a partition in which something is in every place.

pub(crate) mod cases;
pub(crate) mod good;
pub(crate) mod values;
