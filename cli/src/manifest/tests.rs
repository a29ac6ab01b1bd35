mod examples;

use tickwheel_core::bounds::MANIFEST_DOCUMENTS_MAX;

use super::*;

fn source(name: &str, text: &str) -> Source {
    Source::new(name, text)
}

#[test]
fn integers_above_two_to_the_53_stay_exact_in_both_formats() {
    for n in [9_007_199_254_740_993_u64, u64::MAX] {
        let yaml = source("a.yaml", &format!("body: {{n: {n}}}\n"))
            .documents()
            .unwrap();
        assert_eq!(yaml[0]["body"]["n"].as_u64(), Some(n));
        assert!(yaml[0].to_string().contains(&n.to_string()));
        let json = source("a.json", &format!("{{\"body\":{{\"n\":{n}}}}}"))
            .documents()
            .unwrap();
        assert_eq!(json, yaml);
    }
    let negative = source("a.yaml", "n: -9007199254740993\n")
        .documents()
        .unwrap();
    assert_eq!(negative[0]["n"].as_i64(), Some(-9_007_199_254_740_993));
}

#[test]
fn an_integer_beyond_64_bits_is_refused_instead_of_rounded() {
    for text in ["n: [18446744073709551616]\n", "n: -9223372036854775809\n"] {
        let wrong = source("a.yaml", text).documents().unwrap_err();
        assert!(wrong.contains("beyond 64 bits"), "{wrong}");
    }
    assert!(
        source("a.json", "{\"n\": 18446744073709551616}")
            .documents()
            .is_err()
    );
    source("a.yaml", "n: 1.0e300\n").documents().unwrap();
    source("a.yaml", "n: \"18446744073709551616\"\n")
        .documents()
        .unwrap();
}

#[test]
fn one_yaml_file_may_hold_several_documents_and_empty_ones_do_not_count() {
    let documents = source("a.yml", "---\na: 1\n---\n---\nb: 2\n")
        .documents()
        .unwrap();
    assert_eq!(documents.len(), 2);
}

#[test]
fn words_that_look_like_truth_values_stay_words() {
    let documents = source("a.yaml", "on: failed\nname: no\n")
        .documents()
        .unwrap();
    assert_eq!(documents[0]["on"], "failed");
    assert_eq!(documents[0]["name"], "no");
}

#[test]
fn a_key_given_twice_is_refused() {
    assert!(source("a.yaml", "name: x\nname: y\n").documents().is_err());
}

#[test]
fn a_directory_stands_for_its_manifests_sorted() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["b.yaml", "a.yml", "c.json", "notes.txt"] {
        std::fs::write(dir.path().join(name), "{}").unwrap();
    }
    let mut mistakes = Vec::new();
    let names: Vec<_> = source::gather(&[dir.path().to_owned()], &mut mistakes)
        .into_iter()
        .map(|s| s.name.rsplit('/').next().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["a.yml", "b.yaml", "c.json"]);
    assert!(mistakes.is_empty());
}

#[test]
fn what_is_wrong_with_yaml_is_said_to_who_wrote_it() {
    let many = "---\nkind: Job\n".repeat(MANIFEST_DOCUMENTS_MAX + 1);
    let huge = format!("[{}]", "1, ".repeat(1_000_001));
    for (text, said) in [
        (
            "a: 1\na: 2\n",
            "line 2 column 1: duplicate mapping key: a not allowed here",
        ),
        ("a: &a {b: *a}\n", "Recursive reference not allowed here"),
        ("a:\n\tb: 1\n", "tab"),
        (
            many.as_str(),
            "has at most 10000 documents: divide it into several files",
        ),
        (huge.as_str(), "too large, or too deep, for a file of jobs"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.yaml");
        std::fs::write(&file, text).unwrap();
        let failure = Manifest::read(&[file]).unwrap_err().to_string();
        assert!(failure.contains(said), "{said:?} is missing in:\n{failure}");
        // No names of what reads it.
        for word in ["Options", "Policy", "Budget", "breach", "weak"] {
            assert!(!failure.contains(word), "{word}: {failure}");
        }
    }
}

#[test]
fn all_mistakes_of_all_files_come_at_once_with_their_files() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.yaml"), "kind: [").unwrap();
    std::fs::write(dir.path().join("b.json"), "{").unwrap();
    std::fs::write(dir.path().join("c.yaml"), "colour: red\n").unwrap();
    let failure =
        Manifest::read(&[dir.path().to_owned(), PathBuf::from("/nowhere/x.yaml")]).unwrap_err();
    let text = failure.to_string();
    for part in [
        "a.yaml: is not YAML",
        "b.json: is not JSON",
        "c.yaml: ",
        "/nowhere/x.yaml: cannot be read",
    ] {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
    assert_eq!(failure.exit(), crate::failure::Exit::Usage);
}

#[test]
fn an_empty_directory_is_a_mistake() {
    let dir = tempfile::tempdir().unwrap();
    let text = Manifest::read(&[dir.path().to_owned()])
        .unwrap_err()
        .to_string();
    assert!(text.contains("has no *.yaml, *.yml or *.json"), "{text}");
}

#[test]
fn the_places_of_the_tracker_become_places_in_the_files() {
    let manifest = Manifest {
        places: vec![
            "a.yaml: default/x".to_owned(),
            "b.yaml: default/y".to_owned(),
        ],
        ..Manifest::default()
    };
    assert_eq!(
        manifest.place_of(&[0, 1], "jobs[1].trigger.after.job"),
        "b.yaml: default/y: trigger.after.job"
    );
    assert_eq!(manifest.place_of(&[0, 1], "jobs[0]"), "a.yaml: default/x");
    assert_eq!(manifest.place_of(&[0, 1], "jobs[7].name"), "jobs[7].name");
    assert_eq!(manifest.place_of(&[0, 1], "dry_run"), "dry_run");
}

#[test]
fn two_jobs_of_one_name_are_refused_over_all_files() {
    let dir = tempfile::tempdir().unwrap();
    let job = |name: &str| format!("kind: Job\nname: {name}\nhandler: noop\ntrigger: manual\n");
    std::fs::write(dir.path().join("a.yaml"), job("x")).unwrap();
    std::fs::write(
        dir.path().join("b.yaml"),
        format!("{}---\n{}", job("y"), job("default/x")),
    )
    .unwrap();
    let text = Manifest::read(&[dir.path().to_owned()])
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("b.yaml (document 2): default/x: a job of this name is defined before, in "),
        "{text}"
    );
    assert!(text.contains("a.yaml: default/x"), "{text}");
}

#[test]
fn the_examples_of_the_project_are_right() {
    let examples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy/examples");
    let manifest = Manifest::read(&[examples]).unwrap();
    let kinds: std::collections::BTreeSet<_> =
        manifest.jobs.iter().map(|j| j.trigger.kind()).collect();
    assert!(!manifest.limits.is_empty());
    assert_eq!(kinds.len(), 6, "each trigger has an example: {kinds:?}");
}

#[test]
fn the_mark_that_editors_put_in_front_of_a_text_is_no_part_of_it() {
    let marked = |name: &str, text: &str| {
        let text = format!("\u{feff}{text}");
        source(name, &text).documents().unwrap()
    };
    let json = marked("a.json", "{\"jobs\": [{\"name\": \"a\"}]}");
    assert_eq!(json, marked("a.yaml", "jobs:\n  - name: a\n"));
    assert_eq!(json[0]["jobs"][0]["name"], "a");
    // Once, and only in front.
    assert!(source("a.json", "\u{feff}\u{feff}{}").documents().is_err());
    assert!(source("a.json", "{} \u{feff}").documents().is_err());
}
