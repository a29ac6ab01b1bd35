//! Values that stand in a request as JSON, or as text behind the `?` of a path.

use serde_json::{Value, json};
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::shape::{Defaults, Form, shown};

/// A whole number of a range, also as text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number {
    /// The least.
    pub(crate) least: u32,
    /// The greatest.
    pub(crate) most: u32,
}

impl Form<u32> for Number {
    fn read(&self, value: &Value) -> Result<u32, Violations> {
        let given = shown(value);
        let digits = !given.is_empty() && given.bytes().all(|byte| byte.is_ascii_digit());
        let read = given.parse().ok().filter(|_| digits);
        let within = read.filter(|number| (self.least..=self.most).contains(number));
        let rule = || format!("is a whole number, {}..={}", self.least, self.most);
        within.ok_or_else(|| Violation::new("", rule(), given).into())
    }

    fn write(&self, value: &u32, _defaults: Defaults) -> Value {
        json!(value)
    }

    fn describe(&self) -> Value {
        json!({ "type": "integer", "minimum": self.least, "maximum": self.most })
    }
}

/// How many entries one request may look at.
pub(crate) const LOOK: Number = Number {
    least: 1,
    most: 6_400,
};
pub(crate) const LOOK_ABOUT: &str =
    "Look at so many entries at most, 6,400 without it; `looked` says how many there are.";

/// Yes or no, also as text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flag;

impl Form<bool> for Flag {
    fn read(&self, value: &Value) -> Result<bool, Violations> {
        match shown(value).as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            given => Err(Violation::new("", "is true or false", given).into()),
        }
    }

    fn write(&self, value: &bool, _defaults: Defaults) -> Value {
        json!(value)
    }

    fn describe(&self) -> Value {
        json!({ "type": "boolean" })
    }
}
