//! How large a simulated cluster is.

/// Partitions of a simulated cluster: as few as make trackers share them.
pub(crate) const PARTITIONS: u16 = 3;
