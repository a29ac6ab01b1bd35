//! The elements of the list of a field.

/// What one list element selects, in the numbering of its dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cron) enum Item {
    /// `*` or `?`.
    All,
    /// `5`.
    Point(u16),
    /// `5-9`; `22-2` runs over the end, in Quartz.
    Range(u16, u16),
    /// Day of month `L`, or `L-3`: so many days before the last day.
    Last(u16),
    /// Day of month `LW`, or `L-3W`: the weekday nearest to that day, in its month.
    LastWeekday(u16),
    /// Day of month `15W`: the weekday nearest to the 15th, in its month.
    Nearest(u16),
    /// Day of week `6#3`: the third of the month.
    Nth(u16, u16),
    /// Day of week `6L`: the last of the month.
    LastOf(u16),
}

/// One list element: what it selects, and every how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cron) struct Element {
    /// What it selects.
    pub(in crate::cron) item: Item,
    /// The number after a slash, 1 at least.
    pub(in crate::cron) step: Option<u16>,
}
