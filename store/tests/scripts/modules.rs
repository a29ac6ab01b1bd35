//! The modules of `lua/lib`: all there, all used, in no circle.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tickwheel_store::script::{self, MODULES, Module};

use crate::harness::{fresh, partition, watched};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../lua/lib")
}

fn files(folder: &Path, above: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{above}{}", path.file_stem().unwrap().to_str().unwrap());
        if path.is_dir() {
            files(&path, &format!("{name}/"), found);
        } else {
            found.insert(name);
        }
    }
}

#[test]
fn every_file_is_a_module_and_nothing_else() {
    let mut there = BTreeSet::new();
    files(&folder(), "", &mut there);
    let known: BTreeSet<String> = MODULES.iter().map(|one| one.path.to_owned()).collect();
    assert_eq!(there, known);
}

#[test]
fn every_module_is_used() {
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for script in script::all().into_iter().chain(script::inspection()) {
        let needed = script::needed_by(script.source()).unwrap();
        used.extend(needed.iter().map(|module| module.path));
    }
    for module in MODULES {
        assert!(used.contains(module.path), "nobody uses {}", module.path);
    }
}

/// What a module has by the name, as a function or a value: `<module>.<name>` where it is defined.
fn has(module: Module, name: &str) -> bool {
    let whole = format!("{}.{name}", module.name());
    let ends =
        |rest: &str| !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_');
    module.source.lines().any(|line| {
        let defined = line.strip_prefix("function ").unwrap_or(line);
        let left = defined.split(" = ").next().unwrap_or_default();
        let is_set = defined.contains(" = ") || defined.len() < line.len();
        is_set
            && left
                .match_indices(&whole)
                .any(|(at, _)| left.get(at + whole.len()..).is_some_and(ends))
    })
}

/// A name that a module does not have is nil, and nobody says so where it is passed on.
#[test]
fn what_is_used_of_a_module_is_there() {
    let sources = script::all()
        .into_iter()
        .chain(script::inspection())
        .map(|script| (script.name(), script.source()))
        .chain(MODULES.iter().map(|module| (module.path, module.source)));
    for (file, source) in sources {
        let used = script::used_by(source).filter_map(Module::find);
        // The names of keys are made when they are asked for, and refused there.
        for module in used.filter(|module| module.path != "keys") {
            let mark = format!("{}.", module.name());
            let lines = source
                .lines()
                .filter(|line| !line.trim_start().starts_with("--"));
            for line in lines {
                let code = line.split(" -- ").next().unwrap_or_default();
                for (at, _) in code.match_indices(&mark) {
                    let before = code[..at].chars().next_back().unwrap_or(' ');
                    let name: String = code[at + mark.len()..]
                        .chars()
                        .take_while(|next| next.is_ascii_alphanumeric() || *next == '_')
                        .collect();
                    let is_other = before.is_ascii_alphanumeric() || "_.'/".contains(before);
                    assert!(
                        is_other || name.is_empty() || has(module, &name),
                        "{file} uses {mark}{name}, which is not there"
                    );
                }
            }
        }
    }
}

/// A module is one table, declared and returned in the form that the loader knows.
#[test]
fn modules_have_their_form() {
    for module in MODULES {
        let name = module.name();
        let lines: Vec<&str> = module.source.lines().collect();
        let first = lines
            .iter()
            .find(|line| !line.starts_with("--") && !line.is_empty());
        assert_eq!(
            first.copied(),
            Some(format!("local {name} = {{}}").as_str()),
            "{}",
            module.path
        );
        let last = format!("return {name}");
        assert_eq!(
            lines.last().copied(),
            Some(last.as_str()),
            "{}",
            module.path
        );
        let returns = lines
            .iter()
            .filter(|line| line.starts_with("return "))
            .count();
        assert_eq!(returns, 1, "{}", module.path);
    }
}

/// A library keeps its modules from call to call: what one of them remembers of a call, the next call must not find.
#[test]
fn what_a_module_remembers_is_made_anew() {
    for module in MODULES {
        // A name that is declared without a value gets it later.
        let remembers = module.source.lines().any(|line| {
            line.strip_prefix("local ")
                .is_some_and(|names| !names.contains(['=', '(']))
        });
        let open = format!("function {}.open()", module.name());
        assert!(
            !remembers || module.has_begin() || module.source.contains(&open),
            "{} remembers something and has no begin",
            module.path
        );
    }
}

/// A held value has the letters of limits behind its deadline: a pattern that goes on behind it has to let them by.
#[test]
fn patterns_of_held_values_allow_for_limits() {
    for script in script::all() {
        for line in script.text().lines() {
            let text = line.replace(['(', ')'], "");
            assert!(
                !text.contains("%d+ %d+ %d+ %S"),
                "{}: `{line}` finds no context under a limit",
                script.name()
            );
        }
    }
}

#[test]
fn no_module_needs_itself() {
    for module in MODULES {
        script::needed_by(module.source).unwrap();
    }
    assert_eq!(Module::find("no/such"), None);
    let unknown = script::needed_by("-- @use no/such\n").unwrap_err();
    assert!(unknown.contains("`no/such`"), "{unknown}");
}

#[tokio::test]
async fn a_script_that_writes_before_it_refuses_is_seen() {
    let Some(test) = fresh().await else { return };
    let key = test.key(partition(0), "wheel");
    let script = |write: &str| {
        watched(&format!(
            "#!lua\n{write}\nerror({{ err = 'BAD_ARG id must be an id' }})"
        ))
    };
    for (write, expected) in [
        ("", "BAD_ARG id"),
        ("redis.call('ZCARD', KEYS[1])", "BAD_ARG id"),
        (
            "redis.pcall('ZADD', KEYS[1], 1, 'x')",
            "WROTE BEFORE BAD_ARG id",
        ),
    ] {
        let refused = test.eval_text(&script(write), &key, &[]).await.unwrap_err();
        assert!(refused.starts_with(expected), "{write}: {refused}");
    }
}
