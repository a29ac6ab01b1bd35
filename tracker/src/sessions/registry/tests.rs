use super::*;
use crate::matching::reserve;
use crate::sessions::transport;
use tickwheel_store::record::Queue;

fn group(name: &str) -> GroupName {
    GroupName::new(name).unwrap()
}

fn names(sessions: &[Arc<Session>]) -> Vec<&str> {
    let names = sessions.iter().map(|session| session.worker.as_str());
    names.collect()
}

fn offered(sessions: &Sessions, turn: usize, waiting: &[Queue]) -> Vec<WorkerId> {
    let reserved = reserve(&sessions.read(), 1, turn, (&[], waiting));
    let offers = reserved.offers();
    assert_eq!(reserved.give_back(&[]), !offers.is_empty());
    offers.into_iter().map(|offer| offer.worker).collect()
}

#[test]
fn workers_are_found_by_what_they_offer_as_they_come_refuse_and_go() {
    let sessions = Sessions::default();
    let first = transport("a", "g", &["h", "i"], 1);
    let second = transport("b", "g", &["h"], 1);
    sessions.insert(Arc::clone(&second));
    sessions.insert(Arc::clone(&first));
    sessions.insert(transport("c", "other", &["h"], 1));
    assert_eq!(names(&sessions.offering(&group("g"), "h")), ["a", "b"]);
    assert_eq!(names(&sessions.offering(&group("other"), "h")), ["c"]);
    assert_eq!(sessions.offered(&group("g"), "j"), Offered::ByNobody);
    sessions.withdraw(&first, "h");
    assert_eq!(names(&sessions.offering(&group("g"), "h")), ["b"]);
    assert_eq!(names(&sessions.offering(&group("g"), "i")), ["a"]);
    second.set_draining();
    assert_eq!(sessions.offered(&group("g"), "h"), Offered::ByNobody);
    // A newer stream of the same worker offers something else.
    let newer = transport("a", "g", &["j"], 1);
    let older = sessions.insert(Arc::clone(&newer)).unwrap();
    assert!(Arc::ptr_eq(&older, &first));
    assert!(!sessions.remove(&older), "the newer one stays");
    sessions.withdraw(&older, "i");
    assert_eq!(sessions.offered(&group("g"), "i"), Offered::ByNobody);
    assert_eq!(sessions.offered(&group("g"), "j"), Offered::Free);
    assert!(sessions.remove(&newer) && sessions.remove(&second));
    let live = sessions.read();
    assert_eq!((live.groups.len(), live.offering.len()), (1, 1));
}

#[test]
fn a_worker_among_many_others_is_offered_what_waits_for_it_and_its_group_each_turn() {
    let sessions = Sessions::default();
    let many = |own: &str| -> Vec<String> { (0..1_000).map(|n| format!("{own}-{n}")).collect() };
    let insert = |name: String, group: &str, handlers: &[String]| {
        let handlers: Vec<&str> = handlers.iter().map(String::as_str).collect();
        sessions.insert(transport(&name, group, &handlers, 10));
    };
    for number in 0..200 {
        insert(format!("m{number:04}"), "many", &many("handler"));
    }
    insert("zz".to_owned(), "innocent", &["work".to_owned()]);
    let zz: WorkerId = "zz".parse().unwrap();
    for turn in 0..50 {
        let taken = offered(&sessions, turn, &[]);
        assert!(
            taken.contains(&zz),
            "turn {turn}: its group comes each time"
        );
        assert_eq!(taken.len(), 64, "a list that workers share is told once");
    }
    for number in 0..200 {
        let own = format!("o{number:04}");
        insert(own.clone(), "own", &many(&own));
    }
    for turn in 0..50 {
        let taken = offered(&sessions, turn, &[]);
        assert!(taken.contains(&zz), "turn {turn}");
        let own = taken.iter().filter(|one| one.as_str().starts_with('o'));
        assert!(own.count() < 10, "few are told of with all they offer");
    }
    // Many groups: what waits comes first.
    for number in 0..500 {
        let name = format!("n{number:04}");
        sessions.insert(transport(&name, &name, &["x"], 1));
    }
    let waiting: Queue = "innocent work".parse().unwrap();
    for turn in 0..50 {
        let taken = offered(&sessions, turn, std::slice::from_ref(&waiting));
        assert_eq!(taken.first(), Some(&zz), "turn {turn}");
    }
}

#[test]
fn turns_rotate_over_the_workers_of_a_group() {
    let sessions = Sessions::default();
    for number in 0..100 {
        sessions.insert(transport(&format!("w{number:03}"), "g", &["h"], 1));
    }
    let waiting: Queue = "g h".parse().unwrap();
    for waiting in [&[][..], std::slice::from_ref(&waiting)] {
        let mut seen = std::collections::BTreeSet::new();
        for turn in 0..100 {
            let taken = offered(&sessions, turn, waiting);
            assert_eq!(taken.len(), 64);
            seen.extend(taken.into_iter().take(1));
        }
        assert_eq!(seen.len(), 100, "each comes first once");
    }
}
