//! The two engines give the same due times wherever both know the expression.

use chrono::{DateTime, Datelike, Days};
use croner::parser::CronParser;
use proptest::prelude::*;

use super::dst::transitions;
use super::*;
use crate::zone::table;

/// One field: a star, a number, a range, a step, or a short list.
fn field(min: u16, max: u16) -> impl Strategy<Value = String> {
    let number = min..=max;
    let range = (min..=max, min..=max).prop_map(|(a, b)| (a.min(b), a.max(b)));
    let element = prop_oneof![
        number.clone().prop_map(|n| n.to_string()),
        range.clone().prop_map(|(a, b)| format!("{a}-{b}")),
        (range, 1..=max).prop_map(|((a, b), step)| format!("{a}-{b}/{step}")),
        (1..=max).prop_map(|step| format!("*/{step}")),
    ];
    prop_oneof![
        3 => Just("*".to_owned()),
        2 => number.prop_map(|n| n.to_string()),
        3 => proptest::collection::vec(element, 1..4).prop_map(|list| list.join(",")),
    ]
}

/// Six Quartz fields without `L`, `W` and `#`.
pub(super) fn quartz_fields() -> impl Strategy<Value = [String; 6]> {
    let day = |min, max| prop_oneof![2 => Just("?".to_owned()), 1 => field(min, max)];
    (
        field(0, 59),
        field(0, 59),
        field(0, 23),
        day(1, 31),
        field(1, 12),
        day(1, 7),
    )
        .prop_map(|(s, m, h, dom, mon, dow)| [s, m, h, dom, mon, dow])
}

/// A Quartz schedule by its own engine, and by the one that walks days.
fn both(expression: &str, zone: &str) -> (CronSchedule, CronSchedule) {
    let quartz = CronSchedule::parse(expression, zone).unwrap();
    assert!(quartz.engine.quartz.is_some(), "{expression}");
    let mut walking = quartz.clone();
    walking.engine.quartz = None;
    (quartz, walking)
}

proptest! {
    #[test]
    fn both_engines_agree_on_any_plain_quartz_expression(
        fields in quartz_fields(),
        after in 0_i64..3_000_000_000,
    ) {
        let parsed = Fields::parse(&fields.join(" ")).unwrap();
        let (quartz, walker) = (QuartzEngine::new(&parsed).unwrap(), Walker::new(&parsed));
        let mut after = DateTime::from_timestamp(after, 0).unwrap().naive_utc();
        let last = after.date() + Days::new(1_830);
        for _ in 0..4 {
            let next = quartz.next(after, last);
            prop_assert_eq!(next, walker.next(after, last), "after {}", after);
            match next {
                Some(next) => after = next,
                None => break,
            }
        }
    }
}

#[test]
fn both_engines_agree_around_the_clock_changes_of_every_zone() {
    let expressions = [
        "0 */30 * * * *",
        "0 30 2 * * ?",
        "0 30 1,2 ? * *",
        "0 15 0-3 ? * SUN,MON,SAT,FRI",
    ];
    let mut compared = 0;
    for zone in table().names() {
        let rules = Zone::parse(zone).unwrap();
        for change in transitions(&rules, 2015..2031).into_iter().rev().take(2) {
            for expression in expressions {
                let (quartz, walking) = both(expression, zone);
                let from = change.minus_ms(26 * 3_600_000);
                let dues = quartz.upcoming(from, 12);
                assert_eq!(
                    dues,
                    walking.upcoming(from, 12),
                    "{expression} in {zone} around {change}"
                );
                compared += dues.len();
            }
        }
    }
    assert!(compared > 10_000, "only {compared} due times were compared");
}

/// The day fields of crontab, with marks that croner reads as we do: not two of them in one list.
fn crontab_days() -> impl Strategy<Value = (String, String)> {
    let marked_day = prop_oneof![
        Just("L".to_owned()),
        Just("LW".to_owned()),
        (1..=28_u16).prop_map(|day| format!("{day}W")),
    ];
    let marked_weekday = prop_oneof![
        (0..=6_u16, 1..=5_u16).prop_map(|(day, nth)| format!("{day}#{nth}")),
        (0..=6_u16).prop_map(|day| format!("{day}L")),
    ];
    (
        prop_oneof![3 => field(1, 31), 1 => marked_day],
        prop_oneof![3 => field(0, 6), 1 => marked_weekday],
    )
}

proptest! {
    #[test]
    fn days_of_crontab_are_those_of_croner((days, weekdays) in crontab_days(), year in 1990_i32..2090) {
        let expression = format!("30 12 {days} * {weekdays}");
        let Ok(fields) = Fields::parse(&expression) else { return Ok(()) };
        let star = |field: &str| field.starts_with('*');
        let pattern = CronParser::builder().dom_and_dow(star(&days) || star(&weekdays)).build().parse(&expression);
        let Ok(pattern) = pattern else { return Ok(()) };
        let (walker, first) = (Walker::new(&fields), NaiveDate::from_ymd_opt(year, 1, 1).unwrap());
        let noons = first.iter_days().take(800).map(|day| day.and_hms_opt(12, 30, 0).unwrap());
        let expected: Vec<_> = noons.filter(|noon| pattern.is_time_matching(&noon.and_utc()).unwrap()).collect();
        let last = first + Days::new(799);
        let before = first.and_time(chrono::NaiveTime::MIN) - chrono::TimeDelta::seconds(1);
        let found: Vec<_> = std::iter::successors(walker.next(before, last), |due| walker.next(*due, last)).collect();
        prop_assert_eq!(found, expected, "{}", expression);
    }

    #[test]
    fn days_counted_from_the_end_are_where_a_calendar_shows_them(days in 0_u16..=30, weekday: bool, year in 1970_i32..2400, month in 1_u32..=12) {
        let mark = if weekday { "W" } else { "" };
        let fields = Fields::parse(&format!("0 0 0 L-{days}{mark} * ?")).unwrap();
        let first = NaiveDate::from_ymd_opt(year, month, 1).unwrap();
        let last = first + chrono::Months::new(1) - Days::new(1);
        let month: Vec<NaiveDate> = first.iter_days().take_while(|day| *day <= last).collect();
        // The day itself, then the weekdays of the month by their distance from it: never two days away but at its ends.
        let wanted = last.checked_sub_days(Days::new(days.into())).filter(|day| *day >= first);
        let expected = wanted.and_then(|wanted| {
            let far = |day: &NaiveDate| (*day - wanted).num_days().abs();
            let open = |day: &&NaiveDate| !weekday || day.weekday().num_days_from_monday() < 5;
            if weekday { month.iter().filter(open).min_by_key(|day| far(day)).copied() } else { Some(wanted) }
        });
        let found = Walker::new(&fields).next(first.and_time(chrono::NaiveTime::MIN) - chrono::TimeDelta::seconds(1), last);
        prop_assert_eq!(found.map(|at| at.date()), expected);
    }

    #[test]
    fn a_list_of_quartz_means_what_its_parts_mean(
        parts in proptest::collection::vec((0_u16..24, proptest::option::of(0_u16..24), proptest::option::of(1_u16..24)), 1..4),
    ) {
        let text: Vec<String> = parts.iter().map(|(from, to, step)| {
            let to = to.map(|to| format!("-{to}")).unwrap_or_default();
            format!("{from}{to}{}", step.map(|step| format!("/{step}")).unwrap_or_default())
        }).collect();
        // Walks the clock from each first hour to the last one, over midnight when it lies before.
        let mut expected = std::collections::BTreeSet::new();
        for (from, to, step) in &parts {
            let last = to.unwrap_or(if step.is_some() { 23 } else { *from });
            let (mut hour, mut walked) = (*from, 0);
            loop {
                if walked % step.unwrap_or(1) == 0 { expected.insert(hour); }
                if hour == last { break; }
                hour = (hour + 1) % 24;
                walked += 1;
            }
        }
        let fields = Fields::parse(&format!("0 0 {} * * ?", text.join(","))).unwrap();
        prop_assert_eq!(fields.hour.values(), expected.into_iter().collect::<Vec<_>>());
    }
}
