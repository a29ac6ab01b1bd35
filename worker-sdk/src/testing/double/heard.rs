//! What the tracker double heard.

use tickwheel_proto::v1::{
    AttemptRef, Credit, FetchResults, Heartbeat, Hello, LogLine, Progress, Rejection, Settlement,
    Split,
};

/// All that workers said, in the order it came.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Heard {
    /// One per stream.
    pub hellos: Vec<Hello>,
    /// What each of them said it is, `user-agent` in its metadata.
    pub agents: Vec<String>,
    /// Streams that are open now.
    pub open_streams: usize,
    /// Frames.
    pub frames: u64,
    /// Outcomes, repetitions included.
    pub settled: Vec<Settlement>,
    /// Refused assignments.
    pub rejected: Vec<Rejection>,
    /// Renewals of leases, the first of each attempt too.
    pub renewed: Vec<AttemptRef>,
    /// Progress.
    pub progress: Vec<Progress>,
    /// Log lines.
    pub logs: Vec<LogLine>,
    /// Liveness signs.
    pub heartbeats: Vec<Heartbeat>,
    /// The credit of every frame that had one.
    pub credits: Vec<Credit>,
    /// Pages of items, repetitions included.
    pub splits: Vec<Split>,
    /// Pages of results that were asked for.
    pub fetches: Vec<FetchResults>,
    /// Frames of draining workers.
    pub draining: u64,
}

impl Heard {
    /// The outcomes of one attempt.
    pub fn settlements<'a>(
        &'a self,
        context_id: &'a str,
        attempt: u32,
    ) -> impl Iterator<Item = &'a Settlement> + 'a {
        self.settled
            .iter()
            .filter(move |settled| settled.context_id == context_id && settled.attempt == attempt)
    }
}
