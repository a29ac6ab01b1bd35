//! What is imported, and what holds for entries that do not say it themselves.

use tickwheel_core::{GroupName, HandlerName, Namespace, TimestampMs};

/// What a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A crontab; one of the system has a user in each line.
    Crontab {
        /// Whether it is one of the system.
        system: bool,
    },
    /// Kubernetes CronJobs.
    Cronjob,
    /// The table `xxl_job_info`.
    XxlJob,
}

impl Kind {
    /// What an entry belongs to, for people.
    pub(super) const fn called(self) -> &'static str {
        match self {
            Self::Crontab { .. } => "a crontab",
            Self::Cronjob => "Kubernetes",
            Self::XxlJob => "the table xxl_job_info",
        }
    }
}

/// Defaults for entries, and the clock.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Of jobs whose source names none.
    pub(crate) namespace: Namespace,
    /// Of jobs whose source names none.
    pub(crate) group: Option<GroupName>,
    /// Of expressions whose source names none.
    pub(crate) time_zone: Option<String>,
    /// Of jobs whose source names none.
    pub(crate) handler: Option<HandlerName>,
    /// A job that is never due after this instant would be refused, and is not imported.
    pub(crate) now: TimestampMs,
}

/// The zone of an expression when neither its source nor a setting names one.
pub(super) const ZONE_ASSUMED: &str = "UTC";
