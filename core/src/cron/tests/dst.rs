//! Clock changes: named cases, and an oracle that looks at every minute around them.

use std::ops::Range;

use chrono::{NaiveDateTime, TimeDelta, TimeZone, Utc};
use croner::Cron;

use super::*;

const HOUR_MS: u64 = 3_600_000;

/// The instants at which a zone's offset changes, within whole years.
pub(super) fn transitions(zone: &Zone, years: Range<i32>) -> Vec<TimestampMs> {
    let offset = |at: i64| {
        let utc = chrono::DateTime::from_timestamp(at, 0).unwrap().naive_utc();
        zone.offset_at(utc)
    };
    let second = |year| {
        Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0)
            .unwrap()
            .timestamp()
    };
    let (mut from, end) = (second(years.start), second(years.end));
    let mut found = Vec::new();
    while from < end {
        let to = from + 86_400;
        if offset(from) != offset(to) {
            let (mut low, mut high) = (from, to);
            while high - low > 1 {
                let middle = i64::midpoint(low, high);
                if offset(middle) == offset(from) {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            found.push(TimestampMs::new(u64::try_from(high).unwrap() * 1_000));
        }
        from = to;
    }
    found
}

/// The due times of `expression` after `after`, as text with offsets.
fn rendered(expression: &str, zone: &str, after: &str, n: usize) -> Vec<String> {
    let schedule = CronSchedule::parse(expression, zone).unwrap();
    let dues = schedule.upcoming(after.parse().unwrap(), n);
    dues.into_iter()
        .map(|due| render_in_zone(due, zone).unwrap())
        .collect()
}

#[test]
fn a_time_in_the_gap_fires_at_the_first_instant_after_it() {
    let york = |expression| rendered(expression, "America/New_York", "2026-03-07T12:00:00Z", 2);
    for expression in ["30 2 * * *", "0 30 2 * * ?", "0 30 2 ? * 1#2,7#1"] {
        assert_eq!(
            york(expression)[0],
            "2026-03-08T03:00:00-04:00",
            "{expression}"
        );
    }
    // Several times in one gap are one firing.
    assert_eq!(
        york("*/20 2 * * *"),
        ["2026-03-08T03:00:00-04:00", "2026-03-09T02:00:00-04:00"]
    );
    // Half an hour, and a whole day.
    let howe = rendered(
        "15 2 * * *",
        "Australia/Lord_Howe",
        "2026-10-03T00:00:00Z",
        1,
    );
    assert_eq!(howe, ["2026-10-04T02:30:00+11:00"]);
    let apia = rendered("0 12 * * *", "Pacific/Apia", "2011-12-30T00:00:00Z", 2);
    assert_eq!(
        apia,
        ["2011-12-31T00:00:00+14:00", "2011-12-31T12:00:00+14:00"]
    );
}

#[test]
fn chisinau_changes_its_clocks_at_the_hours_of_the_union() {
    // From two to three until 2021, an hour later since: half past two is a time of that day.
    let chisinau = |after| rendered("30 2 * * *", "Europe/Chisinau", after, 2);
    assert_eq!(
        chisinau("2027-03-27T12:00:00Z"),
        ["2027-03-28T02:30:00+02:00", "2027-03-29T02:30:00+03:00"]
    );
    let gap = rendered("30 3 * * *", "Europe/Chisinau", "2027-03-27T12:00:00Z", 2);
    assert_eq!(
        gap,
        ["2027-03-28T04:00:00+03:00", "2027-03-29T03:30:00+03:00"]
    );
    // Three to four exists twice in autumn.
    let twice = rendered("30 3 * * *", "Europe/Chisinau", "2027-10-30T12:00:00Z", 2);
    assert_eq!(
        twice,
        ["2027-10-31T03:30:00+03:00", "2027-11-01T03:30:00+02:00"]
    );
    assert_eq!(
        chisinau("2027-10-30T12:00:00Z")[0],
        "2027-10-31T02:30:00+03:00"
    );
}

#[test]
fn a_time_that_exists_twice_fires_the_first_time_only() {
    let once = ["2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"];
    for expression in ["30 1 * * *", "0 30 1 * * ?"] {
        assert_eq!(
            rendered(expression, "America/New_York", "2026-10-31T12:00:00Z", 2),
            once
        );
        // Asked within the second pass, the next one is tomorrow's.
        assert_eq!(
            rendered(expression, "America/New_York", "2026-11-01T06:10:00Z", 1),
            once[1..]
        );
    }
}

#[test]
fn an_interval_follows_real_time() {
    let dues = rendered(
        "*/30 * * * *",
        "America/New_York",
        "2026-11-01T04:59:00Z",
        5,
    );
    let both_hours = [
        "2026-11-01T01:00:00-04:00",
        "2026-11-01T01:30:00-04:00",
        "2026-11-01T01:00:00-05:00",
        "2026-11-01T01:30:00-05:00",
        "2026-11-01T02:00:00-05:00",
    ];
    assert_eq!(dues, both_hours);
    assert_eq!(
        rendered(
            "0 */30 * * * *",
            "America/New_York",
            "2026-11-01T04:59:00Z",
            5
        ),
        both_hours
    );
    let gap = rendered("40 * * * *", "America/New_York", "2026-03-08T06:00:00Z", 2);
    assert_eq!(
        gap,
        ["2026-03-08T01:40:00-05:00", "2026-03-08T03:40:00-04:00"]
    );
}

#[test]
fn the_hour_field_tells_an_interval_from_times_of_day() {
    let interval = |expression| CronSchedule::parse(expression, "").unwrap().is_interval();
    for expression in [
        "* * * * *",
        "*/5 * * * *",
        "0 * * * *",
        "0 */2 * * *",
        "0 9-17 * * *",
        "0 0 3/4 * * ?",
        "0 0-3,9-12 * * *",
        "0 0 22-2 * * ?",
        "*/60 * * * *",
    ] {
        assert!(interval(expression), "{expression}");
    }
    for expression in [
        "*/5 2 * * *",
        "30 2,14 * * *",
        "0 */12 * * *",
        "0 0 2/12 * * ?",
        "0 2-2 * * *",
        "0 2,9-17 * * *",
        "0 */24 * * *",
        "@daily",
    ] {
        assert!(!interval(expression), "{expression}");
    }
}

/// Zones with ordinary and odd changes: half hours, whole days, at midnight, twice a year for Ramadan.
const ZONES: &str = "
    Africa/Cairo Africa/Casablanca Africa/Juba Africa/Khartoum Africa/Sao_Tome Africa/Tripoli Africa/Windhoek
    America/Asuncion America/Caracas America/Godthab America/Havana America/New_York America/Santiago
    America/Sao_Paulo America/Scoresbysund America/St_Johns Antarctica/Casey Antarctica/Troll Asia/Amman Asia/Beirut
    Asia/Damascus Asia/Gaza Asia/Jerusalem Asia/Kolkata Asia/Pyongyang Asia/Tehran Atlantic/Azores Australia/Adelaide
    Australia/Lord_Howe Australia/Sydney Europe/Berlin Europe/Dublin Europe/Istanbul Europe/London Europe/Moscow
    Europe/Volgograd Pacific/Apia Pacific/Auckland Pacific/Chatham Pacific/Fiji Pacific/Norfolk Pacific/Tongatapu";

/// Expressions, and whether they are intervals.
const EXPRESSIONS: [(&str, bool); 10] = [
    ("*/5 * * * *", true),
    ("30 * * * *", true),
    ("0 */2 * * *", true),
    ("17 1-17 * * *", true),
    ("30 2 * * *", false),
    ("*/20 1 * * *", false),
    ("0 0 * * *", false),
    ("15,45 0,1,2,3,23 * * *", false),
    ("30 1 * * SUN", false),
    ("45 2,3 13 * 6", false),
];

/// One minute of real time: the instant and its local time.
type Minute = (TimestampMs, NaiveDateTime);

/// Every minute of real time from `before` hours before `change` to 30 hours after it.
fn minutes(zone: &Zone, change: TimestampMs, before: u64) -> Vec<Minute> {
    (0..(before + 30) * 60)
        .map(|minute| {
            let at = change.minus_ms(before * HOUR_MS).plus_ms(minute * 60_000);
            (at, zone.local(at.to_utc().unwrap().naive_utc()))
        })
        .collect()
}

/// The oracle: walks real time minute by minute and asks of each local time whether it matches.
fn brute_force(
    pattern: &Cron,
    interval: bool,
    minutes: &[Minute],
    from: TimestampMs,
) -> Vec<TimestampMs> {
    let matches = |local: NaiveDateTime| pattern.is_time_matching(&local.and_utc()).unwrap();
    let mut furthest = minutes[0].1;
    let mut fires = Vec::new();
    for (at, local) in minutes {
        // A fixed time fires at the first instant whose local time has reached or passed it.
        let mut reached = std::iter::successors(Some(furthest + TimeDelta::minutes(1)), |last| {
            Some(*last + TimeDelta::minutes(1))
        })
        .take_while(|one| one <= local);
        let due = if *at <= from {
            false
        } else if interval {
            matches(*local)
        } else {
            reached.any(matches)
        };
        if due {
            fires.push(*at);
        }
        furthest = furthest.max(*local);
    }
    fires
}

#[test]
fn due_times_equal_a_scan_of_every_minute_around_the_clock_changes() {
    let mut changes = 0;
    for name in ZONES.split_whitespace() {
        let zone = Zone::parse(name).unwrap();
        let all = transitions(&zone, 2005..2030);
        // The newest two, and those that change by anything but an hour.
        let odd = |change: &&TimestampMs| {
            let local = |at: TimestampMs| zone.local(at.to_utc().unwrap().naive_utc());
            (local(**change) - local(change.minus_ms(HOUR_MS)) - TimeDelta::hours(1))
                .num_minutes()
                .abs()
                != 60
        };
        let odd: Vec<_> = all.iter().filter(odd).take(2).collect();
        for change in all.iter().rev().take(2).chain(odd) {
            changes += 1;
            let minutes = minutes(&zone, *change, 60);
            let (from, to) = (change.minus_ms(30 * HOUR_MS), minutes.last().unwrap().0);
            for (expression, interval) in EXPRESSIONS {
                let schedule = CronSchedule::parse(expression, name).unwrap();
                assert_eq!(schedule.is_interval(), interval, "{expression}");
                let pattern: Cron = expression.parse().unwrap();
                let expected = brute_force(&pattern, interval, &minutes, from);
                let due = std::iter::successors(schedule.next_after(from), |due| {
                    schedule.next_after(*due)
                });
                let found: Vec<_> = due.take_while(|due| *due <= to).collect();
                assert_eq!(found, expected, "{expression} in {name} around {change}");
            }
        }
    }
    assert!(changes > 60, "only {changes} clock changes were looked at");
}
