//! The table of the kinds of keys, what scripts call them, and the page: one and the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tickwheel_store::keys::{KINDS, KeyKind, Of, Tag};

use super::{page, root, rows};

/// The names between the quotes of one of the lists of `lua/lib/keys.lua`.
fn names_of(list: &str) -> BTreeSet<String> {
    let source = fs::read_to_string(root().join("lua/lib/keys.lua")).unwrap();
    let (_, behind) = source.split_once(&format!("local {list} = ")).unwrap();
    let quoted = behind.split("local ").next().unwrap().split('\'');
    let names = quoted.skip(1).step_by(2).flat_map(str::split_whitespace);
    names.map(str::to_owned).collect()
}

fn of_kinds(choose: impl Fn(&KeyKind) -> bool) -> BTreeSet<String> {
    let chosen = KINDS.iter().filter(|kind| choose(kind));
    chosen.map(|kind| kind.name.to_owned()).collect()
}

#[test]
fn the_scripts_name_the_kinds_of_the_table() {
    let mut single = of_kinds(|kind| kind.of == Of::All);
    // Trackers are numbered without a script, and the channel of wake messages is no key.
    single.remove("incarnations");
    single.insert("wake".to_owned());
    assert_eq!(names_of("SINGLE"), single);
    assert_eq!(names_of("NAMED"), of_kinds(|kind| kind.of != Of::All));
}

#[test]
fn the_page_has_a_row_for_each_kind_of_the_table() {
    let mut documented: Vec<(String, bool, String)> = Vec::new();
    for row in rows() {
        let (tag, name) = row.pattern.split_once("}:").unwrap();
        let name = name.split([':', '[']).next().unwrap();
        assert_eq!(row.function, name, "the name of {}", row.pattern);
        documented.push((name.to_owned(), tag == "{tw:p", row.kind));
    }
    let mut declared = Vec::new();
    for kind in KINDS {
        let tags: &[bool] = match kind.tag {
            Tag::Cluster => &[false],
            Tag::Partition => &[true],
            Tag::Each => &[false, true],
        };
        let rows = tags
            .iter()
            .map(|in_partition| (kind.name.to_owned(), *in_partition, kind.kind.to_owned()));
        declared.extend(rows);
    }
    documented.sort();
    declared.sort();
    assert_eq!(documented, declared);
    assert!(page().contains("`{tw:p}:wake`"));
}

#[test]
fn every_builder_of_a_key_has_a_caller() {
    let builders = fs::read_to_string(root().join("store/src/keys.rs")).unwrap();
    let built = builders
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub fn ")?.split('(').next());
    let mut sources = String::new();
    collect(&root().join("store/src"), &mut sources);
    for builder in built.filter(|builder| *builder != "new") {
        let called = ["keys.", "keys()."].map(|keys| format!("{keys}{builder}("));
        assert!(
            called.iter().any(|call| sources.contains(call)),
            "nothing calls Keys::{builder}"
        );
    }
}

/// The text of every source below a folder.
fn collect(folder: &Path, sources: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else {
            sources.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}
