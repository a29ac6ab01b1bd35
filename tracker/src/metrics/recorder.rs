//! What gathers the metrics of a process and renders them. The exporter keeps raw samples until they are folded
//! (`http/upkeep.rs`).

use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use parking_lot::Mutex;
use tickwheel_core::access::Role;
use tickwheel_core::error::Violation;

use super::definitions::{
    ACCESS_REFUSED, ALL, BUILD_INFO, ITEMS_REFUSED, Kind, QUOTA_REFUSED, REJECTED, RUNS,
    STALE_REPORTS, STORE_ERRORS, VALUES_DROPPED,
};
use crate::error::Error;

/// Bucket bounds in seconds: half a millisecond, where lateness is judged, to five minutes, where runs are.
const BOUNDS: [f64; 18] = [
    0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0,
    120.0, 300.0,
];

/// The recorder that gathers the metrics, and through its handle renders them.
///
/// # Errors
/// Never with the bounds of this file; the builder refuses an empty list of them.
pub fn recorder() -> Result<PrometheusRecorder, BuildError> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Prefix("tickwheel_".to_owned()), &BOUNDS)?;
    Ok(builder.build_recorder())
}

/// Installs the recorder for the whole process, once; later calls answer with the same handle, so that several trackers of one process
/// (as in tests) share it.
///
/// # Errors
/// [`Error::Config`] when another recorder was installed before.
pub fn install() -> Result<PrometheusHandle, Error> {
    static HANDLE: Mutex<Option<PrometheusHandle>> = Mutex::new(None);
    let mut installed = HANDLE.lock();
    if let Some(handle) = installed.as_ref() {
        return Ok(handle.clone());
    }
    let refuse = |given: String| {
        Error::Config(Violation::new("metrics", "one recorder for each process", given).into())
    };
    let recorder = recorder().map_err(|error| refuse(error.to_string()))?;
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|error| refuse(error.to_string()))?;
    describe();
    *installed = Some(handle.clone());
    Ok(handle)
}

/// Tells the installed recorder what each metric means, and sets the build information.
pub fn describe() {
    for metric in ALL {
        match metric.kind {
            Kind::Counter => metrics::describe_counter!(metric.name, metric.unit, metric.help),
            Kind::Gauge => metrics::describe_gauge!(metric.name, metric.unit, metric.help),
            Kind::Histogram => metrics::describe_histogram!(metric.name, metric.unit, metric.help),
        }
    }
    begin_at_zero();
    metrics::gauge!(BUILD_INFO.name, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

/// Shows each counter from the start: what appears with its first event has no rate before it. Counters with labels begin with the words
/// that are known.
fn begin_at_zero() {
    let labels: [(&'static str, &'static str, &[&'static str]); 7] = [
        (
            ACCESS_REFUSED.name,
            "reason",
            &["unauthenticated", "denied", "expelled"],
        ),
        (RUNS.name, "outcome", &["succeeded", "failed", "timed_out"]),
        (STALE_REPORTS.name, "kind", &["settle", "renew", "note"]),
        (
            ITEMS_REFUSED.name,
            "kind",
            &["settlement", "renewal", "rejection", "page", "note"],
        ),
        (VALUES_DROPPED.name, "kind", &["figure", "resource"]),
        (
            REJECTED.name,
            "reason",
            &["REASON_BUSY", "REASON_UNKNOWN_HANDLER", "REASON_DRAINING"],
        ),
        (
            STORE_ERRORS.name,
            "kind",
            &["unavailable", "exhausted", "contract"],
        ),
    ];
    for (name, label, words) in labels {
        for word in words {
            metrics::counter!(name, label => *word).increment(0);
        }
    }
    for class in Role::ALL {
        for of in ["calls", "bytes"] {
            let class = class.as_str();
            metrics::counter!(QUOTA_REFUSED.name, "class" => class, "of" => of).increment(0);
        }
    }
    for of in ["contexts", "jobs"] {
        metrics::counter!(QUOTA_REFUSED.name, "class" => "namespace", "of" => of).increment(0);
    }
    let plain = ALL
        .iter()
        .filter(|metric| metric.kind == Kind::Counter && !metric.help.contains('{'));
    for metric in plain.filter(|metric| labels.iter().all(|(name, ..)| *name != metric.name)) {
        metrics::counter!(metric.name).increment(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::definitions::FIRE_LAG;

    #[test]
    fn a_scrape_shows_description_buckets_and_build() {
        let recorder = recorder().unwrap();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            describe();
            metrics::histogram!(FIRE_LAG.name).record(0.004);
            metrics::counter!(RUNS.name, "outcome" => "succeeded").increment(3);
        });
        let text = handle.render();
        assert!(
            text.contains("# HELP tickwheel_fire_lag_seconds From the due time"),
            "{text}"
        );
        assert!(
            text.contains("tickwheel_fire_lag_seconds_bucket{le=\"0.005\"} 1"),
            "{text}"
        );
        assert!(
            text.contains("tickwheel_fire_lag_seconds_bucket{le=\"0.002\"} 0"),
            "{text}"
        );
        assert!(
            text.contains("tickwheel_runs_total{outcome=\"succeeded\"} 3"),
            "{text}"
        );
        assert!(text.contains("tickwheel_build_info{version=\""), "{text}");
        for zero in [
            "tickwheel_misfires_total 0",
            "tickwheel_lease_lost_total 0",
            "tickwheel_runs_total{outcome=\"timed_out\"} 0",
            "tickwheel_store_errors_total{kind=\"unavailable\"} 0",
        ] {
            assert!(text.contains(zero), "{zero}\n{text}");
        }
    }
}
