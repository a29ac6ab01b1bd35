//! Lua's patterns stand where it is known what a text looks like: that of a record in its module of `lua/lib/records`, that of an argument
//! in `lua/lib/args`.

use std::fs;
use std::path::{Path, PathBuf};

const GRAMMARS: [&str; 2] = ["lib/records/", "lib/args/"];

/// Every file of a folder and of those in it.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "lua") {
            found.push(path);
        }
    }
}

/// Whether a line takes a text apart by a pattern. `string.find(…, 1, true)` looks for a text as it is.
fn has_pattern(line: &str) -> bool {
    let is_called = |name: &&str| {
        line.contains(&format!("string.{name}")) || line.contains(&format!(":{name}("))
    };
    let is_plain = |rest: &str| rest.starts_with('(') && rest.contains(", 1, true)");
    ["match", "gmatch", "gsub"].iter().any(is_called)
        || line.contains(":find(")
        || line
            .split("string.find")
            .skip(1)
            .any(|rest| !is_plain(rest))
}

#[test]
fn patterns_stand_where_the_grammar_is() {
    let lua = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lua");
    let mut found = Vec::new();
    files(&lua, &mut found);
    assert!(found.len() > 100, "{} files", found.len());
    for path in found {
        let name = path
            .strip_prefix(&lua)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        if GRAMMARS.iter().any(|folder| name.starts_with(folder)) {
            continue;
        }
        for (number, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            assert!(
                !has_pattern(line),
                "lua/{name}:{}: a record is taken apart by its module in lua/lib/records, an argument by one in lua/lib/args",
                number + 1
            );
        }
    }
}

#[test]
fn a_line_with_a_pattern_is_found() {
    for line in [
        "local id = string.match(member, '^%S+')",
        "for word in text:gmatch('%S+') do",
        "return (string.gsub(queue, ' ', ':'))",
        "if string.find(member, '^%d') then",
        "local find = string.find",
    ] {
        assert!(has_pattern(line), "{line}");
    }
    assert!(!has_pattern(
        "if string.find(value, head, 1, true) ~= 1 then"
    ));
}
