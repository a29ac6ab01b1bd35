//! Cron: dialects, words and refusals. The behaviour around clock changes is tested in `dst`, the engines against each
//! other in `engines`.

mod dst;
mod engines;
mod page;
mod syntax;

use proptest::prelude::*;

use super::*;
use crate::time::render_in_zone;
use crate::zone::table;

const NEVER: &str = "never fires: no such day exists; a job that only runs when it is asked to has the trigger `manual`";
/// 2026-02-25T06:13:20Z
const NOW: TimestampMs = TimestampMs::new(1_772_000_000_000);

/// The next `n` due times as text in the zone, without the offset.
fn dues(expression: &str, zone: &str, n: usize) -> Vec<String> {
    let schedule = CronSchedule::parse(expression, zone).unwrap();
    let local = |due: TimestampMs| {
        let text = render_in_zone(due, zone).unwrap();
        text.get(..16).unwrap_or_default().to_owned()
    };
    schedule.upcoming(NOW, n).into_iter().map(local).collect()
}

#[test]
fn five_fields_are_linux_crontab() {
    // Sunday is 0 and 7.
    for sunday in ["0", "7", "SUN"] {
        let expression = format!("0 0 * * {sunday}");
        assert_eq!(
            dues(&expression, "", 1),
            ["2026-03-01T00:00"],
            "{expression}"
        );
    }
    // Both day fields restricted: either.
    let either = [
        "2026-02-27T00:00",
        "2026-03-06T00:00",
        "2026-03-13T00:00",
        "2026-03-20T00:00",
    ];
    assert_eq!(dues("0 0 13 * FRI", "", 4), either);
    // A day field that begins with a star restricts only together with the other.
    assert_eq!(dues("0 0 13 * */2", "", 1), ["2026-06-13T00:00"]);
    assert_eq!(
        dues("0 0 */2 * MON", "", 2),
        ["2026-03-09T00:00", "2026-03-23T00:00"]
    );
    assert_eq!(
        dues("@daily", "", 2),
        ["2026-02-26T00:00", "2026-02-27T00:00"]
    );
    assert_eq!(dues("0 0 29 feb *", "", 1), ["2028-02-29T00:00"]);
    assert_eq!(
        dues("0 0 * * fri-sun", "", 3),
        ["2026-02-27T00:00", "2026-02-28T00:00", "2026-03-01T00:00"]
    );
}

#[test]
fn six_or_seven_fields_are_quartz() {
    // Sunday is 1, and both day fields must match.
    assert_eq!(dues("0 0 0 ? * 1", "", 1), ["2026-03-01T00:00"]);
    assert_eq!(
        dues("0 0 0 13 * FRI", "", 2),
        ["2026-03-13T00:00", "2026-11-13T00:00"]
    );
    assert_eq!(
        dues("0 0/20 9 ? * MON-FRI 2027", "", 2),
        ["2027-01-01T09:00", "2027-01-01T09:20"]
    );
    assert_eq!(
        dues("0 0 0 ? * SAT-MON", "", 3),
        ["2026-02-28T00:00", "2026-03-01T00:00", "2026-03-02T00:00"]
    );
}

#[test]
fn extended_day_fields_keep_the_numbering_of_their_dialect() {
    // The third Friday is 6#3 in Quartz and 5#3 in crontab, the last Friday 6L and 5L.
    assert_eq!(
        dues("0 0 0 ? * 6#3", "", 2),
        ["2026-03-20T00:00", "2026-04-17T00:00"]
    );
    assert_eq!(
        dues("0 0 * * 5#3", "", 2),
        ["2026-03-20T00:00", "2026-04-17T00:00"]
    );
    assert_eq!(
        dues("0 0 0 ? * 6L", "", 2),
        ["2026-02-27T00:00", "2026-03-27T00:00"]
    );
    assert_eq!(
        dues("0 0 * * FRIL", "", 2),
        ["2026-02-27T00:00", "2026-03-27T00:00"]
    );
    // Alone, L in the day of week is Saturday.
    assert_eq!(dues("0 0 0 ? * L", "", 1), ["2026-02-28T00:00"]);
    assert_eq!(
        dues("0 0 0 L * ?", "", 2),
        ["2026-02-28T00:00", "2026-03-31T00:00"]
    );
    assert_eq!(dues("0 0 0 LW 5 ?", "", 1), ["2026-05-29T00:00"]);
    // The 15th of March 2026 is a Sunday, the 15th of August a Saturday.
    assert_eq!(
        dues("0 0 0 15W 3,8 ?", "", 2),
        ["2026-03-16T00:00", "2026-08-14T00:00"]
    );
    // A plain part beside an extended one is counted in Quartz numbers too: Monday, and the first Friday.
    assert_eq!(
        dues("0 0 0 ? * 2,6#1", "", 3),
        ["2026-03-02T00:00", "2026-03-06T00:00", "2026-03-09T00:00"]
    );
}

#[test]
fn a_wrong_expression_is_refused_with_the_rule_it_breaks() {
    let long_list = vec!["1"; 61].join(",");
    let table = [
        (
            "",
            "has 5 fields (crontab) or 6 to 7 (Quartz, seconds first), not 0",
        ),
        (
            "* * * *",
            "has 5 fields (crontab) or 6 to 7 (Quartz, seconds first), not 4",
        ),
        (
            "* * * * * * * *",
            "has 5 fields (crontab) or 6 to 7 (Quartz, seconds first), not 8",
        ),
        ("60 * * * *", "minute is 0..=59, not 60"),
        ("* * * foo *", "month is 1..=12 or JAN..DEC, not FOO"),
        ("* * * * 8", "day of week is 0..=7 or SUN..SAT, not 8"),
        (
            "0 0 0 ? * 0",
            "day of week is 1..=7 or SUN..SAT, not 0; Spring, BullMQ and node-cron count Sunday as 0, Quartz as 1: write `SUN`",
        ),
        ("*/0 * * * *", "minute has a step of 1..=9999, not 0"),
        ("0 */60 * * * ?", "minute has a step of 1..=59, not 60"),
        (
            "30-20 * * * *",
            "minute has no range that runs backwards (30-20): write two ranges",
        ),
        ("1,,2 * * * *", "minute is 0..=59, not nothing"),
        ("? * * * *", "minute is 0..=59, not ?"),
        (
            "0 0 L/2 * *",
            "day of month has no step after L, W or #: L/2",
        ),
        ("0 0 * * 5#6", "day of week has #1..=#5: 5#6"),
        (
            "0 0 L-31 * *",
            "day of month counts from the last day as L, L-1..L-30, LW or L-1W..L-30W, not L-31",
        ),
        (
            "@dialy",
            "is @yearly, @monthly, @weekly, @daily or @hourly; did you mean `@daily`?",
        ),
        ("0 0 30 2 *", NEVER),
        ("0 0 31 2 *", NEVER),
        ("0 0 31 4,6,9,11 *", NEVER),
        ("0 0 0 30 2 ?", NEVER),
        ("0 0 0 30W 2 ?", NEVER),
        ("0 0 0 L-30 2 ?", NEVER),
        ("0 0 0 29 2 ? 2027", NEVER),
        ("0 0 0 1 * 2#5", NEVER),
        (
            &format!("{long_list} * * * *"),
            "minute lists at most 60 elements",
        ),
        (&"* ".repeat(129), "has at most 256 characters"),
    ];
    for (expression, rule) in table {
        let violation = CronSchedule::parse(expression, "").unwrap_err();
        assert_eq!(
            (violation.field.as_str(), violation.rule.as_str()),
            ("cron", rule),
            "{expression}"
        );
    }
}

#[test]
fn an_unknown_zone_is_refused_with_the_nearest_name() {
    let violation = CronSchedule::parse("@daily", "Europe/Berln").unwrap_err();
    assert_eq!(violation.field, "time_zone");
    assert!(
        violation.rule.ends_with("did you mean `Europe/Berlin`?"),
        "{violation}"
    );
}

#[test]
fn whatever_is_possible_is_found_however_far_it_is() {
    assert_eq!(
        CronSchedule::parse("0 0 0 1 1 ? 2020", "")
            .unwrap()
            .next_after(NOW),
        None
    );
    let table = [
        ("0 0 0 1 1 ? 2040", "2026-01-01T00:00:00Z", "2040-01-01"),
        // 2100 is no leap year.
        ("0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29"),
        ("0 0 0 29 2 ?", "2096-03-01T00:00:00Z", "2104-02-29"),
        ("0 0 0 1 1 ?", "2100-06-01T00:00:00Z", "2101-01-01"),
        ("0 0 0 ? 2 6#5", "2026-01-01T00:00:00Z", "2036-02-29"),
        ("0 0 29 2 */7", "2096-03-01T00:00:00Z", "2128-02-29"),
        ("0 0 0 29 2 ? 2400", "2026-01-01T00:00:00Z", ""),
    ];
    for (expression, after, day) in table {
        let Ok(schedule) = CronSchedule::parse(expression, "") else {
            assert_eq!(day, "", "{expression}");
            continue;
        };
        let due = schedule.next_after(after.parse().unwrap()).unwrap();
        assert!(due.to_string().starts_with(day), "{expression}: {due}");
    }
    // Due times end where instants of a job end.
    let rare = CronSchedule::parse("0 0 29 2 */7", "").unwrap();
    let dues = rare.upcoming(NOW, 1_000);
    assert!(dues.len() < 30, "{}", dues.len());
    assert!(dues.last().unwrap().as_u64() <= INSTANT_MS_MAX);
}

#[test]
fn an_expression_is_told_in_words() {
    let table = [
        ("* * * * *", "every minute (UTC)"),
        ("*/5 * * * *", "every 5 minutes (UTC)"),
        ("10 * * * *", "minute 10 of every hour (UTC)"),
        (
            "30 2,14 * * 1-5",
            "at 02:30 and 14:30, on Monday to Friday (UTC)",
        ),
        ("*/15 9-17 * * *", "every 15 minutes of hours 9 to 17 (UTC)"),
        (
            "0 0 13 * FRI",
            "at 00:00, on day 13 of the month or on Friday (UTC)",
        ),
        (
            "0 0 0 13 * FRI",
            "at 00:00, on day 13 of the month if it is Friday (UTC)",
        ),
        ("*/10 * * * * *", "every 10 seconds (UTC)"),
        (
            "5 0 0 ? * 6#3",
            "at 00:00:05, on the third Friday of the month (UTC)",
        ),
        (
            "0 0 0 L 1,6 ? 2027",
            "at 00:00, on the last day of the month, in January and June, in 2027 (UTC)",
        ),
        (
            "0 0 0 15W * ?",
            "at 00:00, on the weekday nearest to day 15 of the month (UTC)",
        ),
        ("0 0 * * 7", "at 00:00, on Sunday (UTC)"),
    ];
    for (expression, words) in table {
        assert_eq!(
            CronSchedule::parse(expression, "").unwrap().explain(),
            words,
            "{expression}"
        );
    }
    let berlin = |expression| {
        CronSchedule::parse(expression, "Europe/Berlin")
            .unwrap()
            .explain()
    };
    assert_eq!(
        berlin("30 2 * * *"),
        "at 02:30 (Europe/Berlin); once per local time when the clocks change"
    );
    assert_eq!(
        berlin("*/5 * * * *"),
        "every 5 minutes (Europe/Berlin); follows real time when the clocks change"
    );
}

#[test]
fn long_lists_are_told_by_their_runs_and_steps() {
    let table = [
        ("0-59 * * * *", "every minute (UTC)"),
        ("0/1 0-23 * * *", "every minute (UTC)"),
        ("1-59/2 * * * *", "every 2 minutes from 1 to 59 (UTC)"),
        ("*/7 * * * *", "every 7 minutes from 0 to 56 (UTC)"),
        ("*/60 * * * *", "minute 0 of every hour (UTC)"),
        ("0 */24 * * *", "at 00:00 (UTC)"),
        (
            "0,1,2,3,4,5,6,7,8,9,20,21 * * * *",
            "minutes 0 to 9 and 20 to 21 (UTC)",
        ),
        ("0 0 10,* * 1", "at 00:00 (UTC)"),
        (
            "0 0 0 L-3 NOV-FEB ?",
            "at 00:00, on 3 days before the last day of the month, in November to February (UTC)",
        ),
        (
            "0 30 22-2 ? * FRI-MON",
            "at 00:30, 01:30, 02:30, 22:30 and 23:30, on Friday to Monday (UTC)",
        ),
    ];
    for (expression, words) in table {
        assert_eq!(
            CronSchedule::parse(expression, "").unwrap().explain(),
            words,
            "{expression}"
        );
    }
}

/// Expressions of both dialects, well-formed but not always sensible.
fn any_expression() -> impl Strategy<Value = String> {
    (any::<bool>(), engines::quartz_fields()).prop_map(|(crontab, fields)| {
        if crontab {
            fields[1..].join(" ").replace('?', "*")
        } else {
            fields.join(" ")
        }
    })
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in ".*") {
        CronSchedule::parse(&text, "").ok();
    }

    #[test]
    fn no_text_of_cron_characters_makes_parser_or_search_panic(text in "[0-9A-Z*/,?#@LW -]{0,60}") {
        if let Ok(schedule) = CronSchedule::parse(&text, "America/New_York") {
            prop_assert!(schedule.upcoming(NOW, 2).len() <= 2);
            prop_assert!(schedule.explain().contains("(America/New_York)"));
        }
    }

    #[test]
    fn due_times_increase_and_do_not_depend_on_where_one_asks(
        expression in any_expression(),
        zone in any::<prop::sample::Index>(),
        after in 0_u64..2_200_000_000_000,
        asked in 0.0..1.0,
    ) {
        let zones: Vec<String> = table().names().into_iter().map(str::to_owned).collect();
        let Ok(schedule) = CronSchedule::parse(&expression, zone.get(&zones).as_str()) else {
            return Ok(());
        };
        let mut last = TimestampMs::new(after);
        for due in schedule.upcoming(last, 4) {
            prop_assert!(due > last);
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss,
                reason = "a random share of a span far below 2^53")]
            let between = last.plus_ms((due.ms_since(last) as f64 * asked) as u64);
            prop_assert_eq!(schedule.next_after(between), Some(due), "asked at {}", between);
            last = due;
        }
    }
}
