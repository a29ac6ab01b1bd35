//! Cron, fixed rate and once: the calendar says which due times there are.

use std::collections::BTreeMap;

use tickwheel_core::calendar::Calendar;
use tickwheel_core::job::{JobSpec, Trigger};
use tickwheel_core::ledger::LedgerRecord;
use tickwheel_core::time::TimestampMs;

use super::story::Story;

pub(super) fn check(story: &Story) -> Vec<String> {
    let Some(first) = story.first_due else {
        return vec![story.problem("its registration named no due time")];
    };
    let calendar = match calendar(&story.spec, first) {
        Ok(calendar) => calendar,
        Err(wrong) => return vec![story.problem(wrong)],
    };
    if calendar.first() != Some(first) {
        return vec![story.problem(format_args!(
            "its first due time {} is none of its calendar",
            first.as_u64()
        ))];
    }
    let mut problems = Vec::new();
    let decided = decided(story, &calendar, &mut problems);
    let expected = expected(story, &calendar, first);
    for due in &expected {
        match decided.get(due).map_or(0, Vec::len) {
            0 => problems.push(story.problem(format_args!(
                "gap: due time {} has no record; near it: {}",
                due.as_u64(),
                story.around(*due)
            ))),
            1 => {}
            _ => problems.push(story.problem(format_args!(
                "double: due time {} stands in {:?}",
                due.as_u64(),
                decided.get(due)
            ))),
        }
    }
    let strange = decided
        .iter()
        .filter(|(due, _)| expected.binary_search(due).is_err());
    for (due, records) in strange {
        let what = if story.next_due.is_some_and(|next| *due >= next) {
            "not come yet by the job's own next"
        } else {
            "none of its calendar"
        };
        problems.push(story.problem(format_args!(
            "the due time {} is {what}, and stands in {records:?}",
            due.as_u64()
        )));
    }
    problems
}

/// The calendar from `first` on. A grid without an anchor got one at its registration: its first due time.
fn calendar(spec: &JobSpec, first: TimestampMs) -> Result<Calendar, String> {
    let mut spec = spec.clone();
    if let Trigger::FixedRate {
        anchor_ms: anchor @ None,
        ..
    } = &mut spec.trigger
    {
        *anchor = Some(first);
    }
    Calendar::new(&spec, first.minus_ms(1)).map_err(|wrong| wrong.to_string())
}

/// The due times that must have been decided: all before the next one; without a next one, all up to the last decided.
fn expected(story: &Story, calendar: &Calendar, first: TimestampMs) -> Vec<TimestampMs> {
    let all = std::iter::successors(Some(first), |due| calendar.next_after(*due));
    let last = story.last_due.unwrap_or(TimestampMs::ZERO);
    all.take_while(|due| story.next_due.map_or(*due <= last, |next| *due < next))
        .collect()
}

/// The records of each due time. A record of several is spread over the calendar, and must name as many as that has.
fn decided<'a>(
    story: &'a Story,
    calendar: &Calendar,
    problems: &mut Vec<String>,
) -> BTreeMap<TimestampMs, Vec<&'a LedgerRecord>> {
    let mut decided: BTreeMap<TimestampMs, Vec<&LedgerRecord>> = BTreeMap::new();
    for record in story.scheduled() {
        if record.count == 1 {
            decided.entry(record.from).or_default().push(record);
            continue;
        }
        let mut count = 0;
        let dues = std::iter::successors(calendar.next_after(record.from.minus_ms(1)), |due| {
            calendar.next_after(*due)
        });
        for due in dues.take_while(|due| *due <= record.to) {
            decided.entry(due).or_default().push(record);
            count += 1;
        }
        let ends = [record.from, record.to]
            .iter()
            .all(|end| decided.contains_key(end));
        if count != record.count || !ends {
            problems.push(story.problem(format_args!(
                "`{record}` stands for {} due times, the calendar has {count} there",
                record.count
            )));
        }
    }
    decided
}
