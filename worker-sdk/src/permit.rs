//! Permits: how much a worker takes at once.
//!
//! A permit is given out only with a place for the outcome in the spool. So a worker whose outcomes nobody confirms takes
//! less and less work, instead of filling its memory.

/// The bounds of a worker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Permits {
    /// Handlers that run at once.
    pub(crate) permits: u32,
    /// Outcomes kept for confirmation.
    pub(crate) spool_max: usize,
}

impl Permits {
    pub(crate) fn free(self, running: usize, unconfirmed: usize) -> u32 {
        let running_now = u32::try_from(running).unwrap_or(u32::MAX);
        let room = self
            .spool_max
            .saturating_sub(unconfirmed)
            .saturating_sub(running);
        self.permits
            .saturating_sub(running_now)
            .min(u32::try_from(room).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_spool_leaves_no_permit() {
        let permits = Permits {
            permits: 4,
            spool_max: 10,
        };
        assert_eq!(permits.free(0, 0), 4);
        assert_eq!(permits.free(3, 0), 1);
        assert_eq!(permits.free(9, 0), 0);
        assert_eq!(permits.free(1, 8), 1);
        assert_eq!(permits.free(1, 9), 0);
        assert_eq!(permits.free(0, 11), 0);
    }
}
