//! Damage of every kind, as commands to a good partition.

use tickwheel_store::check::Kind;

use crate::damage::good::{Good, HOUR};

/// What is done to a good partition, what it is called, and what is left of it after a repair.
pub(crate) struct Case {
    pub(crate) damage: Vec<String>,
    pub(crate) kind: Kind,
    /// A person has to put it right.
    pub(crate) undo: Option<String>,
}

pub(super) fn case(kind: Kind, damage: &[String]) -> Case {
    Case {
        damage: damage.to_vec(),
        kind,
        undo: None,
    }
}

/// Damage to the counts of split contexts.
fn of_fans(good: &Good) -> Vec<Case> {
    let running = &good.running;
    let fan = |root: &str, fields: &str| {
        [
            format!("HSET|B:fans|{root}|map"),
            format!("HSET|B:fan:{root}|model|map|round|1|group|default|handlers|work|{fields}"),
        ]
    };
    vec![
        case(
            Kind::FanCounts,
            &fan(running, "state|open|total|1|out|1|m:|1"),
        ),
        case(
            Kind::FanOver,
            &fan(
                "0.5.a-77",
                "state|closed|total|1|succeeded|1|root|1:0 default work 2 - body|by|- 5",
            ),
        ),
        case(
            Kind::FanOrphan,
            &[
                "RPUSH|B:parts:work:0.5.a-77|0 0:0 item".to_owned(),
                "RPUSH|B:results:0.5.a-77|1 s done".to_owned(),
            ],
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table")]
/// Damage to contexts and their indexes.
pub(crate) fn of_contexts(good: &Good) -> Vec<Case> {
    use Kind::{
        ActiveMark, ActiveNowhere, EndedAndHere, FairIndex, LimitCount, Malformed, Misplaced,
        NoDeadline, NoLeaseScan, NoStartDeadline, RetryIndex, RetryNowhere, TwoPlaces,
        WrongPartition,
    };
    let Good {
        scheduled,
        retrying,
        ready,
        running,
        running_of_job,
        queued,
        dead,
        ..
    } = good;
    let due = |id: &str| id.split('.').nth(1).unwrap().parse::<u64>().unwrap();
    let at_ready = |id: &str| 2 * (1_u64 << 44) + due(id);
    let rest = "default work 2 - body";
    let watched = format!("default waits 2 s={HOUR} body");
    let mut cases = vec![
        case(
            TwoPlaces,
            &[format!(
                "ZADD|B:wheel|{}|{running} 0:0 default runs 2 t={HOUR} body",
                due(running)
            )],
        ),
        case(
            TwoPlaces,
            &[format!(
                "ZADD|B:ready:default:waits|{}|{ready} 1:0 {watched}",
                at_ready(ready)
            )],
        ),
        case(
            TwoPlaces,
            &[
                format!(
                    "ZADD|B:ready:default:other|{}|{ready} 0:0 default other 2 - body",
                    at_ready(ready)
                ),
                "ZADD|B:backlog|0|default other".to_owned(),
            ],
        ),
        case(
            TwoPlaces,
            &[format!(
                "ZADD|B:queue:a/queue|{}|{running_of_job} 1:0 {rest}",
                due(running_of_job)
            )],
        ),
        case(
            Misplaced,
            &[format!(
                "ZADD|B:wheel|{}|{scheduled} 0:0 default work 2 s={HOUR} body",
                due(scheduled) + 5
            )],
        ),
        case(
            Misplaced,
            &[format!(
                "ZADD|B:wheel|inf|{scheduled} 0:0 default work 2 s={HOUR} body"
            )],
        ),
        case(
            Misplaced,
            &[format!(
                "ZADD|B:ready:default:waits|7.5|{ready} 0:0 {watched}"
            )],
        ),
        case(
            Misplaced,
            &[
                format!("ZREM|B:ready:default:waits|{ready} 0:0 {watched}"),
                "ZREM|B:backlog|default waits".to_owned(),
                format!(
                    "ZADD|B:ready:default:work|{}|{ready} 0:0 {watched}",
                    at_ready(ready)
                ),
                "ZADD|B:backlog|0|default work".to_owned(),
            ],
        ),
        case(RetryIndex, &[format!("HDEL|B:retry|{retrying}")]),
        case(
            RetryIndex,
            &[format!("HSET|B:retry|{retrying}|{}", due(retrying))],
        ),
        case(RetryNowhere, &["HSET|B:retry|0.5.n-1|77".to_owned()]),
        case(FairIndex, &["HSET|B:fair|0.5.n-1|77".to_owned()]),
        case(ActiveNowhere, &[format!("HDEL|B:held|{running_of_job}")]),
        case(
            ActiveNowhere,
            &["HSET|B:active:a/rate|0.5.f@a/rate|s".to_owned()],
        ),
        case(
            ActiveMark,
            &[format!("HDEL|B:active:a/queue|{running_of_job}")],
        ),
        case(
            ActiveMark,
            &[format!("HSET|B:active:a/queue|{running_of_job}|x")],
        ),
        case(ActiveMark, &[format!("HSET|B:active:a/queue|{queued}|m")]),
        case(
            EndedAndHere,
            &[format!("ZADD|B:wheel|{}|{dead} 0:0 {rest}", due(dead))],
        ),
        case(
            EndedAndHere,
            &[format!(
                "HSET|B:held|{dead}|1:0 w-9 {0} {0} 0 - {rest}",
                due(dead) + HOUR
            )],
        ),
        case(
            WrongPartition,
            &[
                "ZADD|B:wheel|9000000000000|1.9000000000000.a-1 0:0 default work 2 - body"
                    .to_owned(),
            ],
        ),
        case(
            WrongPartition,
            &[format!(
                "HSET|B:held|1.7.a-1|1:0 w-1 {0} {0} 0 - {rest}",
                due(ready) + HOUR
            )],
        ),
        case(
            Malformed,
            &["ZADD|B:wheel|9000000000000|0.9.a-1 nonsense".to_owned()],
        ),
        case(Malformed, &["ZADD|B:wheel|9000000000000|?what".to_owned()]),
        case(
            Malformed,
            &["ZADD|B:wheel|9000000000000|&a/b nothing".to_owned()],
        ),
        case(
            Malformed,
            &["ZADD|B:dead|5|0.5.x-1 3:3 default work 2 - body".to_owned()],
        ),
        case(
            Malformed,
            &["ZADD|B:dead|5|0.5.x-1\tfailed\t1\tw-1\t5\t6\tm\tg\th\t1\n1 g h 2 r=99999999999999999999 x".to_owned()],
        ),
        case(
            Malformed,
            &["XADD|B:events|*|s|0.5.x-1\tfailed\t100000000000000000000\tw-1\t5\t6\tm\tg\th\t1\n0.5.x-2\tsucceeded\t1\tw-1\t5\t6\t\tg\th\t0".to_owned()],
        ),
        case(
            Malformed,
            &["XADD|B:events|*|s|0.5.x-1\tsucceeded\t1\tw-1\t5\t6\t\tg\th\t4294967296".to_owned()],
        ),
        case(Malformed, &["XADD|B:events|*|s|nonsense".to_owned()]),
        case(Malformed, &["HSET|B:held|0.5.x-1|nonsense".to_owned()]),
        case(
            Malformed,
            &["HSET|B:held|0.5.x-1|1:0 w-1 5 9000000000000 0 what default work 2 - body".to_owned()],
        ),
        case(
            Malformed,
            &["HSET|B:held|nonsense|1:0 w 5 5 0 - g h 2 - b".to_owned()],
        ),
        case(Malformed, &["HSET|B:retry|nonsense|5".to_owned()]),
        case(Malformed, &["HSET|B:fair|nonsense|5".to_owned()]),
        case(Malformed, &["HSET|B:fans|nonsense|map".to_owned()]),
        case(
            Malformed,
            &[format!("HSET|B:held|{running_of_job}|cut off")],
        ),
        case(
            Malformed,
            &[
                "ZADD|B:ready:default:bad|5|0.5.x-1 0:0 default".to_owned(),
                "ZADD|B:backlog|0|default bad".to_owned(),
            ],
        ),
        case(LimitCount, &["HSET|B:limit_shares|default|7 9 0 1 k".to_owned()]),
        case(LimitCount, &["HDEL|B:limit_shares|default k=acme".to_owned()]),
        case(LimitCount, &["RPUSH|B:limit_released|1 default".to_owned()]),
        case(LimitCount, &["HSET|B:limit_shares|other|1 1 0 1 w".to_owned()]),
        case(NoLeaseScan, &["ZREM|B:wheel|!reap".to_owned()]),
        case(
            NoLeaseScan,
            &["ZADD|B:wheel|9000000000000|!reap".to_owned()],
        ),
        case(
            NoDeadline,
            &[format!(
                "HSET|B:held|{running}|1:0 w-1 {0} {0} 0 - default runs 2 t={HOUR} body",
                due(running) + HOUR
            )],
        ),
        case(
            NoStartDeadline,
            &[format!("ZREM|B:wheel|#{ready} default waits 2")],
        ),
        case(
            NoStartDeadline,
            &[format!("ZREM|B:wheel|#{scheduled} default work 2")],
        ),
    ];
    cases.extend(of_fans(good));
    cases
}

/// Damage to jobs, lists and keys.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn of_jobs(good: &Good) -> Vec<Case> {
    use Kind::{
        ArmedForNothing, ArmedLate, Backlog, BadJob, DeletionStuck, DeliveryLate, FiredTwice,
        FollowerGone, FollowerUntold, Immortal, Leftover, ListedForNothing, NotArmed, NotListed,
        QueueStuck, TooEarly, TooMany, TooManyActive, UnknownKey, WrongType,
    };
    let next = good.next;
    let left = |kind: Kind, damage: &str, undo: &str| Case {
        damage: vec![damage.to_owned()],
        kind,
        undo: Some(undo.to_owned()),
    };
    let one = |kind: Kind, damage: &str| case(kind, &[damage.to_owned()]);
    vec![
        one(Backlog, "ZREM|B:backlog|default waits"),
        one(Backlog, "ZREM|B:backlog|default waits k="),
        one(Backlog, "ZREM|B:backlog|default !fan"),
        one(Backlog, "ZADD|B:backlog|0|default waits k=acme"),
        one(Backlog, "ZADD|B:backlog|0|default nobody"),
        one(NotArmed, "ZREM|B:wheel|@a/rate"),
        one(NotArmed, "ZREM|B:wheel|@a/cron"),
        one(NotArmed, "ZREM|B:wheel|@a/delay"),
        case(
            NotArmed,
            &[
                "ZREM|B:wheel|@a/delay".to_owned(),
                "HSET|B:job:a/delay|next|".to_owned(),
            ],
        ),
        case(
            NotArmed,
            &[
                "ZREM|B:wheel|@a/rate".to_owned(),
                "HSET|B:job:a/rate|next|".to_owned(),
            ],
        ),
        case(
            NotArmed,
            &[
                "ZREM|B:wheel|@a/cron".to_owned(),
                "HSET|B:job:a/cron|next||plan|".to_owned(),
            ],
        ),
        one(ArmedLate, &format!("ZADD|B:wheel|{}|@a/rate", next + 1)),
        one(ArmedLate, "ZADD|B:wheel|inf|@a/cron"),
        one(ArmedForNothing, "ZADD|B:wheel|9000000000000|@a/queue"),
        one(ArmedForNothing, "ZADD|B:wheel|9000000000000|@a/none"),
        one(ArmedForNothing, "HSET|B:job:a/rate|state|paused"),
        one(NotListed, "ZREM|B:jobs|a/rate"),
        one(ListedForNothing, "ZADD|B:jobs|0|a/none"),
        one(Leftover, "RPUSH|B:ledger:a/none|5 F +1"),
        one(
            Leftover,
            "ZADD|B:queue:a/none|5|0.5.m-1@a/none 0:0 default work 2 - body",
        ),
        case(
            QueueStuck,
            &[
                "DEL|B:active:a/queue".to_owned(),
                format!("HDEL|B:held|{}", good.running_of_job),
            ],
        ),
        case(
            DeletionStuck,
            &[
                "ZREM|B:wheel|@a/rate".to_owned(),
                "HSET|B:job:a/rate|state|deleting|next||plan||updated_ms|1".to_owned(),
            ],
        ),
        one(FollowerGone, "DEL|B:job:a/follower"),
        one(FollowerGone, "HSET|B:job:a/follower|after|"),
        one(FollowerGone, "SET|B:awaited:a/none|a/rate:ended"),
        one(FollowerUntold, "HSET|B:job:a/queue|followers|"),
        one(
            FollowerUntold,
            "HSET|B:job:a/queue|followers|a/follower:failed",
        ),
        case(
            FollowerUntold,
            &[
                "HSET|B:job:a/queue|followers|".to_owned(),
                "SET|B:awaited:a/queue|a/follower:ended".to_owned(),
            ],
        ),
        one(
            DeliveryLate,
            "ZADD|B:wheel|9000000000000|&a/follower 0.5.m-1@a/queue failed",
        ),
        one(Immortal, "SET|B:dedup:k|0.5.a-1"),
        one(Immortal, "RPUSH|B:log:0.5.a-1|9 1 0 1\ni0 4:line"),
        left(
            FiredTwice,
            "RPUSH|B:ledger:a/rate|1000 F +1|1000 F +2",
            "DEL|B:ledger:a/rate",
        ),
        left(
            TooEarly,
            &format!("HSET|B:held|0.8000000000000.a-1|1:0 w-1 5 {next} 0 - g h 2 - b"),
            "HDEL|B:held|0.8000000000000.a-1",
        ),
        left(
            BadJob,
            "HSET|B:job:a/rate|state|what",
            "HSET|B:job:a/rate|state|active",
        ),
        left(
            BadJob,
            "HSET|B:job:a/cron|plan|x",
            &format!("HSET|B:job:a/cron|plan|{} {}", next + HOUR, next + 2 * HOUR),
        ),
        left(
            TooManyActive,
            "HSET|B:job:a/queue|overlap|parallel|overlap_limit|0",
            "HSET|B:job:a/queue|overlap|queue|overlap_limit|5",
        ),
        left(UnknownKey, "SET|B:mystery|1", "DEL|B:mystery"),
        left(UnknownKey, "SET|{t}:mystery|1", "DEL|{t}:mystery"),
        left(UnknownKey, "SET|{t:7}:wheel|1", "DEL|{t:7}:wheel"),
        one(WrongType, "SET|B:runs:a/rate|1"),
        case(
            TooMany,
            &[
                "HSET|B:job:a/rate|runs_limit|1".to_owned(),
                format!(
                    "RPUSH|B:runs:a/rate{}",
                    "|0.5.f@a/rate\tsucceeded\t1\tw-1\t5\t6\t\tg\th\t0".repeat(20)
                ),
            ],
        ),
    ]
}
