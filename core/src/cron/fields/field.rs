//! One field of an expression.

use super::item::{Element, Item};
use super::rule::Rule;

/// One field: its rule and elements.
#[derive(Debug, Clone)]
pub(in crate::cron) struct Field {
    /// The range it may use.
    pub(in crate::cron) rule: Rule,
    /// Its list.
    pub(in crate::cron) elements: Vec<Element>,
}

impl Field {
    /// Whether it begins with `*` or `?`: crontab calls such a day field unrestricted.
    pub(in crate::cron) fn starts_with_star(&self) -> bool {
        self.elements
            .first()
            .is_some_and(|element| element.item == Item::All)
    }

    /// Whether it contains a plain `*` or `?`, which stands for every value whatever else the list names.
    pub(in crate::cron) fn is_star(&self) -> bool {
        self.elements.contains(&Element {
            item: Item::All,
            step: None,
        })
    }

    /// Whether it names every value, by whatever elements.
    pub(in crate::cron) fn is_full(&self) -> bool {
        self.is_star() || self.values().len() == usize::from(self.rule.max - self.rule.min + 1)
    }

    /// The numbers it names, ascending, without those that depend on the month.
    pub(in crate::cron) fn values(&self) -> Vec<u16> {
        let mut values: Vec<u16> = self
            .elements
            .iter()
            .flat_map(|element| self.rule.values(*element))
            .collect();
        values.sort_unstable();
        values.dedup();
        values
    }

    /// The field as text in its own numbering, for an engine that knows `*`, numbers, ranges and steps.
    pub(in crate::cron) fn render(&self) -> String {
        if self.is_star() {
            return "*".to_owned();
        }
        let elements: Vec<String> = self
            .elements
            .iter()
            .map(|element| self.rule.render(*element))
            .collect();
        elements.join(",")
    }
}
