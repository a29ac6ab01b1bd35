//! What the end-to-end tests stand on: a cluster of real processes, the invariants, the checker of job ledgers, and the fault rig.
//!
//! - [`chaos`] is the fault rig behind the binary `chaos`.
//! - [`garbage`] is what lies in Redis after an accident: records that cannot be read, keys of a wrong type.
//! - [`harness`] starts Redis, trackers and workers, and ends them with the test.
//! - [`invariants`] has one checking function for each invariant that can be seen from outside.
//! - [`ledger`] holds what became of a job's due times against the arithmetic of its calendar.
//!
//! The promises themselves stand in `tests/`, one file each. Nothing here decides anything that a tracker decides.

pub mod chaos;
pub mod garbage;
pub mod harness;
pub mod invariants;
pub mod ledger;
