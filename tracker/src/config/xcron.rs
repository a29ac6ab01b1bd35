//! What the tasks of xcron are made with.

use std::time::Duration;

use tickwheel_core::bounds::ATTEMPTS_MAX;
use tickwheel_core::error::Violations;
use tickwheel_core::zone::Zone;
use tickwheel_http_handler::Guard;

/// The endpoints of xcron, and what the tasks that are created there are like. What a task was created with it keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Xcron {
    /// Whether they are answered; else their paths do not exist.
    pub enabled: bool,
    /// The IANA name of the zone in which crontabs are read.
    pub zone: String,
    /// Attempts of each callback in all, 1..=1000.
    pub max_attempts: u32,
    /// Between two of them, up to a day.
    pub retry_delay: Duration,
    /// What is known here of where workers may call: a URL that none of them calls is refused before it is a task. What they judge by is their own.
    pub guard: Guard,
}

impl Default for Xcron {
    fn default() -> Self {
        Self {
            enabled: true,
            zone: "UTC".to_owned(),
            max_attempts: 1,
            retry_delay: Duration::from_secs(10),
            guard: Guard::default(),
        }
    }
}

impl Xcron {
    /// What is wrong with it.
    pub(super) fn check(&self, violations: &mut Violations) {
        let zone = Zone::parse(&self.zone);
        violations.keep(zone.map_err(|wrong| wrong.at("xcron.zone")));
        if !(1..=ATTEMPTS_MAX).contains(&self.max_attempts) {
            let rule = format!("is 1..={ATTEMPTS_MAX}");
            violations.add("xcron.max_attempts", rule, self.max_attempts);
        }
        let day = Duration::from_secs(86_400);
        if !(Duration::from_millis(1)..=day).contains(&self.retry_delay) {
            let given = format!("{:?}", self.retry_delay);
            violations.add("xcron.retry_delay", "is 1ms..=24h", given);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_value_is_named() {
        let mut found = Violations::new();
        Xcron::default().check(&mut found);
        assert_eq!(found.to_string(), "");
        let wrong = Xcron {
            zone: "Mars/Olympus".to_owned(),
            max_attempts: 0,
            retry_delay: Duration::from_secs(86_401),
            ..Xcron::default()
        };
        wrong.check(&mut found);
        let fields: Vec<&str> = found.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(
            fields,
            ["xcron.zone", "xcron.max_attempts", "xcron.retry_delay"]
        );
    }
}
