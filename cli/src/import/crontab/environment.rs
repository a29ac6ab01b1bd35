//! The variables of a crontab: each line of them holds for the entries behind it.

use serde_json::{Map, Value, json};

use crate::import::draft::{Draft, Reason};

/// Variables, and bytes of them, that an entry may have: each of them is written into each job behind it.
const VARIABLES_MAX: usize = 64;
const BYTES_MAX: usize = 8 * 1024;

/// Those that mean the cron itself, and no command.
const OF_CRON: &[&str] = &[
    "CRON_TZ",
    "RANDOM_DELAY",
    "MAILTO",
    "MAILFROM",
    "CONTENT_TYPE",
    "CONTENT_TRANSFER_ENCODING",
    "MLS_LEVEL",
];

const VARIABLES: Reason = Reason {
    why: "a worker has the environment that it was started in",
    todo: "let the handler set those that it trusts, or the environment of the worker",
};

const MAIL: Reason = Reason {
    why: "nothing is mailed here",
    todo: "let the handler write to the log of the run, and watch runs that end without success (`tickwheel dead list`, metrics)",
};

const ZONE: Reason = Reason {
    why: "some crons read TZ as the zone of the times, some only hand it to the command",
    todo: "take `time_zone` out, or write the zone of the machine there, if it was only handed to the command",
};

const DELAY: Reason = Reason {
    why: "the delay is drawn for each firing, and not once for all entries",
    todo: "leave it, or take it out",
};

const LEVEL: Reason = Reason {
    why: "a worker runs everything in the security context that it was started in",
    todo: "start a worker in that context, in a group of its own",
};

/// Variables as they are at a line.
#[derive(Debug, Default)]
pub(super) struct Environment(Map<String, Value>);

impl Environment {
    pub(super) fn set(&mut self, name: &str, value: &str) {
        // Beyond the bounds nothing is imported that it holds for; it is not kept either.
        if self.fits() {
            self.0.insert(name.to_owned(), json!(value));
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?.as_str()?;
        (!value.is_empty()).then_some(value)
    }

    fn fits(&self) -> bool {
        let bytes =
            |(name, value): (&String, &Value)| name.len() + value.as_str().map_or(0, str::len);
        self.0.len() <= VARIABLES_MAX && self.0.iter().map(bytes).sum::<usize>() <= BYTES_MAX
    }

    /// Refuses an entry whose variables are too many, or too large.
    pub(super) fn check(&self, draft: &mut Draft) {
        if !self.fits() {
            draft.refuse(format!(
                "has more than {VARIABLES_MAX} variables, or {BYTES_MAX} bytes of them, \
                     and each job would have a copy: set them in the environment of the worker"
            ));
        }
    }

    /// The zone of the times, without the colon that some write in front.
    pub(super) fn zone(&self, draft: &mut Draft) -> Option<String> {
        let plain = |zone: &str| zone.strip_prefix(':').unwrap_or(zone).to_owned();
        if let Some(zone) = self.get("CRON_TZ") {
            return Some(plain(zone));
        }
        let zone = plain(self.get("TZ")?);
        draft.differs(
            "time zone",
            format!("TZ={zone}"),
            format!("time_zone: {zone}"),
            &ZONE,
        );
        Some(zone)
    }

    /// Tells what of the cron's own variables is another thing here, or none.
    pub(super) fn tell(&self, draft: &mut Draft) {
        if let Some(minutes) = self.get("RANDOM_DELAY") {
            let number: Option<u64> = minutes.parse().ok();
            match number {
                Some(0) => {}
                Some(number) => {
                    let jitter = format!("{number}m");
                    draft.differs("RANDOM_DELAY", minutes, format!("jitter: {jitter}"), &DELAY);
                    draft.set("jitter", json!(jitter));
                }
                None => draft.refuse(format!(
                    "RANDOM_DELAY is a number of minutes, not {minutes}"
                )),
            }
        }
        if let Some(address) = self.get("MAILTO") {
            draft.differs("MAILTO", address, "nothing", &MAIL);
        }
        if let Some(level) = self.get("MLS_LEVEL") {
            draft.differs("MLS_LEVEL", level, "nothing", &LEVEL);
        }
        let handed: Vec<&str> = self.handed().map(|(name, _)| name.as_str()).collect();
        if !handed.is_empty() {
            draft.differs(
                "environment",
                handed.join(", "),
                "body.environment",
                &VARIABLES,
            );
        }
    }

    fn handed(&self) -> impl Iterator<Item = (&String, &Value)> {
        let is_handed = |(name, _): &(&String, &Value)| !OF_CRON.contains(&name.as_str());
        self.0.iter().filter(is_handed)
    }

    /// Those that a command gets.
    pub(super) fn variables(&self) -> Option<Value> {
        let copied = self
            .handed()
            .map(|(name, value)| (name.clone(), value.clone()));
        let variables: Map<String, Value> = copied.collect();
        (!variables.is_empty()).then_some(Value::Object(variables))
    }
}
