use tickwheel_core::id::WorkerId;
use tickwheel_core::routing::{Figures, Profile, RoutingPolicy, Tags, Units, hash_key};

use super::*;

fn worker(name: &str, tags: &[&str]) -> Profile {
    Profile {
        id: WorkerId::new(format!("{name}-aaaaaaaa")).unwrap(),
        host: "east".to_owned(),
        cpus: 4,
        tags: Tags::parse(tags).unwrap(),
        resources: Units::default(),
    }
}

fn figures() -> [Figures; 3] {
    let gib = 1 << 30;
    let one = |running, cpu_load, cpus, memory_used, response_ms| Figures {
        running,
        unmeasured: 0,
        cpu_load: Some(cpu_load),
        cpus,
        memory_used,
        memory_total: 8 * gib,
        response_ms,
    };
    [
        one(3, 0.9, 4, 2 * gib, Some(80.0)),
        one(7, 0.1, 4, 6 * gib, Some(20.0)),
        one(5, 0.5, 16, 7 * gib, Some(40.0)),
    ]
}

/// The order in which `count` contexts go to the three workers, each with `free` permits.
fn picks(policy: RoutingPolicy, count: usize, free: u32) -> Vec<usize> {
    let workers = ["a", "b", "c"].map(|name| worker(name, &[]));
    let mut choices: Vec<Choice> = (0..)
        .zip(workers.iter().zip(figures()))
        .map(|(place, (worker, figures))| Choice {
            standing: policy.standing(place, worker, &figures),
            free,
            soon: false,
        })
        .collect();
    let mut picks = Vec::new();
    for _ in 0..count {
        let Some(place) = choose(policy.mode(), &choices, 0) else {
            break;
        };
        choices[place].free -= 1;
        choices[place].standing.score += choices[place].standing.step;
        picks.push(place);
    }
    picks
}

#[test]
fn figures_decide_and_each_pick_counts() {
    // 3, 7 and 5 run: the first takes two, then it is level with the third.
    assert_eq!(picks(RoutingPolicy::LeastRunning, 6, 9), [0, 0, 0, 2, 0, 2]);
    // 0.1 + 0.25 + 0.25 is above 0.5, and a context on 16 CPUs weighs a quarter.
    assert_eq!(picks(RoutingPolicy::CpuFirst, 6, 9), [1, 1, 2, 2, 1, 2]);
    // 6, 2 and 1 GiB are free; 4 GiB are 64 contexts.
    assert_eq!(picks(RoutingPolicy::MemoryFirst, 64, 99), [0; 64]);
    assert_eq!(picks(RoutingPolicy::MemoryFirst, 66, 99)[64..], [0, 1]);
    assert_eq!(picks(RoutingPolicy::FastestResponse, 3, 9), [1, 1, 1]);
    assert_eq!(picks(RoutingPolicy::FastestResponse, 4, 2), [1, 1, 2, 2]);
}

#[test]
fn lists_are_taken_in_order() {
    for policy in [RoutingPolicy::Specified, RoutingPolicy::BusyTransfer] {
        assert_eq!(picks(policy, 5, 2), [0, 0, 1, 1, 2], "{policy}");
    }
    assert_eq!(
        picks(RoutingPolicy::Failover, 5, 2),
        [0, 0],
        "full: it waits"
    );
}

#[test]
fn who_is_free_soon_is_waited_for() {
    let choice = |score, free, soon| Choice {
        standing: Standing { score, step: 1.0 },
        free,
        soon,
    };
    let busy = [choice(0.0, 0, false), choice(1.0, 1, false)];
    assert_eq!(choose(Mode::Least, &busy, 0), Some(1));
    let soon = [choice(0.0, 0, true), choice(1.0, 1, false)];
    assert_eq!(choose(Mode::Least, &soon, 0), None);
    assert_eq!(choose(Mode::Least, &[], 0), None);
}

fn hashed(workers: &[Profile], key: &str) -> String {
    let choices: Vec<Choice> = workers
        .iter()
        .map(|worker| Choice {
            standing: RoutingPolicy::ConsistentHash.standing(0, worker, &Figures::default()),
            free: 1,
            soon: false,
        })
        .collect();
    let place = choose(Mode::Hash, &choices, hash_key(key)).unwrap();
    workers[place].id.to_string()
}

#[test]
fn consistent_hashing_moves_only_the_share_of_who_left() {
    let workers: Vec<Profile> = (0..10).map(|n| worker(&format!("mill-{n}"), &[])).collect();
    let keys: Vec<String> = (0..10_000).map(|n| format!("tenant-{n}")).collect();
    let before: Vec<String> = keys.iter().map(|key| hashed(&workers, key)).collect();
    for worker in &workers {
        let share = before
            .iter()
            .filter(|id| **id == worker.id.to_string())
            .count();
        assert!((800..=1_200).contains(&share), "{}: {share}", worker.id);
    }
    for gone in 0..10 {
        let mut left = workers.clone();
        let removed = left.remove(gone).id.to_string();
        let mut moved = 0;
        for (key, before) in keys.iter().zip(&before) {
            let after = hashed(&left, key);
            if after != *before {
                assert_eq!(*before, removed, "{key} was not on the one that left");
                moved += 1;
            }
        }
        assert!(moved * 100 <= keys.len() * 15, "{moved} of {}", keys.len());
    }
}
