//! Records round-trip, share their bodies, and are refused when they do not follow their grammar.

use proptest::prelude::*;
use tickwheel_core::id::{AttemptNo, ContextId, GroupName, HandlerName, WorkerId};
use tickwheel_core::job::{Backoff, ContextOptions, Priority, RetryPolicy};
use tickwheel_core::time::TimestampMs;

use super::*;

const ID: &str = "7.1767225600000.f@billing/nightly";

fn rest(options: &ContextOptions, body: &[u8]) -> Bytes {
    let (group, handler) = (
        GroupName::new("default").unwrap(),
        HandlerName::new("invoice").unwrap(),
    );
    Rest::encode(&group, &handler, options.priority, options, body)
}

#[test]
fn a_context_with_default_options_has_a_dash_for_them() {
    assert_eq!(
        rest(&ContextOptions::default(), b"{}"),
        "default invoice 2 - {}"
    );
}

#[test]
fn every_option_that_differs_from_its_default_has_its_letter() {
    let options = ContextOptions {
        retry: RetryPolicy {
            max_attempts: 5,
            backoff: Backoff::Fixed { delay_ms: 200 },
            full_jitter: false,
        },
        timeout_ms: Some(30_000),
        cancel_grace_ms: 100,
        start_deadline_ms: Some(60_000),
        lease_ms: 2_000,
        fail_on_lease_lost: true,
        ..ContextOptions::default()
    };
    assert_eq!(
        rest(&options, b""),
        "default invoice 2 l=2000,t=30000,g=100,r=5,b=f:200:200:0,s=60000,x=1 "
    );
}

#[test]
fn the_body_is_everything_behind_the_sixth_space_and_shares_memory() {
    let text = Bytes::from(format!("{ID} 3:1 default invoice 4 - a b  c\n\u{0}"));
    let member = Member::parse(text.clone()).unwrap();
    assert_eq!(
        (member.id.as_str(), member.attempt, member.failures),
        (ID, AttemptNo::new(3), 1)
    );
    assert_eq!(member.rest.priority, Priority::HIGHEST);
    assert_eq!(member.rest.body, "a b  c\n\u{0}");
    let offset = text.len() - member.rest.body.len();
    assert_eq!(member.rest.body.as_ptr(), text[offset..].as_ptr());
}

#[test]
fn a_context_without_a_body_ends_with_a_space() {
    let id: ContextId = ID.parse().unwrap();
    let text = Member::encode_new(&id, &rest(&ContextOptions::default(), b""));
    assert_eq!(text, format!("{ID} 0:0 default invoice 2 - "));
    assert_eq!(Member::parse(text).unwrap().rest.body, "");
}

#[test]
fn a_member_of_another_form_is_a_broken_contract() {
    for text in [
        "",
        "@billing/nightly",
        ID,
        "7.x.f 0:0 g h 2 - ",
        &format!("{ID} 0 g h 2 - "),
        &format!("{ID} 0:0 g h 5 - "),
        &format!("{ID} 0:0 g h 2 q=1 "),
    ] {
        let refused = Member::parse(Bytes::copy_from_slice(text.as_bytes()));
        assert!(
            matches!(
                refused,
                Err(Error::Damaged {
                    script: "record/member",
                    ..
                })
            ),
            "{text}"
        );
    }
}

#[test]
fn a_held_value_tells_which_limits_it_counts_under() {
    let under = |deadline: &str| {
        let text = format!("2:1 w-1a2b3c4d 1 2 {deadline} - mails send 2 k=acme x");
        let held = Held::parse(Bytes::from(text)).ok()?;
        let names = held.counts_under();
        let names = names.iter().map(ToString::to_string).collect::<Vec<_>>();
        Some((held.deadline.is_some(), names.join(",")))
    };
    let known = |deadline, names: &str| Some((deadline, names.to_owned()));
    assert_eq!(under("0"), known(false, ""));
    assert_eq!(under("0g"), known(false, "mails"));
    assert_eq!(under("5k"), known(true, "mails k=acme"));
    assert_eq!(under("5gk"), known(true, "mails,mails k=acme"));
    for wrong in ["g", "5kg", "5x", "gk5", "5g5"] {
        assert_eq!(under(wrong), None, "{wrong}");
    }
}

#[test]
fn a_held_value_tells_who_runs_it_until_when() {
    let held = Held::parse(Bytes::from_static(
        b"2:1 mill-1a2b3c4d 100 2100 0 - default invoice 2 - x",
    ))
    .unwrap();
    assert_eq!(
        (held.attempt, held.failures, held.worker.as_str()),
        (AttemptNo::new(2), 1, "mill-1a2b3c4d")
    );
    assert_eq!(
        (held.claimed, held.expires),
        (TimestampMs::new(100), TimestampMs::new(2_100))
    );
    assert_eq!((held.deadline, held.cancel), (None, None));
    assert_eq!(held.limits, HeldLimits::default());
    assert_eq!(held.rest.body, "x");
    let held = Held::parse(Bytes::from_static(
        b"2:1 mill-1a2b3c4d 100 2100 5100 REPLACED@7100 default invoice 2 - ",
    ))
    .unwrap();
    assert_eq!(held.deadline, Some(TimestampMs::new(5_100)));
    assert!(held.counts_under().is_empty());
    assert_eq!(
        held.cancel,
        Some(HeldCancel {
            reason: "REPLACED".to_owned(),
            grace_until: TimestampMs::new(7_100)
        })
    );
    assert!(
        Held::parse(Bytes::from_static(
            b"2:1 mill-1a2b3c4d 100 2100 0 x default invoice 2 - "
        ))
        .is_err()
    );
}

#[test]
fn a_dead_context_is_its_settled_record_with_what_ran() {
    let record = "1.7.a-1\tfailed\t3\tw-1\t9\t10\tboom\tg\th\t3";
    let dead = Dead::parse(&Bytes::from(format!("{record}\n3 g h 2 r=3 two\nlines"))).unwrap();
    assert_eq!(dead.settled.to_string(), record);
    assert_eq!(
        (dead.failures, dead.rest.as_ref().unwrap().body.as_ref()),
        (3, b"two\nlines".as_slice())
    );
    let older = Dead::parse(&Bytes::from_static(record.as_bytes())).unwrap();
    assert_eq!((older.settled, older.rest), (dead.settled, None));
    for bad in [
        format!("{record}\n"),
        format!("{record}\nx g h 2 - b"),
        "1.7.a-1 3:3 g h 2 - body".to_owned(),
    ] {
        assert!(Dead::parse(&Bytes::from(bad.clone())).is_err(), "{bad}");
    }
}

#[test]
fn the_message_of_a_settled_record_keeps_to_one_line_and_one_kibibyte() {
    let settled = Settled {
        id: ID.parse().unwrap(),
        state: EndState::Failed,
        attempt: AttemptNo::new(3),
        worker: Some(WorkerId::new("mill-1a2b3c4d").unwrap()),
        claimed: None,
        ended: TimestampMs::new(5),
        message: format!("a\tb\nc{}", "ä".repeat(1_000)),
        group: GroupName::new("g").ok(),
        handler: HandlerName::new("h").ok(),
        failures: 2,
    };
    let text = settled.to_string();
    assert!(text.starts_with(&format!("{ID}\tfailed\t3\tmill-1a2b3c4d\t0\t5\ta b cä")));
    assert!(text.len() < 1_100);
    assert!(Settled::parse(text.as_bytes()).is_ok());
    let (head, tail) = text.as_bytes().split_at(text.len() - "\tg\th\t2".len());
    let cut = [&head[..head.len() - 1], tail].concat();
    let cut = Settled::parse(&cut).unwrap();
    assert!(cut.message.ends_with('\u{fffd}') && cut.failures == 2);
    let more = [text.as_bytes(), b"\tx"].concat();
    for bad in [b"1\tfailed", head, &more] {
        assert!(Settled::parse(bad).is_err());
    }
}

fn options() -> impl Strategy<Value = Options> {
    let backoff = prop_oneof![
        any::<u64>().prop_map(|delay_ms| Backoff::Fixed { delay_ms }),
        any::<(u64, u64)>()
            .prop_map(|(delay_ms, cap_ms)| Backoff::Exponential { delay_ms, cap_ms }),
    ];
    let retry = (any::<u32>(), backoff, any::<bool>());
    let times = any::<(Option<u64>, u64, Option<u64>, u64, u64)>();
    (
        retry,
        times,
        any::<bool>(),
        proptest::option::of("[a-z]{1,9}-[a-z0-9]{8}"),
        (
            any::<u32>(),
            proptest::option::of("[0-9a-f]{10}"),
            any::<Option<u32>>(),
        ),
        (
            any::<bool>(),
            proptest::option::of("[mbsir]:[0-9]{1,8}"),
            proptest::option::of("[A-Za-z0-9._@+-]{1,64}"),
            1_u32..=64,
            proptest::option::of("[a-z0-9._/-]{1,40}|#[0-9a-f]{40}"),
        ),
    )
        .prop_map(
            |(
                retry,
                times,
                lost,
                avoid,
                (orphaned, placement, hash),
                (split, part, key, weight, dedup),
            )| {
                Options {
                    retry: RetryPolicy {
                        max_attempts: retry.0,
                        backoff: retry.1,
                        full_jitter: retry.2,
                    },
                    timeout_ms: times.0,
                    cancel_grace_ms: times.1,
                    start_deadline_ms: times.2,
                    again_ms: times.4,
                    lease_ms: times.3,
                    fail_on_lease_lost: lost,
                    avoid: avoid.map(|name| WorkerId::new(name).unwrap()),
                    placement: placement.map(|placement| placement.parse().unwrap()),
                    hash,
                    weight: key.as_ref().map_or(1, |_| weight),
                    key: key.map(|key| key.parse().unwrap()),
                    dedup: dedup.map(|name| name.parse().unwrap()),
                    orphaned,
                    only: None,
                    split,
                    part: part.map(|part| part.parse().unwrap()),
                    upstream: hash.map(|_| "1.7.f@a/b:failed:boom%20x".parse().unwrap()),
                    body_dropped: hash.map(u64::from),
                }
            },
        )
}

proptest! {
    #[test]
    fn options_round_trip(options in options()) {
        prop_assert_eq!(options.to_string().parse::<Options>(), Ok(options));
    }

    #[test]
    fn a_member_round_trips_with_any_body(options in options(), priority in 0_u8..5, body: Vec<u8>) {
        let given = options.with_priority(Priority::new(priority).unwrap());
        let id: ContextId = ID.parse().unwrap();
        let member = Member::parse(Member::encode_new(&id, &rest(&given, &body))).unwrap();
        prop_assert_eq!(member.rest.body, body);
        prop_assert_eq!(member.rest.options.with_priority(member.rest.priority), given);
        prop_assert_eq!(member.id, id);
    }

    #[test]
    fn a_settled_record_round_trips(attempt: u32, state in 0_usize..5, times: (u64, u64), message in "[^\t\r\n]{0,200}") {
        let settled = Settled {
            id: ID.parse().unwrap(),
            state: EndState::ALL[state],
            attempt: AttemptNo::new(attempt),
            worker: None,
            claimed: Some(times.0).filter(|ms| *ms > 0).map(TimestampMs::new),
            ended: TimestampMs::new(times.1),
            message,
            group: (attempt % 2 == 0).then(|| GroupName::new("g").unwrap()),
            handler: (attempt % 3 == 0).then(|| HandlerName::new("h").unwrap()),
            failures: attempt / 2,
        };
        prop_assert_eq!(Settled::parse(settled.to_string().as_bytes()).unwrap(), settled);
    }
}
