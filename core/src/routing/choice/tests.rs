use super::*;
use crate::routing::{Tags, Units};

fn worker(name: &str, tags: &[&str]) -> Profile {
    Profile {
        id: WorkerId::new(format!("{name}-aaaaaaaa")).unwrap(),
        host: "east".to_owned(),
        cpus: 4,
        tags: Tags::parse(tags).unwrap(),
        resources: Units::default(),
    }
}

#[test]
fn who_has_not_answered_yet_is_tried_and_equals_take_turns() {
    let workers = ["a", "b"].map(|name| worker(name, &[]));
    let standing = |place: u32, response_ms| {
        let figures = Figures {
            response_ms,
            ..Figures::default()
        };
        let worker = &workers[usize::try_from(place).unwrap()];
        RoutingPolicy::FastestResponse.standing(place, worker, &figures)
    };
    assert!(standing(1, None).score < standing(0, Some(5.0)).score);
    assert!(standing(0, None).step > 0.0);
}

#[test]
fn who_never_says_how_it_does_is_not_chosen_each_time() {
    let worker = worker("a", &[]);
    let silent = Figures {
        unmeasured: 9,
        cpus: 4,
        ..Figures::default()
    };
    let honest = Figures {
        cpu_load: Some(0.9),
        response_ms: Some(5.0),
        cpus: 4,
        ..Figures::default()
    };
    for policy in [RoutingPolicy::FastestResponse, RoutingPolicy::CpuFirst] {
        let score = |figures: &Figures| policy.standing(0, &worker, figures).score;
        assert!(score(&silent) > score(&honest), "{policy}");
    }
}

#[test]
fn a_weight_is_a_share() {
    let light = RoutingPolicy::Weighted.standing(0, &worker("a", &[]), &Figures::default());
    let heavy =
        RoutingPolicy::Weighted.standing(0, &worker("b", &["weight=3"]), &Figures::default());
    assert_eq!((light.step, heavy.step), (1.0, 1.0 / 3.0));
}
