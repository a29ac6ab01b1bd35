//! An attempt that ended without success, as it is kept beside its context: one element of `attempts`.

use tickwheel_core::id::{AttemptNo, WorkerId};
use tickwheel_core::time::TimestampMs;

use crate::record::error_type;

/// `<attempt> <worker|-> <claimed|0> <ended> <failed, timed_out or lost> <error>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastAttempt {
    /// Its number.
    pub attempt: AttemptNo,
    /// Who ran it; `None` when it never reached a worker.
    pub worker: Option<WorkerId>,
    /// When it was claimed.
    pub claimed: Option<TimestampMs>,
    /// When it ended.
    pub ended: TimestampMs,
    /// `failed`, `timed_out` or `lost`.
    pub outcome: String,
    /// Why, at most 200 bytes with the class.
    pub error: String,
    /// The class of that error; empty where its worker named none.
    pub error_type: String,
}

impl PastAttempt {
    /// Reads an element of the list; `None` when it follows no grammar.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut fields = text.splitn(6, ' ');
        let attempt = fields.next()?.parse::<u32>().ok()?.into();
        let worker = match fields.next()? {
            "-" => None,
            name => Some(WorkerId::new(name).ok()?),
        };
        let claimed: u64 = fields.next()?.parse().ok()?;
        let ended: u64 = fields.next()?.parse().ok()?;
        let outcome = fields.next()?.to_owned();
        let known = ["failed", "timed_out", "lost"].contains(&outcome.as_str());
        let (error_type, error) = error_type::split(fields.next()?);
        known.then_some(Self {
            attempt,
            worker,
            claimed: Some(claimed).filter(|ms| *ms > 0).map(TimestampMs::new),
            ended: TimestampMs::new(ended),
            outcome,
            error,
            error_type,
        })
    }
}
