//! What a worker says of itself in a heartbeat, as far as it can be true.
//!
//! A figure that is no number, or below zero, is not known; one that is beyond what any machine has is taken for the bound. So no figure
//! stops a turn, and none makes its worker the best for ever.

use tickwheel_core::bounds::{
    RESPONSE_MS_MAX, WORKER_CPUS_MAX, WORKER_LOAD_MAX, WORKER_MEMORY_MAX, WORKER_PERMITS_MAX,
};
use tickwheel_proto::v1::Report;

/// The figures of a worker.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Measured {
    /// Contexts it runs.
    pub(crate) running: u32,
    /// Share of its CPUs in use, 0 to 1.
    pub(crate) cpu_load: Option<f32>,
    /// Bytes of its memory in use.
    pub(crate) memory_used: u64,
    /// Bytes of its memory; 0: not known.
    pub(crate) memory_total: u64,
    /// CPUs it may use; 0: not known.
    pub(crate) cpus: u32,
    /// What its attempts took lately, in ms.
    pub(crate) response_ms: Option<f32>,
    /// Runnable processes of its machine.
    pub(crate) load: Option<f32>,
}

impl Measured {
    /// Reads a report; the second is how many of its figures are none.
    pub(crate) fn of(report: Report) -> (Self, usize) {
        let figures = [report.cpu_load, report.load]
            .into_iter()
            .chain(report.response_ms);
        let wrong = figures.filter(|figure| figure_of(*figure).is_none());
        let wrong = wrong.count();
        let within = |figure: f32, most: f32| figure_of(figure).map(|figure| figure.min(most));
        let measured = Self {
            running: report.running.min(WORKER_PERMITS_MAX),
            cpu_load: within(report.cpu_load, 1.0),
            memory_used: report.memory_used_bytes.min(WORKER_MEMORY_MAX),
            memory_total: report.memory_total_bytes.min(WORKER_MEMORY_MAX),
            cpus: report.cpus.min(WORKER_CPUS_MAX),
            response_ms: report
                .response_ms
                .and_then(|response| within(response, RESPONSE_MS_MAX)),
            load: within(report.load, WORKER_LOAD_MAX),
        };
        (measured, wrong)
    }
}

/// A number from 0; `None` for what is not a number, infinite, or below zero.
fn figure_of(figure: f32) -> Option<f32> {
    // A zero below zero is one.
    (figure.is_finite() && figure >= 0.0).then(|| figure.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_figure_is_not_known() {
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1e30, -0.001] {
            let (measured, count) = Measured::of(Report {
                cpu_load: wrong,
                load: wrong,
                response_ms: Some(wrong),
                ..Report::default()
            });
            assert_eq!(count, 3, "{wrong}");
            let figures = [measured.cpu_load, measured.load, measured.response_ms];
            assert_eq!(figures, [None; 3], "{wrong}");
        }
    }

    #[test]
    fn what_is_beyond_any_machine_is_the_bound() {
        let (measured, count) = Measured::of(Report {
            running: u32::MAX,
            cpu_load: 3e38,
            memory_used_bytes: u64::MAX,
            memory_total_bytes: u64::MAX,
            cpus: u32::MAX,
            response_ms: Some(3e38),
            load: 3e38,
        });
        assert_eq!(count, 0);
        let expected = Measured {
            running: WORKER_PERMITS_MAX,
            cpu_load: Some(1.0),
            memory_used: WORKER_MEMORY_MAX,
            memory_total: WORKER_MEMORY_MAX,
            cpus: WORKER_CPUS_MAX,
            response_ms: Some(RESPONSE_MS_MAX),
            load: Some(WORKER_LOAD_MAX),
        };
        assert_eq!(measured, expected);
        let (plausible, count) = Measured::of(Report {
            cpu_load: -0.0,
            response_ms: Some(2.5),
            load: 0.7,
            ..Report::default()
        });
        assert_eq!((plausible.cpu_load, count), (Some(0.0), 0));
        assert_eq!(
            (plausible.response_ms, plausible.load),
            (Some(2.5), Some(0.7))
        );
    }
}
