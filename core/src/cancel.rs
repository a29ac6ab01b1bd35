//! Why an attempt that runs has to stop.

use crate::word::word_enum;

word_enum! {
    /// Why an attempt that runs has to stop.
    CancelReason {
        /// Somebody asked for it.
        Requested = "REQUESTED",
        /// A newer context of its job took its place.
        Replaced = "REPLACED",
        /// It ran for longer than it may.
        TimedOut = "TIMED_OUT",
        /// It is no longer its worker's: its lease was lost, or it ended elsewhere. What it reports changes nothing.
        Fenced = "FENCED",
    }
}
