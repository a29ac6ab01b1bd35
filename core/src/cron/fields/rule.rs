//! What each field may contain: its range, its names and its marks.

use super::item::{Element, Item};

/// What a field may contain.
#[derive(Debug, Clone, Copy)]
pub(in crate::cron) struct Rule {
    pub(super) name: &'static str,
    /// Least number.
    pub(in crate::cron) min: u16,
    /// Greatest number.
    pub(in crate::cron) max: u16,
    /// Names of the numbers from `min` on.
    pub(super) names: &'static [&'static str],
    pub(super) kind: Kind,
    /// Whether it belongs to Quartz, where a range may run over the end (`22-2`).
    pub(super) quartz: bool,
}

/// Which marks a field knows beside numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// None.
    Plain,
    /// `?`, `L`, `L-3`, `W`.
    DayOfMonth,
    /// `?`, `L`, `#`; Sunday is 0 and 7.
    CrontabDayOfWeek,
    /// `?`, `L`, `#`; Sunday is 1.
    QuartzDayOfWeek,
}

const MONTHS: &[&str] = &[
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const DAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

pub(super) const SECOND: Rule = Rule {
    name: "second",
    min: 0,
    max: 59,
    names: &[],
    kind: Kind::Plain,
    quartz: false,
};
pub(super) const MINUTE: Rule = Rule {
    name: "minute",
    min: 0,
    max: 59,
    names: &[],
    kind: Kind::Plain,
    quartz: false,
};
pub(super) const HOUR: Rule = Rule {
    name: "hour",
    min: 0,
    max: 23,
    names: &[],
    kind: Kind::Plain,
    quartz: false,
};
pub(super) const DAY_OF_MONTH: Rule = Rule {
    name: "day of month",
    min: 1,
    max: 31,
    names: &[],
    kind: Kind::DayOfMonth,
    quartz: false,
};
pub(super) const MONTH: Rule = Rule {
    name: "month",
    min: 1,
    max: 12,
    names: MONTHS,
    kind: Kind::Plain,
    quartz: false,
};
pub(super) const CRONTAB_DAY_OF_WEEK: Rule = Rule {
    name: "day of week",
    min: 0,
    max: 7,
    names: DAYS,
    kind: Kind::CrontabDayOfWeek,
    quartz: false,
};
pub(super) const QUARTZ_DAY_OF_WEEK: Rule = Rule {
    name: "day of week",
    min: 1,
    max: 7,
    names: DAYS,
    kind: Kind::QuartzDayOfWeek,
    quartz: true,
};
pub(super) const YEAR: Rule = Rule {
    name: "year",
    min: 1970,
    max: 2100,
    names: &[],
    kind: Kind::Plain,
    quartz: false,
};

impl Rule {
    /// The same field in Quartz.
    pub(super) const fn quartz(self) -> Self {
        Self {
            quartz: true,
            ..self
        }
    }

    /// The numbers of one element, in the order in which they are counted.
    pub(in crate::cron) fn values(self, element: Element) -> Vec<u16> {
        let (first, last) = match (element.item, element.step) {
            (Item::All, _) => (self.min, self.max),
            (Item::Point(at), None) => (at, at),
            (Item::Point(at), Some(_)) => (at, self.max),
            (Item::Range(from, to), _) => (from, to),
            (
                Item::Last(_)
                | Item::LastWeekday(_)
                | Item::Nearest(_)
                | Item::Nth(..)
                | Item::LastOf(_),
                _,
            ) => return Vec::new(),
        };
        let count = self.max - self.min + 1;
        let end = if first > last { last + count } else { last };
        (first..=end)
            .step_by(usize::from(element.step.unwrap_or(1)))
            .map(|value| {
                if value > self.max {
                    value - count
                } else {
                    value
                }
            })
            .collect()
    }

    pub(super) fn render(self, element: Element) -> String {
        let base = match (element.item, element.step) {
            (Item::All, Some(_)) => format!("{}-{}", self.min, self.max),
            (Item::Point(at), Some(_)) => format!("{at}-{}", self.max),
            (Item::Range(from, to), _) if from <= to => format!("{from}-{to}"),
            _ => {
                let values: Vec<String> = self.values(element).iter().map(u16::to_string).collect();
                return values.join(",");
            }
        };
        element
            .step
            .map_or(base.clone(), |step| format!("{base}/{step}"))
    }

    pub(super) const fn is_day_of_week(self) -> bool {
        match self.kind {
            Kind::CrontabDayOfWeek | Kind::QuartzDayOfWeek => true,
            Kind::Plain | Kind::DayOfMonth => false,
        }
    }

    /// Whether `FRI-MON` may stand for `FRI-SAT,SUN-MON`; no year comes after the last.
    pub(super) fn wraps(self) -> bool {
        self.quartz && self.min != YEAR.min
    }
}
