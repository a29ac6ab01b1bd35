//! Triggers.

use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::JobName;
use tickwheel_core::job::{AfterOn, Trigger};
use tickwheel_core::time::TimestampMs;

use super::{field, word};
use crate::v1;
use v1::trigger::after::On;
use v1::trigger::{After, Cron, FixedDelay, FixedRate, Kind, Manual, Once};

impl TryFrom<v1::Trigger> for Trigger {
    type Error = Violations;

    fn try_from(wire: v1::Trigger) -> Result<Self, Violations> {
        Ok(match wire.kind {
            Some(Kind::Cron(Cron {
                expression,
                time_zone: zone,
            })) => Self::Cron {
                expression,
                time_zone: if zone.is_empty() {
                    "UTC".to_owned()
                } else {
                    zone
                },
            },
            Some(Kind::FixedRate(FixedRate {
                period_ms,
                anchor_ms,
            })) => Self::FixedRate {
                period_ms,
                anchor_ms: anchor_ms.map(TimestampMs::new),
            },
            Some(Kind::FixedDelay(FixedDelay { delay_ms })) => Self::FixedDelay { delay_ms },
            Some(Kind::Once(Once { at_ms })) => Self::Once {
                at_ms: TimestampMs::new(at_ms),
            },
            Some(Kind::Manual(Manual {})) => Self::Manual,
            Some(Kind::After(after)) => after_of(&after).map_err(|wrong| wrong.prefix("after"))?,
            None => {
                let rule = "is one of cron, fixed_rate, fixed_delay, once, manual, after";
                return Err(Violation::new("", rule, "").into());
            }
        })
    }
}

/// Waits for a success unless the message says otherwise.
fn after_of(wire: &After) -> Result<Trigger, Violations> {
    let mut found = Violations::new();
    let job = field(&mut found, "job", JobName::new(&wire.job));
    let on = found.keep(
        word("on", wire.on, "succeeded, failed, ended").map(|on: On| match on {
            On::Unspecified | On::Succeeded => AfterOn::Succeeded,
            On::Failed => AfterOn::Failed,
            On::Ended => AfterOn::Ended,
        }),
    );
    match (job, on) {
        (Some(job), Some(on)) => Ok(Trigger::After { job, on }),
        (None, _) | (_, None) => Err(found),
    }
}

impl From<&Trigger> for v1::Trigger {
    fn from(trigger: &Trigger) -> Self {
        let kind = match trigger {
            Trigger::Cron {
                expression,
                time_zone: zone,
            } => Kind::Cron(Cron {
                expression: expression.clone(),
                time_zone: zone.clone(),
            }),
            Trigger::FixedRate {
                period_ms,
                anchor_ms,
            } => Kind::FixedRate(FixedRate {
                period_ms: *period_ms,
                anchor_ms: anchor_ms.map(TimestampMs::as_u64),
            }),
            Trigger::FixedDelay { delay_ms } => Kind::FixedDelay(FixedDelay {
                delay_ms: *delay_ms,
            }),
            Trigger::Once { at_ms } => Kind::Once(Once {
                at_ms: at_ms.as_u64(),
            }),
            Trigger::Manual => Kind::Manual(Manual {}),
            Trigger::After { job, on } => {
                let on = match on {
                    AfterOn::Succeeded => On::Succeeded,
                    AfterOn::Failed => On::Failed,
                    AfterOn::Ended => On::Ended,
                };
                Kind::After(After {
                    job: job.to_string(),
                    on: on.into(),
                })
            }
        };
        Self { kind: Some(kind) }
    }
}
