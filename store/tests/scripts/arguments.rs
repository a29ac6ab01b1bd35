//! The arguments of scripts: more than four have names, and header, script and caller know the same ones.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tickwheel_store::script::{self, Script};

use crate::harness::arguments::names_of;
use crate::harness::{fresh, partition};
use crate::headers::scripts;

/// Every script that takes its arguments by name, with the names of its header, without their marks.
fn named() -> Vec<(&'static Script, Vec<&'static str>)> {
    let all = script::all().into_iter().map(|script| {
        let names = names_of(script).into_iter();
        (
            script,
            names.map(|name| name.trim_end_matches('?')).collect(),
        )
    });
    all.filter(|(_, names): &(_, Vec<_>)| !names.is_empty())
        .collect()
}

/// The text in quotes that follows `mark`.
fn quoted<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.split_once(mark)?.1.split('\'').next()
}

#[test]
fn more_than_four_arguments_have_names() {
    for file in scripts(false) {
        let places = file.numbers("ARGV").len();
        assert!(
            places <= 4,
            "{} takes {places} arguments, whose places nobody can count: give them names, `args.named`",
            file.name
        );
    }
}

#[test]
fn a_script_knows_and_reads_the_names_of_its_header() {
    let files = scripts(false);
    let with_names: Vec<&str> = files
        .iter()
        .filter(|file| file.body.contains("named('"))
        .map(|file| file.name.as_str())
        .collect();
    let mut of_headers: Vec<&str> = named().iter().map(|(script, _)| script.name()).collect();
    of_headers.sort_unstable();
    assert_eq!(of_headers, with_names);
    for (script, names) in named() {
        let name = script.name();
        let file = files.iter().find(|file| file.name == name).unwrap();
        let known = quoted(&file.body, "named('").unwrap();
        assert_eq!(known, names.join(" "), "{name}: in the header's order");
        let takes_list = file
            .field("ARGV")
            .lines()
            .any(|line| line.starts_with("then"));
        assert_ne!(takes_list, file.body.contains("only_named('"), "{name}");
        let text = script.text().replace(known, "");
        for argument in names {
            let is_read = [format!("given.{argument}"), format!("'{argument}'")]
                .iter()
                .any(|form| text.contains(form));
            assert!(is_read, "{name} does not read `{argument}`");
        }
    }
}

/// Every source file of this crate without what is behind its tests, and without white space.
fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            let dense = text.split_whitespace().collect();
            found.push((path, dense));
        }
    }
}

/// The names that a file gives arguments: `.with_number("page",`.
fn given_names(dense: &str) -> BTreeSet<&str> {
    let calls = dense.split(".with").skip(1);
    let name = |call| {
        let (method, rest) = str::split_once(call, "(\"")?;
        let mut letters = method.chars();
        let is_one = letters.all(|letter| letter == '_' || letter.is_ascii_lowercase());
        rest.split('"').next().filter(|_| is_one)
    };
    calls.filter_map(name).collect()
}

#[test]
fn callers_give_the_names_of_the_header() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let registry = fs::read_to_string(folder.join("script.rs")).unwrap();
    let constant = |name: &str| {
        let (before, _) = registry.split_once(&format!(" = \"{name}\";")).unwrap();
        before.split_whitespace().last().unwrap().to_owned()
    };
    let mut files = Vec::new();
    sources(&folder, &mut files);
    let mut called = BTreeSet::new();
    for (path, dense) in &files {
        let mut known = BTreeSet::new();
        for (script, names) in named() {
            if dense.contains(&format!("&{},", constant(script.name()))) {
                called.insert(script.name());
                known.extend(names);
            }
        }
        // Redis' clock decides: only tests give a time.
        known.remove("now_ms");
        assert_eq!(given_names(dense), known, "{}", path.display());
    }
    assert_eq!(called.len(), named().len(), "{called:?}");
}

#[tokio::test]
async fn names_that_are_none_are_refused_before_the_first_write() {
    let Some(test) = fresh().await else { return };
    let wheel = test.key(partition(0), "wheel");
    let before = test.dump().await;
    for (script, names) in named() {
        let refused = async |args: &[&str], why: &str| {
            let error = test.eval_as_given(script.name(), &wheel, args).await;
            let error = error.unwrap_err();
            assert!(error.contains(why), "{} {args:?}: {error}", script.name());
        };
        let (one, two) = (names[0], names[1]);
        refused(&[], "BAD_ARG names must come first, given nil").await;
        refused(&[" ", "1"], "BAD_ARG names must come first, given").await;
        let unknown = format!("{one} nothing");
        let why = "BAD_ARG names must be known, given nothing";
        refused(&[&unknown, "1", "1"], why).await;
        // A part of what is known is no name.
        let why = format!("BAD_ARG names must be known, given {}", &one[1..]);
        refused(&[&one[1..], "1"], &why).await;
        let why = format!("BAD_ARG names must be different, given {one}");
        refused(&[&format!("{one} {one}"), "1", "1"], &why).await;
        let why = format!("BAD_ARG names must have a value each, given {two}");
        refused(&[&format!("{one} {two}"), "1"], &why).await;
        if script.source().contains("only_named('") {
            let why = "BAD_ARG arguments must have names, given more";
            refused(&[one, "1", "more"], why).await;
        }
    }
    assert_eq!(test.dump().await, before);
}

#[tokio::test]
async fn names_stand_in_any_order_and_what_is_absent_has_none() {
    let Some(test) = fresh().await else { return };
    let wheel = test.key(partition(0), "wheel");
    for args in [["limit place", "10", "held"], ["place limit", "held", "10"]] {
        let page = test.eval_as_given("context/list", &wheel, &args).await;
        assert_eq!(page.unwrap(), ["PAGE", "items"]);
    }
    let args = ["place", "held"];
    let refused = test.eval_as_given("context/list", &wheel, &args).await;
    let refused = refused.unwrap_err();
    assert!(refused.contains("BAD_ARG limit must be"), "{refused}");
}
