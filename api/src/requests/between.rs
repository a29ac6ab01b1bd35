//! From when to when.

use tickwheel_core::shape::{Maybe, Place, Visitor, WHEN, optional, place};
use tickwheel_core::time::TimestampMs;

/// A stretch of time, open where nothing is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Between {
    from: Option<TimestampMs>,
    to: Option<TimestampMs>,
}

impl Between {
    /// As the wire has it.
    pub(crate) fn start_ms(self) -> Option<u64> {
        self.from.map(TimestampMs::as_u64)
    }

    /// As the wire has it.
    pub(crate) fn end_ms(self) -> Option<u64> {
        self.to.map(TimestampMs::as_u64)
    }
}

/// How a stretch is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    from: (&'static str, &'static str),
    to: (&'static str, &'static str),
}

/// When something was due first.
pub(crate) const DUE: Bounds = Bounds {
    from: (
        "due_from",
        "Only those that were due first at this instant or later: RFC 3339, or milliseconds since 1970.",
    ),
    to: (
        "due_to",
        "Only those that were due first before this instant.",
    ),
};
/// Due times of a job.
pub(crate) const DUE_TIMES: Bounds = Bounds {
    from: (
        "from",
        "Only due times from this instant on: RFC 3339, or milliseconds since 1970.",
    ),
    to: ("to", "Only due times before this instant."),
};
/// When something ended.
pub(crate) const ENDED: Bounds = Bounds {
    from: (
        "ended_from",
        "Only those that ended at this instant or later.",
    ),
    to: ("ended_to", "Only those that ended before this instant."),
};

impl Bounds {
    /// Declares both ends.
    pub(crate) fn fields<S: 'static>(
        self,
        visit: &mut impl Visitor<S>,
        of: impl Place<S, Between>,
    ) {
        let (from, to) = (place!(Between: from), place!(Between: to));
        visit.field(optional(self.from.0, self.from.1), Maybe(WHEN), of.at(from));
        visit.field(optional(self.to.0, self.to.1), Maybe(WHEN), of.at(to));
    }
}
