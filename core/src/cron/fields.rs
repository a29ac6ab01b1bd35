//! Reads an expression into elements and checks every number, before any engine sees it.
//!
//! Names become numbers here, and a hostile expression is refused at a bounded cost: by its length, then by the
//! number of list elements, then element by element.

mod field;
mod item;
mod read;
mod rule;

pub(super) use self::field::Field;
pub(super) use self::item::{Element, Item};
use self::read::{alias, field};
use self::rule::{
    CRONTAB_DAY_OF_WEEK, DAY_OF_MONTH, HOUR, MINUTE, MONTH, QUARTZ_DAY_OF_WEEK, SECOND, YEAR,
};
use crate::bounds::CRON_CHARS_MAX;
use crate::cron::hints;
use crate::error::Violation;

/// Which grammar an expression is written in; the number of fields decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Minute, hour, day of month, month, day of week (Sunday 0 or 7).
    Crontab,
    /// Second first, day of week with Sunday 1, optional year.
    Quartz,
}

/// A whole expression, every field present.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub(super) dialect: Dialect,
    pub(super) second: Field,
    pub(super) minute: Field,
    pub(super) hour: Field,
    pub(super) day_of_month: Field,
    pub(super) month: Field,
    pub(super) day_of_week: Field,
    pub(super) year: Field,
}

impl Fields {
    /// Reads an expression.
    pub(super) fn parse(expression: &str) -> Result<Self, Violation> {
        let wrong = |rule: String| Violation::new("cron", rule, expression);
        if expression.chars().nth(CRON_CHARS_MAX).is_some() {
            return Err(wrong(format!("has at most {CRON_CHARS_MAX} characters")));
        }
        if let Some(hint) = hints::foreign(expression) {
            return Err(wrong(hint));
        }
        let upper = expression.trim().to_ascii_uppercase();
        let text = if upper.starts_with('@') {
            alias(&upper).map_err(wrong)?
        } else {
            &upper
        };
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let found = match fields.as_slice() {
            [minute, hour, day_of_month, month, day_of_week] => Self {
                dialect: Dialect::Crontab,
                second: field(SECOND, "0").map_err(wrong)?,
                minute: field(MINUTE, minute).map_err(wrong)?,
                hour: field(HOUR, hour).map_err(wrong)?,
                day_of_month: field(DAY_OF_MONTH, day_of_month).map_err(wrong)?,
                month: field(MONTH, month).map_err(wrong)?,
                day_of_week: field(CRONTAB_DAY_OF_WEEK, day_of_week).map_err(wrong)?,
                year: field(YEAR, "*").map_err(wrong)?,
            },
            [
                second,
                minute,
                hour,
                day_of_month,
                month,
                day_of_week,
                rest @ ..,
            ] if rest.len() <= 1 => Self {
                dialect: Dialect::Quartz,
                second: field(SECOND.quartz(), second).map_err(wrong)?,
                minute: field(MINUTE.quartz(), minute).map_err(wrong)?,
                hour: field(HOUR.quartz(), hour).map_err(wrong)?,
                day_of_month: field(DAY_OF_MONTH.quartz(), day_of_month).map_err(wrong)?,
                month: field(MONTH.quartz(), month).map_err(wrong)?,
                day_of_week: field(QUARTZ_DAY_OF_WEEK, day_of_week)
                    .map_err(|rule| hints::sunday_is_zero(rule, day_of_week))
                    .map_err(wrong)?,
                year: field(YEAR.quartz(), rest.first().unwrap_or(&"*")).map_err(wrong)?,
            },
            other => {
                let count = other.len();
                let rule = "has 5 fields (crontab) or 6 to 7 (Quartz, seconds first)";
                return Err(wrong(format!("{rule}, not {count}")));
            }
        };
        Ok(found)
    }

    /// Whether one of the day fields uses `L`, `W` or `#`.
    pub(super) fn is_extended(&self) -> bool {
        self.day_of_month
            .elements
            .iter()
            .chain(&self.day_of_week.elements)
            .any(|element| match element.item {
                Item::All | Item::Point(_) | Item::Range(..) => false,
                Item::Last(_)
                | Item::LastWeekday(_)
                | Item::Nearest(_)
                | Item::Nth(..)
                | Item::LastOf(_) => true,
            })
    }
}
