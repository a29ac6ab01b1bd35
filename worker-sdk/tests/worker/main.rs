//! What users of the worker SDK are promised, without a tracker.
//!
//! One program: its parts are compiled and linked once.

mod around;
mod batch;
mod cancel;
mod dispatch;
mod drain;
mod fan;
mod harness;
mod session;
mod wire;
