//! The two engines give the same due times wherever both know the expression.

use chrono::DateTime;
use proptest::prelude::*;

use super::dst::transitions;
use super::*;

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

/// A Quartz schedule by its own engine, and by croner.
fn both(expression: &str, zone: &str) -> Option<(CronSchedule, CronSchedule)> {
    let quartz = CronSchedule::parse(expression, zone).ok()?;
    assert!(matches!(quartz.engine, Engine::Quartz(_)), "{expression}");
    let engine = CronerEngine::new(&quartz.fields).expect("croner knows the expression");
    let croner = CronSchedule {
        engine: Engine::Croner(Box::new(engine)),
        ..quartz.clone()
    };
    Some((quartz, croner))
}

proptest! {
    #[test]
    fn both_engines_agree_on_any_plain_quartz_expression(
        fields in quartz_fields(),
        after in 0_i64..3_000_000_000,
    ) {
        let parsed = Fields::parse(&fields.join(" ")).unwrap();
        let (quartz, croner) = (QuartzEngine::new(&parsed).unwrap(), CronerEngine::new(&parsed).unwrap());
        prop_assert_eq!(quartz.ever_fires(), croner.ever_fires());
        let mut after = DateTime::from_timestamp(after, 0).unwrap().naive_utc();
        let last = after.date() + Days::new(1_830);
        for _ in 0..4 {
            let next = quartz.next(after, last);
            prop_assert_eq!(next, croner.next(after, last), "after {}", after);
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
    for zone in chrono_tz::TZ_VARIANTS {
        for change in transitions(zone, 2015..2031).into_iter().rev().take(2) {
            for expression in expressions {
                let (quartz, croner) = both(expression, zone.name()).unwrap();
                let from = change.minus_ms(26 * 3_600_000);
                let dues = quartz.upcoming(from, 12);
                assert_eq!(
                    dues,
                    croner.upcoming(from, 12),
                    "{expression} in {zone} around {change}"
                );
                compared += dues.len();
            }
        }
    }
    assert!(compared > 10_000, "only {compared} due times were compared");
}
