//! Heartbeats: what a worker tells of itself at each interval to every tracker that it has a stream to. The primary tracker writes them to
//! Redis for it.

use tickwheel_proto::v1::{Heartbeat, Report};
use tokio::time::Instant;

use super::{Connection, Protocol};
use crate::resources::Measured;

impl Protocol {
    /// Keeps the newest sample of the machine's load for the heartbeats that follow.
    pub(crate) fn set_report(&mut self, report: Report, measured: Vec<Measured>, now: Instant) {
        self.report = report;
        self.resources.measure(measured, now);
    }

    /// The interval is over: the next frame of this connection has a heartbeat.
    pub(crate) fn heartbeat(&mut self, connection: Connection) {
        if let Some(link) = self
            .links
            .get_mut(connection.link)
            .filter(|link| link.is(connection))
        {
            link.heartbeat_due = true;
            link.wake();
        }
    }

    /// The heartbeat of the next frame.
    pub(super) fn heartbeat_frame(&self, index: usize) -> Heartbeat {
        let primary = self.primary == Some(index);
        let running = u32::try_from(self.running.len()).unwrap_or(u32::MAX);
        Heartbeat {
            primary,
            // To every tracker: each chooses among the workers of its partitions by their figures.
            report: Some(Report {
                running,
                response_ms: self.response_ms,
                ..self.report
            }),
            resources: self.resources.report(),
        }
    }
}
