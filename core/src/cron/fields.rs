//! Reads an expression into elements and checks every number, before any engine sees it.
//!
//! Names become numbers here, and a hostile expression is refused at a bounded cost: by its length, then by the
//! number of list elements, then element by element.

mod read;

use self::read::{alias, field};
use crate::error::Violation;
use crate::limits::CRON_CHARS_MAX;

/// Which grammar an expression is written in; the number of fields decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Minute, hour, day of month, month, day of week (Sunday 0 or 7).
    Crontab,
    /// Second first, day of week with Sunday 1, optional year.
    Quartz,
}

/// What one list element selects, in the numbering of its dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    /// `*` or `?`.
    All,
    /// `5`.
    Point(u16),
    /// `5-9`.
    Range(u16, u16),
    /// Day of month `L`: the last day.
    Last,
    /// Day of month `LW`: the last weekday.
    LastWeekday,
    /// Day of month `15W`: the weekday nearest to the 15th, in its month.
    Nearest(u16),
    /// Day of week `6#3`: the third of the month.
    Nth(u16, u16),
    /// Day of week `6L`: the last of the month.
    LastOf(u16),
}

/// One list element: what it selects, and every how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element {
    /// What it selects.
    pub(super) item: Item,
    /// The number after a slash, 1 at least.
    pub(super) step: Option<u16>,
}

/// One field: its rule and elements.
#[derive(Debug, Clone)]
pub(super) struct Field {
    /// The range it may use.
    pub(super) rule: Rule,
    /// Its list.
    pub(super) elements: Vec<Element>,
}

/// What a field may contain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    name: &'static str,
    /// Least number.
    pub(super) min: u16,
    /// Greatest number.
    pub(super) max: u16,
    /// Names of the numbers from `min` on.
    names: &'static [&'static str],
    kind: Kind,
}

/// Which marks a field knows beside numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// None.
    Plain,
    /// `?`, `L`, `W`.
    DayOfMonth,
    /// `?`, `L`, `#`; Sunday is 0 and 7.
    CrontabDayOfWeek,
    /// `?`, `L`, `#`; Sunday is 1, and a range may run over Saturday.
    QuartzDayOfWeek,
}

const MONTHS: &[&str] = &[
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const DAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const SECOND: Rule = Rule {
    name: "second",
    min: 0,
    max: 59,
    names: &[],
    kind: Kind::Plain,
};
const MINUTE: Rule = Rule {
    name: "minute",
    min: 0,
    max: 59,
    names: &[],
    kind: Kind::Plain,
};
const HOUR: Rule = Rule {
    name: "hour",
    min: 0,
    max: 23,
    names: &[],
    kind: Kind::Plain,
};
const DAY_OF_MONTH: Rule = Rule {
    name: "day of month",
    min: 1,
    max: 31,
    names: &[],
    kind: Kind::DayOfMonth,
};
const MONTH: Rule = Rule {
    name: "month",
    min: 1,
    max: 12,
    names: MONTHS,
    kind: Kind::Plain,
};
const CRONTAB_DAY_OF_WEEK: Rule = Rule {
    name: "day of week",
    min: 0,
    max: 7,
    names: DAYS,
    kind: Kind::CrontabDayOfWeek,
};
const QUARTZ_DAY_OF_WEEK: Rule = Rule {
    name: "day of week",
    min: 1,
    max: 7,
    names: DAYS,
    kind: Kind::QuartzDayOfWeek,
};
const YEAR: Rule = Rule {
    name: "year",
    min: 1970,
    max: 2100,
    names: &[],
    kind: Kind::Plain,
};

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
                second: field(SECOND, second).map_err(wrong)?,
                minute: field(MINUTE, minute).map_err(wrong)?,
                hour: field(HOUR, hour).map_err(wrong)?,
                day_of_month: field(DAY_OF_MONTH, day_of_month).map_err(wrong)?,
                month: field(MONTH, month).map_err(wrong)?,
                day_of_week: field(QUARTZ_DAY_OF_WEEK, day_of_week).map_err(wrong)?,
                year: field(YEAR, rest.first().unwrap_or(&"*")).map_err(wrong)?,
            },
            other => {
                let count = other.len();
                let rule = "has 5 fields (crontab) or 6 to 7 (Quartz, seconds first)";
                return Err(wrong(format!("{rule}, not {count}")));
            }
        };
        found.check_steps().map_err(wrong)?;
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
                Item::Last
                | Item::LastWeekday
                | Item::Nearest(_)
                | Item::Nth(..)
                | Item::LastOf(_) => true,
            })
    }

    /// `5/15` is Quartz; Linux cron has no such form.
    fn check_steps(&self) -> Result<(), String> {
        if self.dialect == Dialect::Quartz {
            return Ok(());
        }
        let fields = [
            &self.minute,
            &self.hour,
            &self.day_of_month,
            &self.month,
            &self.day_of_week,
        ];
        for field in fields {
            for element in &field.elements {
                if let (Item::Point(start), Some(step)) = (element.item, element.step) {
                    let max = field.rule.max;
                    return Err(format!(
                        "{} has a step after * or a range: write {start}-{max}/{step}",
                        field.rule.name
                    ));
                }
            }
        }
        Ok(())
    }
}

impl Field {
    /// Whether it begins with `*` or `?`: crontab calls such a day field unrestricted.
    pub(super) fn starts_with_star(&self) -> bool {
        self.elements
            .first()
            .is_some_and(|element| element.item == Item::All)
    }

    /// Whether it is exactly `*` or `?`.
    pub(super) fn is_star(&self) -> bool {
        self.elements
            == [Element {
                item: Item::All,
                step: None,
            }]
    }

    /// The numbers it names, ascending, without those that depend on the month.
    pub(super) fn values(&self) -> Vec<u16> {
        let mut values: Vec<u16> = self
            .elements
            .iter()
            .flat_map(|element| self.rule.values(*element))
            .collect();
        values.sort_unstable();
        values.dedup();
        values
    }

    /// The field as text for an engine: `shift` is taken off every number, the greatest then being `max`.
    pub(super) fn render(&self, shift: u16, max: u16) -> String {
        let elements: Vec<String> = self
            .elements
            .iter()
            .map(|element| self.rule.render(*element, shift, max))
            .collect();
        elements.join(",")
    }
}

impl Rule {
    /// The numbers of one element.
    pub(super) fn values(self, element: Element) -> impl Iterator<Item = u16> {
        let (first, last) = match (element.item, element.step) {
            (Item::All, _) => (self.min, self.max),
            (Item::Point(at), None) => (at, at),
            (Item::Point(at), Some(_)) => (at, self.max),
            (Item::Range(from, to), _) => (from, to),
            (
                Item::Last | Item::LastWeekday | Item::Nearest(_) | Item::Nth(..) | Item::LastOf(_),
                _,
            ) => (1, 0),
        };
        (first..=last).step_by(usize::from(element.step.unwrap_or(1)))
    }

    fn render(self, element: Element, shift: u16, max: u16) -> String {
        let base = match (element.item, element.step) {
            (Item::All, None) => "*".to_owned(),
            (Item::All, Some(_)) => format!("{}-{max}", self.min.saturating_sub(shift)),
            (Item::Point(at), None) => format!("{}", at - shift),
            (Item::Point(at), Some(_)) => format!("{}-{max}", at - shift),
            (Item::Range(from, to), _) => format!("{}-{}", from - shift, to - shift),
            (Item::Last, _) => "L".to_owned(),
            (Item::LastWeekday, _) => "LW".to_owned(),
            (Item::Nearest(day), _) => format!("{day}W"),
            (Item::Nth(day, nth), _) => format!("{}#{nth}", day - shift),
            (Item::LastOf(day), _) => format!("{}L", day - shift),
        };
        element
            .step
            .map_or(base.clone(), |step| format!("{base}/{step}"))
    }

    const fn is_day_of_week(self) -> bool {
        match self.kind {
            Kind::CrontabDayOfWeek | Kind::QuartzDayOfWeek => true,
            Kind::Plain | Kind::DayOfMonth => false,
        }
    }

    /// Whether `FRI-MON` may stand for `FRI-SAT,SUN-MON`.
    fn wraps(self) -> bool {
        self.kind == Kind::QuartzDayOfWeek
    }
}
