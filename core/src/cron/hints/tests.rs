//! What people paste gets the hint it deserves, and what is right gets none.

use crate::cron::CronSchedule;

/// What was given, and the rule it is answered with.
const FOREIGN: &[(&str, &str)] = &[
    (
        "@every 5m",
        "names times of day; an interval is the trigger `fixed_rate: 5m`, from end to start `fixed_delay: 5m`",
    ),
    (
        "@every 1h30m",
        "names times of day; an interval is the trigger `fixed_rate: 1h30m`, from end to start `fixed_delay: 1h30m`",
    ),
    (
        "@every 1.5h",
        "names times of day; an interval is the trigger `fixed_rate: 10m`, from end to start `fixed_delay: 10m`",
    ),
    (
        "@reboot",
        "names times of day, and nothing boots here: use the trigger `manual`, and let what starts run the job",
    ),
    (
        "H 2 * * *",
        "has no H of Jenkins: write numbers, like `0 2 * * *`, and `jitter: 10m` to spread jobs",
    ),
    (
        "H/15 * * * *",
        "has no H of Jenkins: write numbers, like `*/15 * * * *`, and `jitter: 10m` to spread jobs",
    ),
    (
        "CRON_TZ=Europe/Berlin 0 9 * * *",
        "has no zone in it: write `zone: Europe/Berlin` beside `cron: 0 9 * * *`",
    ),
    (
        "TZ=UTC 0 9 * * *",
        "has no zone in it: write `zone: UTC` beside `cron: 0 9 * * *`",
    ),
    (
        "cron(0 12 * * ? *)",
        "has no cron(…) around it, and six fields begin with the second: write `0 0 12 * * ?`",
    ),
    (
        "cron(15 10 ? * 6L 2026-2030)",
        "has no cron(…) around it, and six fields begin with the second: write `0 15 10 ? * 6L 2026-2030`",
    ),
    (
        "rate(5 minutes)",
        "names times of day; an interval is the trigger `fixed_rate: 5m`",
    ),
    (
        "rate(1 day)",
        "names times of day; an interval is the trigger `fixed_rate: 1d`",
    ),
    (
        "*-*-* 02:00:00",
        "is not systemd's calendar: write minute, hour, day, month, weekday, like `0 2 * * *`",
    ),
    (
        "Mon..Fri 09:30",
        "is not systemd's calendar: write minute, hour, day, month, weekday, like `30 9 * * MON-FRI`",
    ),
    (
        "OnCalendar=*-*-01 04:00",
        "is not systemd's calendar: write minute, hour, day, month, weekday, like `0 4 1 * *`",
    ),
    (
        "daily",
        "has fields, or an @ before a word: write `@daily` for daily",
    ),
    (
        "０ ９ ＊ ＊ ＊",
        "has only ASCII characters, not `０` (U+FF10): write `0 9 * * *`",
    ),
    (
        "0 9 * * 1–5",
        "has only ASCII characters, not `–` (U+2013): write `0 9 * * 1-5`",
    ),
    (
        "0 9 * * 每天",
        "has only ASCII characters, not `每` (U+6BCF)",
    ),
    ("\"0 9 * * *\"", "has no quotes in it: write `0 9 * * *`"),
    (
        "0 0 9 * * 0-4",
        "day of week is 1..=7 or SUN..SAT, not 0; Spring, BullMQ and node-cron count Sunday as 0, Quartz as 1: write `SUN-THU`",
    ),
];

#[test]
fn what_other_systems_write_is_answered_with_what_to_write_here() {
    for (given, rule) in FOREIGN {
        let violation = CronSchedule::parse(given, "").unwrap_err();
        assert_eq!(violation.rule, *rule, "{given}");
    }
}

#[test]
fn a_crontab_line_goes_without_its_command() {
    for line in [
        "0 9 * * * /usr/bin/backup --all",
        "0 9 * * * root /usr/bin/backup",
        "0 9 * * * /usr/bin/backup",
    ] {
        let rule = CronSchedule::parse(line, "").unwrap_err().rule;
        assert!(
            rule.ends_with("has times only: without its command the line is `0 9 * * *`"),
            "{rule}"
        );
    }
}

#[test]
fn what_is_suggested_is_accepted() {
    let table = [
        "H 2 * * *",
        "H/15 * * * *",
        "H H(0-7) * * *",
        "CRON_TZ=Europe/Berlin 0 9 * * *",
        "cron(0 12 * * ? *)",
        "cron(15 10 ? * 6L 2026-2030)",
        "*-*-* 02:00:00",
        "Mon..Fri 09:30",
        "weekly",
        "０ ９ ＊ ＊ ＊",
        "Mon,Tue *-*-* 00:00",
        "what: ever",
        "0 9 * * * /usr/bin/x",
    ];
    for given in table {
        let rule = CronSchedule::parse(given, "").unwrap_err().rule;
        let mut suggested = rule.split('`').filter(|part| {
            part.contains(' ') && !part.contains("jitter") && part.split(' ').count() >= 5
        });
        let line = suggested
            .next_back()
            .unwrap_or("@daily")
            .trim_start_matches("cron: ");
        assert!(CronSchedule::parse(line, "").is_ok(), "{given}: {rule}");
    }
}

#[test]
fn numbers_of_weekdays_in_six_fields_are_warned_of() {
    let warning = |expression: &str| CronSchedule::parse(expression, "").unwrap().warning();
    let table = [
        ("0 0 9 * * 1-5", "SUN-THU", "MON-FRI"),
        ("0 0 9 * * 7", "SAT", "SUN"),
        ("0 0 9 * * 2,4", "MON,WED", "TUE,THU"),
        ("0 0 9 * * 6#3", "FRI#3", "SAT#3"),
        ("0 0 9 * * 6L", "FRIL", "SATL"),
    ];
    for (expression, here, there) in table {
        let told = warning(expression).unwrap_or_default();
        assert!(told.contains(&format!("is {here} here")), "{told}");
        assert!(
            told.contains(&format!("write `{there}` if that is meant")),
            "{told}"
        );
        // The same, written by names, needs no word.
        assert_eq!(warning(&format!("0 0 9 * * {there}")), None);
    }
    for fine in [
        "0 9 * * 1-5",
        "0 0 9 ? * 1-5",
        "0 0 9 * * MON-FRI",
        "0 0 9 * * *",
        "0 0 9 * * */2",
        "0 0 9 * * 1-5 2027",
        "@daily",
    ] {
        assert_eq!(warning(fine), None, "{fine}");
    }
}
