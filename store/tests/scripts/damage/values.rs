//! Values of indexes, of events and of split contexts that nobody writes, as commands to a good partition.

use tickwheel_store::check::Kind;

use super::cases::{Case, case};
use super::good::Good;

/// Damage to values.
pub(crate) fn of_values(good: &Good) -> Vec<Case> {
    let mut cases = of_indexes(good);
    cases.extend(of_names());
    cases.extend(of_events());
    cases.extend(of_fans(good));
    cases
}

fn of_indexes(good: &Good) -> Vec<Case> {
    use Kind::{ActiveMark, ActiveNowhere, FairIndex, RetryNowhere};
    let Good {
        ready,
        running,
        running_of_job,
        ..
    } = good;
    let one = |kind: Kind, damage: String| case(kind, &[damage]);
    vec![
        one(RetryNowhere, format!("HSET|B:retry|{running}|77")),
        one(RetryNowhere, format!("HSET|B:retry|{ready}|x")),
        one(RetryNowhere, format!("HSET|B:retry|{ready}|")),
        one(RetryNowhere, "HSET|B:retry|0.5.n-1|".to_owned()),
        one(FairIndex, "HSET|B:fair|0.5.n-1|".to_owned()),
        one(FairIndex, "HSET|B:fair|0.5.n-1|x".to_owned()),
        one(FairIndex, format!("HSET|B:fair|{running}|")),
        one(
            ActiveNowhere,
            "HSET|B:active:a/rate|0.5.f@a/rate|".to_owned(),
        ),
        one(
            ActiveMark,
            format!("HSET|B:active:a/queue|{running_of_job}|"),
        ),
    ]
}

/// A short name of a job: in Redis it stands under its full one.
fn of_names() -> Vec<Case> {
    vec![
        case(Kind::Malformed, &["ZADD|B:jobs|0|short".to_owned()]),
        case(
            Kind::Malformed,
            &["ZADD|B:wheel|9000000000000|@short".to_owned()],
        ),
    ]
}

fn of_events() -> Vec<Case> {
    let good = "0.5.x-2\tsucceeded\t1\tw-1\t5\t6\t\tg\th\t0";
    let one = |damage: String| case(Kind::Malformed, &[damage]);
    vec![
        one("XADD|B:events|*|s|".to_owned()),
        one(format!("XADD|B:events|*|s|{good}\n\n{good}")),
        one(format!("XADD|B:events|*|other|{good}")),
        one(format!("XADD|B:events|*|s|{good}|s||other|x")),
    ]
}

fn of_fans(good: &Good) -> Vec<Case> {
    let Good { running, ready, .. } = good;
    let fan = |root: &str, fields: &str| {
        [
            format!("HSET|B:fans|{root}|map"),
            format!("HSET|B:fan:{root}|round|1|handlers|work|t:work|default work 2 - |{fields}"),
            format!("RPUSH|B:parts:work:{root}|0 0:0 item"),
            format!("ZADD|B:backlog|0|default work /{root}"),
        ]
    };
    let lost = "0.5.a-77";
    let rest = "1:0 default work 2 - body";
    vec![
        // What it ran cannot be read.
        case(
            Kind::Malformed,
            &fan(lost, "model|map|state|closed|total|1|group|default|root|x"),
        ),
        case(
            Kind::Malformed,
            &fan(
                lost,
                "model|map|state|closed|total|1|group|default|root|1:0 default work 9 - x",
            ),
        ),
        // It ran, and nothing of that is anywhere.
        case(
            Kind::FanCounts,
            &fan(lost, "model|map|state|open|total|1|group|default"),
        ),
        case(
            Kind::FanCounts,
            &fan(lost, "model|map|state|dropping|total|1|group|default|root|"),
        ),
        // Nobody knows where its subtasks may run.
        case(
            Kind::FanCounts,
            &fan(
                lost,
                &format!("model|map|state|closed|total|1|group|a b|root|{rest}"),
            ),
        ),
        case(
            Kind::FanCounts,
            &fan(running, "model|map|state|what|total|1|group|default"),
        ),
        case(
            Kind::FanCounts,
            &fan(ready, "model||state|open|total|1|group|default"),
        ),
        case(
            Kind::FanCounts,
            &fan(
                lost,
                &format!("model|what|state|what|total|1|group|default|root|{rest}"),
            ),
        ),
    ]
}
