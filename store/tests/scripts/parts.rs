//! What scripts use of their parts is there.

use std::collections::BTreeSet;
use std::fs;

use tickwheel_store::script;

/// The names behind `table` and a dot in `text`, where `table` is a name of its own, each with what stands behind it in its line.
fn fields_of<'a>(text: &'a str, table: &str) -> Vec<(&'a str, &'a str)> {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let mark = format!("{table}.");
    let mut found = Vec::new();
    for line in text.lines() {
        let code = line.split("-- ").next().unwrap_or_default();
        for (at, _) in code.match_indices(&mark) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|last| is_word(last) || last == '.' || last == '/') {
                continue;
            }
            let rest = &code[at + mark.len()..];
            let end = rest.find(|next: char| !is_word(next)).unwrap_or(rest.len());
            found.push((&rest[..end], &code[..at]));
        }
    }
    found
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

/// A name that nothing defines is nil in Lua, and found when it is called.
#[test]
fn what_is_used_of_a_part_is_defined() {
    for script in script::all() {
        let text = script.text();
        let tables = text.lines().filter_map(|line| {
            let (table, _) = line.strip_prefix("on_demand(")?.split_once(',')?;
            Some(table)
        });
        for table in tables {
            let declared = format!("local {table} = {{");
            let line = text.lines().find(|line| line.starts_with(&declared));
            let of_line = line.unwrap_or_else(|| panic!("{}: {declared}", script.name()));
            let mut defined: Vec<&str> = of_line[declared.len()..]
                .split(" = ")
                .filter_map(|before| before.rsplit([' ', '{']).next())
                .collect();
            let used = fields_of(text, table);
            for line in text.lines().map(str::trim_start) {
                let assigned = line
                    .strip_prefix("function ")
                    .or_else(|| line.split_once(" = ").map(|(left, _)| left))
                    .filter(|left| {
                        left.starts_with(&format!("{table}."))
                            || left.contains(&format!(", {table}."))
                    });
                if let Some(left) = assigned {
                    defined.extend(fields_of(left, table).iter().map(|(field, _)| *field));
                }
            }
            for (field, before) in used {
                assert!(
                    defined.contains(&field),
                    "{}: nothing defines {table}.{field}, used behind `{before}`",
                    script.name()
                );
            }
        }
    }
}

/// The names that lines of `text` declare at their beginning: `local function name(`, `local name`, `local name, name`.
fn declared(text: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for line in text.lines() {
        let Some(rest) = line.trim_start().strip_prefix("local ") else {
            continue;
        };
        if let Some(function) = rest.strip_prefix("function ") {
            names.extend(function.split('(').next());
        } else {
            let left = rest.split(" = ").next().unwrap_or_default();
            names.extend(left.split(", ").map(str::trim));
        }
    }
    names
}

/// A name of a part that a script does not pull in is a global to it, and there is none.
#[test]
fn scripts_pull_in_the_parts_whose_names_they_use() {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let sources: Vec<String> = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../lua/parts"))
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    let top = |line: &&str| line.starts_with("local ");
    let of_parts: BTreeSet<&str> = sources
        .iter()
        .flat_map(|source| source.lines().filter(top).flat_map(declared))
        .collect();
    for script in script::all() {
        let text = script.text();
        let own = declared(text);
        // Its header is no code.
        let (before, header) = text.split_once("--[[").unwrap();
        let (_, behind) = header.split_once("]]").unwrap();
        for line in before.lines().chain(behind.lines()) {
            let code = line.split("--").next().unwrap_or_default();
            let mut at = 0;
            for word in code.split(|character: char| !is_word(character)) {
                let before = code[..at].chars().next_back();
                let after = code[at + word.len()..].chars().next();
                at += word.len() + after.map_or(0, char::len_utf8);
                let used =
                    matches!(after, Some('(' | '.')) && before != Some('.') && before != Some(':');
                assert!(
                    !used || own.contains(word) || !of_parts.contains(word),
                    "{} uses `{word}` of a part that it does not pull in: `{line}`",
                    script.name()
                );
            }
        }
    }
}
