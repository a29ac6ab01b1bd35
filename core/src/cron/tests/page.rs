//! The table of clock changes in `docs/guides/cron.md` is what the code does.
//!
//! `TICKWHEEL_BLESS=1 cargo test -p tickwheel-core page` writes it anew.

use std::fs;
use std::path::Path;

use super::*;

const BEGIN: &str = "<!-- made by the test `page`: what the code does -->\n";
const END: &str = "<!-- end -->\n";

/// A zone, what its clocks do, the window that is looked at, and the expressions.
type Case = (
    &'static str,
    &'static str,
    &'static str,
    u64,
    &'static [&'static str],
);

const CASES: &[Case] = &[
    (
        "Europe/Berlin",
        "2027-03-28, from 02:00 to 03:00",
        "2027-03-28T00:59:00+01:00",
        3,
        &[
            "30 2 * * *",
            "*/20 2 * * *",
            "0 0,1,2,3 * * *",
            "0 * * * *",
            "*/30 * * * *",
            "40 * * * *",
        ],
    ),
    (
        "America/New_York",
        "2026-11-01, from 02:00 back to 01:00",
        "2026-11-01T00:59:00-04:00",
        3,
        &[
            "30 1 * * *",
            "*/20 1 * * *",
            "0 1,2 * * *",
            "0 * * * *",
            "*/30 * * * *",
        ],
    ),
    (
        "Africa/Cairo",
        "2027-04-30, from 00:00 to 01:00",
        "2027-04-29T23:00:00+02:00",
        3,
        &["0 0 * * *", "@daily", "30 * * * *"],
    ),
    (
        "Australia/Lord_Howe",
        "2027-10-03, from 02:00 to 02:30",
        "2027-10-03T01:29:00+10:30",
        2,
        &["15 2 * * *", "0 2 * * *", "*/15 * * * *"],
    ),
    (
        "Pacific/Apia",
        "2011-12-30 was left out",
        "2011-12-29T12:00:00-10:00",
        37,
        &["0 12 * * *", "0 */12 * * *", "0 */8 * * *"],
    ),
];

fn rows() -> String {
    let mut text = "| zone, and what its clocks do | expression | kind | due, by the clocks there |\n|---|---|---|---|\n".to_owned();
    for (zone, change, from, hours, expressions) in CASES {
        for expression in *expressions {
            let schedule = CronSchedule::parse(expression, zone).unwrap();
            let from: TimestampMs = from.parse().unwrap();
            let to = from.plus_ms(hours * 3_600_000);
            let dues = schedule
                .upcoming(from, 100)
                .into_iter()
                .take_while(|due| *due <= to);
            let clock = |due| {
                let text = render_in_zone(due, zone).unwrap();
                let (day, time) = text.split_at(10);
                let seconds = time.find(":00+").or(time.find(":00-")).unwrap();
                let time = format!("{}{}", &time[1..seconds], &time[seconds + 3..]);
                if *hours > 24 {
                    format!("{} {time}", &day[5..])
                } else {
                    time
                }
            };
            let dues: Vec<String> = dues.map(clock).collect();
            let kind = if schedule.is_interval() {
                "interval"
            } else {
                "fixed"
            };
            let dues = if dues.is_empty() {
                "–".to_owned()
            } else {
                dues.join(", ")
            };
            text.push_str(&format!(
                "| {zone}, {change} | `{expression}` | {kind} | {dues} |\n"
            ));
        }
    }
    text
}

#[test]
fn the_page_shows_what_happens_when_the_clocks_change() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guides/cron.md");
    let page = fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once(BEGIN).expect("the page has the mark");
    let (shown, tail) = rest.split_once(END).expect("the page has the end mark");
    let made = rows();
    if std::env::var_os("TICKWHEEL_BLESS").is_some() {
        fs::write(&path, format!("{head}{BEGIN}{made}{END}{tail}")).unwrap();
        return;
    }
    assert_eq!(shown, made, "run this test with TICKWHEEL_BLESS=1");
}

#[test]
fn what_the_page_shows_of_expressions_is_true() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guides/cron.md");
    let page = fs::read_to_string(path).unwrap();
    // Rows of the form: expression, meaning.
    let table = page
        .split("| expression | meaning |")
        .nth(1)
        .expect("the page has the table");
    let mut shown = 0;
    for line in table
        .trim_start()
        .lines()
        .take_while(|line| line.starts_with('|'))
    {
        let Some((expression, meaning)) = line
            .strip_prefix("| `")
            .and_then(|row| row.split_once("` | "))
        else {
            continue;
        };
        let Some(meaning) = meaning
            .strip_suffix(" |")
            .filter(|rest| !rest.contains(" | "))
        else {
            continue;
        };
        let schedule =
            CronSchedule::parse(expression, "").unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!(
            schedule.explain(),
            format!("{meaning} (UTC)"),
            "{expression}"
        );
        shown += 1;
    }
    assert!(shown >= 12, "only {shown} expressions");
}
