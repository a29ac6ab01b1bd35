use proptest::prelude::*;

use super::*;
use crate::id::WorkerId;
use crate::routing::{Tags, Units};

fn worker(tags: &[&str]) -> Profile {
    Profile {
        id: WorkerId::new("mill-abcdefgh").unwrap(),
        host: "east".to_owned(),
        cpus: 4,
        tags: Tags::parse(tags).unwrap(),
        resources: Units::default(),
    }
}

#[test]
fn conditions_hold_by_the_tags() {
    let mill = worker(&["region=eu", "gpu", "cores=8", "spot=false", "ssd=true"]);
    for text in [
        "region == \"eu\" && gpu && cores >= 8 && !spot",
        "region == 'eu'",
        "gpu",
        "ssd && !spot",
        "cores == 8",
        "cores == 8.0",
        "cores == \"8\"",
        "cores in [4, 8]",
        "region in (\"us\", \"eu\")",
        "region not in [\"us\"]",
        "absent != \"x\"",
        "absent not in [1]",
        "!absent",
        "cores>7&&cores<9",
        "cores <= 8 && cores > -1",
        "(absent || gpu) && region == \"eu\"",
        "gpu || absent && absent",
        "!(gpu && absent)",
        "!!gpu",
        "host == \"east\" && name == \"mill\" && cpus == 4",
        "worker == \"mill-abcdefgh\"",
    ] {
        assert!(text.parse::<Condition>().unwrap().holds(&mill), "{text}");
    }
    for text in [
        "region == \"us\"",
        "spot",
        "absent",
        "absent == \"\"",
        "absent < 3",
        "absent > 3",
        "region > 3",
        "cores < 8",
        "cores != 8",
        "cores in [1, 2]",
        "(gpu || absent) && absent",
        "!gpu",
    ] {
        assert!(!text.parse::<Condition>().unwrap().holds(&mill), "{text}");
    }
    // A tag hides what a worker is by itself.
    let renamed = worker(&["host=west"]);
    assert!(
        "host == \"west\""
            .parse::<Condition>()
            .unwrap()
            .holds(&renamed)
    );
}

#[test]
fn what_does_not_parse_is_refused_with_its_place() {
    for (text, rule) in [
        ("", "is a condition, like region == \"eu\" && gpu"),
        ("  ", "is a condition, like region == \"eu\" && gpu"),
        ("gpu &&", "needs the name of a tag at character 7"),
        ("gpu cpu", "needs `&&`, `||` or the end at character 5"),
        ("gpu & cpu", "is `&&` for both at character 5"),
        ("region = \"eu\"", "is `==` to compare at character 8"),
        ("region == eu", "needs a text in quotes at character 11"),
        ("region == ", "needs a text or a number at character 11"),
        ("region == \"eu", "has no closing \" at character 11"),
        ("cores >= \"8\"", "needs a number at character 10"),
        ("cores >= 8GB", "is no number at character 10"),
        ("(gpu", "needs a closing bracket at character 5"),
        ("gpu)", "needs `&&`, `||` or the end at character 4"),
        (
            "region in \"eu\"",
            "needs a list, like [\"eu\", \"us\"] at character 11",
        ),
        ("region in []", "needs a text or a number at character 12"),
        (
            "region in [\"eu\" \"us\"]",
            "needs a comma or the end of the list at character 17",
        ),
        ("region not [1]", "needs `in` at character 12"),
        ("ä", "has no meaning: `ä` at character 1"),
        ("in == 1", "needs the name of a tag at character 1"),
    ] {
        let wrong = text.parse::<Condition>().unwrap_err();
        assert_eq!(wrong.rule, rule, "{text}");
    }
}

#[test]
fn size_and_depth_are_bounded() {
    let long = format!("gpu{}", " && gpu".repeat(200));
    let wrong = long.parse::<Condition>().unwrap_err();
    assert_eq!(wrong.rule, "has at most 1024 characters");
    let deep = format!("{}gpu", "!".repeat(33));
    let wrong = deep.parse::<Condition>().unwrap_err();
    assert_eq!(wrong.rule, "is nested too deep at character 33");
    format!("{}gpu", "!".repeat(31))
        .parse::<Condition>()
        .unwrap();
    let many = format!("a in [0{}]", ",1".repeat(100));
    let wrong = many.parse::<Condition>().unwrap_err();
    assert!(wrong.rule.starts_with("has too many values"), "{wrong}");
}

#[test]
fn a_condition_keeps_its_text() {
    let condition: Condition = "gpu  &&  cores>=8".parse().unwrap();
    let bytes = rmp_serde::to_vec_named(&condition).unwrap();
    let read: Condition = rmp_serde::from_slice(&bytes).unwrap();
    assert_eq!(read, condition);
    assert_eq!(read.as_str(), "gpu  &&  cores>=8");
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "[a-c0-9 &|!=<>()\\[\\],\"'.ä-]{0,60}") {
        if let Ok(condition) = text.parse::<Condition>() {
            let worker = worker(&["a=1", "b"]);
            let negated: Condition = format!("!({text})").parse().unwrap();
            prop_assert_ne!(condition.holds(&worker), negated.holds(&worker));
        }
    }
}
