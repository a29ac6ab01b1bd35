//! What each dialect knows beyond numbers, lists and steps: right values worked out by hand.

use super::*;

/// The days of the first due times after an instant.
fn days(expression: &str, after: &str, n: usize) -> Vec<String> {
    let schedule = CronSchedule::parse(expression, "").unwrap();
    let dues = schedule.upcoming(after.parse().unwrap(), n);
    dues.iter()
        .map(|due| due.to_string()[5..10].to_owned())
        .collect()
}

/// The times of day of the first due times after an instant.
fn times(expression: &str, after: &str, n: usize) -> Vec<String> {
    let schedule = CronSchedule::parse(expression, "").unwrap();
    let dues = schedule.upcoming(after.parse().unwrap(), n);
    dues.iter()
        .map(|due| due.to_string()[11..16].to_owned())
        .collect()
}

#[test]
fn last_day_and_last_weekday_stand_in_one_list() {
    for expression in ["0 0 L,LW * *", "0 0 LW,L * *", "0 0 0 L,LW * ?"] {
        assert_eq!(
            days(expression, "2027-01-15T12:00:00Z", 5),
            ["01-29", "01-31", "02-26", "02-28", "03-31"],
            "{expression}"
        );
    }
    assert_eq!(
        days("0 0 1,L,15W * *", "2026-08-01T12:00:00Z", 3),
        ["08-14", "08-31", "09-01"]
    );
}

#[test]
fn a_star_in_a_list_is_every_value() {
    for expression in ["*,10 * * * *", "10,* * * * *"] {
        assert_eq!(
            times(expression, "2026-01-01T00:00:00Z", 2),
            ["00:01", "00:02"],
            "{expression}"
        );
    }
    // It does not begin with a star, so it restricts, and every day is enough.
    assert_eq!(
        days("0 0 10,* * 1", "2026-02-25T00:00:00Z", 3),
        ["02-26", "02-27", "02-28"]
    );
    // It begins with a star, so both must match.
    assert_eq!(
        days("0 0 *,10 * 1", "2026-02-25T00:00:00Z", 2),
        ["03-02", "03-09"]
    );
    for expression in ["0 0 0 L,* * ?", "0 0 0 *,L * ?", "0 0 0 ? * 6#3,*"] {
        assert_eq!(
            days(expression, "2026-02-25T00:00:00Z", 2),
            ["02-26", "02-27"],
            "{expression}"
        );
    }
}

#[test]
fn days_before_the_last_are_counted() {
    let after = "2026-01-01T00:00:00Z";
    for expression in ["0 0 0 L-3 * ?", "0 0 L-3 * *"] {
        assert_eq!(
            days(expression, after, 3),
            ["01-28", "02-25", "03-28"],
            "{expression}"
        );
    }
    // The 28th of March is a Saturday, the 28th of June a Sunday (L-2).
    assert_eq!(
        days("0 0 0 L-3W * ?", after, 3),
        ["01-28", "02-25", "03-27"]
    );
    assert_eq!(days("0 0 0 L-2W 6 ?", after, 1), ["06-29"]);
    // Never out of its month: the 1st of August is a Saturday.
    assert_eq!(days("0 0 0 L-30W 8 ?", after, 1), ["08-03"]);
    assert_eq!(
        days("0 0 0 L-30 * ?", after, 3),
        ["03-01", "05-01", "07-01"]
    );
}

#[test]
fn ranges_of_quartz_run_over_the_end() {
    let after = "2026-01-01T12:00:00Z";
    assert_eq!(
        times("0 0 22-2 * * ?", after, 6),
        ["22:00", "23:00", "00:00", "01:00", "02:00", "22:00"]
    );
    assert_eq!(
        times("0 0 22-3/2 * * ?", after, 4),
        ["22:00", "00:00", "02:00", "22:00"]
    );
    assert_eq!(
        days("0 0 0 1 NOV-FEB ?", after, 5),
        ["02-01", "11-01", "12-01", "01-01", "02-01"]
    );
    assert_eq!(
        days("0 0 0 30-2 4 ?", after, 3),
        ["04-01", "04-02", "04-30"]
    );
    assert_eq!(
        days("0 0 0 ? * FRI-SUN/2", after, 3),
        ["01-02", "01-04", "01-09"]
    );
    for refused in ["0 22-2 * * *", "0 0 1 NOV-FEB *", "0 0 0 1 1 ? 2030-2027"] {
        let violation = CronSchedule::parse(refused, "").unwrap_err();
        assert!(violation.rule.contains("runs backwards"), "{violation}");
    }
}

#[test]
fn steps_of_crontab_may_be_larger_than_the_field_and_begin_at_a_number() {
    let after = "2026-01-01T12:30:00Z";
    assert_eq!(times("*/60 * * * *", after, 2), ["13:00", "14:00"]);
    assert_eq!(days("0 */24 * * *", after, 2), ["01-02", "01-03"]);
    assert_eq!(
        times("5/15 * * * *", after, 4),
        ["12:35", "12:50", "13:05", "13:20"]
    );
    assert_eq!(times("0 20/90 * * *", after, 2), ["20:00", "20:00"]);
    // As in Linux cron, seven is the last day of a week.
    assert_eq!(days("0 0 * * 5/2", after, 3), ["01-02", "01-04", "01-09"]);
}
