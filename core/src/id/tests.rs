//! Ids round-trip, are refused with the rule they break, and have the documented forms.

use proptest::prelude::*;

use super::*;
use crate::partition::{PartitionCount, PartitionId, partition_of};
use crate::time::TimestampMs;

const DUE: TimestampMs = TimestampMs::new(1_767_225_600_000);

fn sixteen() -> PartitionCount {
    PartitionCount::new(16).unwrap()
}

fn job(name: &str) -> JobName {
    JobName::new(name).unwrap()
}

#[test]
fn a_job_without_a_namespace_is_in_the_default_one() {
    let plain = job("nightly");
    assert_eq!(
        (plain.as_str(), plain.namespace(), plain.name()),
        ("default/nightly", "default", "nightly")
    );
    let deep = job("a/b/c");
    assert_eq!((deep.namespace(), deep.name()), ("a", "b/c"));
}

#[test]
fn a_name_of_other_characters_or_length_is_refused() {
    let long = "x".repeat(129);
    for wrong in ["", "a b", "ä", "a@b", "a:b", "a\n", long.as_str()] {
        assert!(JobName::new(wrong).is_err(), "{wrong:?}");
        assert!(GroupName::new(wrong).is_err(), "{wrong:?}");
        assert!(HandlerName::new(wrong).is_err(), "{wrong:?}");
    }
    assert!(JobName::new("/x").is_err());
    assert!(JobName::new("x/").is_err());
    // The whole name counts, with the namespace in front.
    assert!(JobName::new("x".repeat(121)).is_err());
    assert!(JobName::new("x".repeat(120)).is_ok());
}

#[test]
fn no_part_of_a_name_is_empty_a_dot_or_an_option() {
    for wrong in [
        "--help", "-", "-x", "../x", "a/../b", "a/./b", ".", "..", ".x", "a//b", "/", "/x", "x/",
        "a/-b",
    ] {
        assert!(JobName::new(wrong).is_err(), "{wrong:?}");
        assert!(GroupName::new(wrong).is_err(), "{wrong:?}");
        assert!(HandlerName::new(wrong).is_err(), "{wrong:?}");
    }
    for right in ["a", "7", "_x", "a.b", "a-b", "a..b", "a/b/c-", "A_/0."] {
        assert!(JobName::new(right).is_ok(), "{right:?}");
        assert!(GroupName::new(right).is_ok(), "{right:?}");
        assert!(HandlerName::new(right).is_ok(), "{right:?}");
    }
}

#[test]
fn a_firing_is_named_by_its_job_and_due_time() {
    let name = job("billing/nightly");
    let id = ContextId::firing(&name, DUE, sixteen());
    let partition = partition_of("billing/nightly", sixteen());
    assert_eq!(
        id.as_str(),
        format!("{partition}.{}.f@billing/nightly", DUE.as_u64())
    );
    assert_eq!(
        (id.partition(), id.due(), id.job()),
        (partition, DUE, Some(name.clone()))
    );
    assert_eq!(ContextId::firing(&name, DUE, sixteen()), id);
    assert!(id.is_firing());
}

#[test]
fn a_follower_of_the_same_context_has_the_same_id() {
    let upstream = ContextId::firing(&job("up"), DUE, sixteen());
    let id = ContextId::after(&job("down"), DUE, &upstream, sixteen());
    assert_eq!(
        ContextId::after(&job("down"), DUE, &upstream, sixteen()),
        id
    );
    let uniq = id.as_str().split(['.', '@']).nth(2).unwrap();
    assert_eq!((uniq.len(), uniq.starts_with('a')), (11, true));
    let other = ContextId::firing(&job("up"), DUE.plus_ms(1), sixteen());
    assert_ne!(ContextId::after(&job("down"), DUE, &other, sixteen()), id);
}

#[test]
fn a_lone_context_is_named_by_incarnation_and_counter() {
    let partition = PartitionId::new(7).unwrap();
    let own = Namespace::default();
    let id = ContextId::standalone(partition, TimestampMs::ZERO, (37, 35), &own);
    assert_eq!(id.as_str(), "7.0.11-00000z");
    assert_eq!((id.partition(), id.job()), (partition, None));
    assert_eq!(id.namespace(), "default");
    let run = ContextId::job_run(&job("x"), DUE, &ContextId::uniq(37, 35), sixteen()).unwrap();
    assert!(run.as_str().ends_with(".11-00000z@default/x"));
    assert!(ContextId::job_run(&job("x"), DUE, "NO", sixteen()).is_err());
}

#[test]
fn a_lone_context_carries_its_namespace_and_so_do_its_subtasks() {
    let partition = PartitionId::new(7).unwrap();
    let eu = Namespace::new("eu").unwrap();
    let id = ContextId::standalone(partition, DUE, (37, 35), &eu);
    assert_eq!(id.as_str(), "7.1767225600000.11-00000z@eu/");
    assert_eq!(id.as_str().parse(), Ok(id.clone()));
    assert_eq!(
        (id.namespace(), id.job(), id.is_firing()),
        ("eu", None, false)
    );
    let subtask = Subtask {
        round: 2,
        part: Part::Number(3),
    };
    let part = id.with_subtask(subtask);
    assert_eq!(part.as_str(), "7.1767225600000.11-00000z~2.3@eu/");
    assert_eq!((part.root(), part.namespace()), (Some(id), "eu"));
    let of_job = ContextId::firing(&job("us/bill"), DUE, sixteen());
    assert_eq!(of_job.namespace(), "us");
    for wrong in [
        "7.1.a-1@",
        "7.1.a-1@/",
        "7.1.a-1@eu//",
        "7.1.a-1@eu/x/",
        "7.1.a-1@default/",
        "7.1.a-1@-x/",
        "7.1.a-1@../",
    ] {
        assert!(wrong.parse::<ContextId>().is_err(), "{wrong}");
    }
    for wrong in ["", "a/b", "--help", "..", "a b"] {
        assert!(Namespace::new(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_longest_id_is_within_its_bound() {
    let longest = job(&format!("n/{}", "x".repeat(126)));
    let count = PartitionCount::new(1_024).unwrap();
    let uniq = ContextId::uniq(u64::MAX, u64::MAX);
    let id = ContextId::job_run(&longest, TimestampMs::new(u64::MAX), &uniq, count).unwrap();
    assert_eq!(id.as_str().parse(), Ok(id.clone()));
}

#[test]
fn anything_else_is_no_context_id() {
    for wrong in [
        "",
        "7",
        "7.1766000000000",
        "07.1766000000000.f@a/b",
        "1024.1766000000000.f@a/b",
        "7.01766000000000.f@a/b",
        "7.17660000x.f@a/b",
        "7.1766000000000.@a/b",
        "7.1766000000000.f@b",
        "7.1766000000000.f@",
        "7.1766000000000.f@a/b c",
        "-7.1766000000000.f@a/b",
        "+7.1766000000000.f@a/b",
    ] {
        assert!(wrong.parse::<ContextId>().is_err(), "{wrong:?}");
    }
}

#[test]
fn process_ids_have_their_documented_forms() {
    assert_eq!(TrackerId::of_incarnation(36).as_str(), "trk-10");
    assert_eq!(
        WorkerId::compose("mill", 35).unwrap().as_str(),
        "mill-0000000z"
    );
    assert_eq!(
        WorkerId::compose("mill", u64::MAX).unwrap().as_str().len(),
        13
    );
    assert!(WorkerId::compose("two words", 0).is_err());
    assert_eq!(AttemptNo::NONE.next(), AttemptNo::FIRST);
}

proptest! {
    #[test]
    fn names_round_trip(text in "[A-Za-z0-9_][A-Za-z0-9._-]{0,39}/[A-Za-z0-9_][A-Za-z0-9._-]{0,39}", number: u32) {
        let name = JobName::new(&text).unwrap();
        prop_assert_eq!(name.as_str(), text.as_str());
        prop_assert_eq!(text.parse(), Ok(name.clone()));
        let json = serde_json::to_string(&name).unwrap();
        prop_assert_eq!(serde_json::from_str::<JobName>(&json).unwrap(), name);
        let attempt = AttemptNo::new(number);
        prop_assert_eq!(attempt.to_string().parse(), Ok(attempt));
    }

    #[test]
    fn context_ids_round_trip(due in 0_u64..1 << 44, partition in 0_u16..1_024, incarnation: u64, counter: u64, name in "[a-z0-9_][a-z0-9._-]{0,9}(/[a-z0-9_][a-z0-9._-]{0,8}){0,2}") {
        let due = TimestampMs::new(due);
        let place = PartitionId::new(partition).unwrap();
        let lone = ContextId::standalone(place, due, (incarnation, counter), &Namespace::default());
        prop_assert_eq!(lone.as_str().parse(), Ok(lone.clone()));
        prop_assert_eq!((lone.partition(), lone.due()), (place, due));
        if let Ok(name) = JobName::new(name) {
            let firing = ContextId::firing(&name, due, sixteen());
            prop_assert_eq!(firing.as_str().parse(), Ok(firing.clone()));
            prop_assert_eq!((firing.due(), firing.job()), (due, Some(name)));
        }
    }

    #[test]
    fn ids_of_one_job_are_ordered_by_due_time_until_2286(a in 10_u64.pow(12)..10_u64.pow(13), b in 10_u64.pow(12)..10_u64.pow(13)) {
        let id = |due| ContextId::firing(&job("x"), TimestampMs::new(due), sixteen());
        prop_assert_eq!(id(a).cmp(&id(b)), a.cmp(&b));
    }
}
