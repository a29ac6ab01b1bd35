//! Items of a stream that could not be read: counted, told of once in a second, and in the end too many.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tonic::Status;

use crate::seldom::Seldom;

/// A stream with so many ends: whoever speaks there speaks something else.
const FAULTS_MAX: u32 = 100;

/// The items of one stream that could not be read.
#[derive(Debug)]
pub(crate) struct Faults {
    count: AtomicU32,
    lines: Seldom,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            count: AtomicU32::new(0),
            lines: Seldom::new(Duration::from_secs(1)),
        }
    }
}

impl Faults {
    /// Counts one; how many lines were left out since the last, when one may be written.
    pub(crate) fn add(&self) -> Option<u64> {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.line()
    }

    /// How many lines were left out since the last, when one may be written.
    pub(crate) fn line(&self) -> Option<u64> {
        self.lines.next(Instant::now())
    }

    /// The status that ends the stream, once there were too many.
    pub(crate) fn verdict(&self) -> Result<(), Status> {
        if self.count.load(Ordering::Relaxed) < FAULTS_MAX {
            return Ok(());
        }
        Err(Status::invalid_argument(format!(
            "{FAULTS_MAX} items of this stream could not be read: each needs the id of a context of this cluster; \
             the tracker's log has the last"
        )))
    }
}
