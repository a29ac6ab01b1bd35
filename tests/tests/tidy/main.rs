//! What the style guide asks for and no lint checks: file lengths, names, headers, and which crate may depend on which.

mod advisories;
mod circles;
mod guarantees;
mod job_fields;
mod modules;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

/// Longest source file. A longer one is split by ideas.
const LINES_MAX: usize = 500;

/// Files that were longer when the rule came, with their lengths: they may only get shorter.
const LONGER: &[(&str, usize)] = &[];

/// Words that mark unfinished work; it belongs into the tracker of issues. Written apart, so that this file does not find itself.
const UNFINISHED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
];

/// Folders without sources that somebody wrote by hand.
const SKIPPED: &[&str] = &["target", ".git", ".tickwheel", "node_modules", "generated"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(PathBuf::new, Path::to_owned)
}

/// Every file below `folder` with one of these extensions, by its path from the root.
fn files(folder: &Path, extensions: &[&str], found: &mut BTreeMap<String, String>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            if !SKIPPED.contains(&name) {
                files(&path, extensions, found)?;
            }
        } else if path
            .extension()
            .and_then(|extension| extension.to_str())
            .is_some_and(|extension| extensions.contains(&extension))
        {
            let relative = path.strip_prefix(root())?.display().to_string();
            found.insert(relative, std::fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

fn sources(extensions: &[&str]) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    files(&root(), extensions, &mut found)?;
    ensure!(!found.is_empty(), "no sources below {}", root().display());
    Ok(found)
}

/// The packages of the workspace by folder.
fn packages() -> Result<BTreeMap<String, toml::Table>> {
    let workspace: toml::Table = std::fs::read_to_string(root().join("Cargo.toml"))?.parse()?;
    let members = workspace
        .get("workspace")
        .and_then(|table| table.get("members"));
    let members = members.and_then(toml::Value::as_array).context("members")?;
    let mut packages = BTreeMap::new();
    for member in members {
        let folder = member.as_str().context("a folder")?;
        packages.insert(
            folder.to_owned(),
            std::fs::read_to_string(root().join(folder).join("Cargo.toml"))?.parse()?,
        );
    }
    Ok(packages)
}

/// What a package depends on, in any of these tables.
fn dependencies(package: &toml::Table, tables: &[&str]) -> Vec<String> {
    let tables = tables
        .iter()
        .filter_map(|table| package.get(*table)?.as_table());
    tables.flat_map(|table| table.keys().cloned()).collect()
}

const ALL_TABLES: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];

#[test]
fn no_file_is_too_long() -> Result<()> {
    let mut problems = Vec::new();
    for (path, text) in sources(&["rs", "lua"])? {
        let lines = text.lines().count();
        let known = LONGER.iter().find(|(longer, _)| *longer == path);
        let most = known.map_or(LINES_MAX, |(_, lines)| *lines);
        if lines > most {
            problems.push(format!(
                "{path} has {lines} lines, at most {most}: split it"
            ));
        }
        if known.is_some() && lines <= LINES_MAX {
            problems.push(format!(
                "{path} has {lines} lines: take it off the list of longer ones"
            ));
        }
    }
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}

#[test]
fn modules_are_named_after_themselves_and_say_what_they_are() -> Result<()> {
    let mut problems = Vec::new();
    for (path, text) in sources(&["rs"])? {
        if path.ends_with("/mod.rs") {
            problems.push(format!("{path}: a module `foo` is `foo.rs` beside `foo/`"));
        }
        // The tests of a module belong to its header.
        if !path.ends_with("/tests.rs") && !path.contains("/tests/") && !text.starts_with("//!") {
            problems.push(format!("{path}: has no header"));
        }
    }
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}

#[test]
fn nothing_is_marked_as_unfinished() -> Result<()> {
    let mut problems = Vec::new();
    for (path, text) in sources(&["rs", "lua", "toml", "md", "yaml", "yml", "proto", "sh"])? {
        for (number, line) in text.lines().enumerate() {
            let marked = line
                .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .any(|word| UNFINISHED.contains(&word));
            if marked {
                problems.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}

#[test]
fn every_package_has_the_lints_of_the_workspace() -> Result<()> {
    for (folder, package) in packages()? {
        let inherited = package
            .get("lints")
            .and_then(|lints| lints.get("workspace"))
            .and_then(toml::Value::as_bool);
        ensure!(
            inherited == Some(true),
            "{folder}/Cargo.toml has no `[lints] workspace = true`"
        );
    }
    Ok(())
}

/// Folder, and which packages of ours it may use.
const ARROWS: &[(&str, &[&str])] = &[
    // The own tests of both turn a feature of theirs on.
    ("core", &["tickwheel-core"]),
    ("certificates", &["tickwheel-core"]),
    (
        "proto",
        &[
            "tickwheel-certificates",
            "tickwheel-core",
            "tickwheel-proto",
        ],
    ),
    // What its tests hold against a real server.
    (
        "store",
        &[
            "tickwheel-certificates",
            "tickwheel-core",
            "tickwheel-memory-redis",
            "tickwheel-reference",
        ],
    ),
    ("reference", &["tickwheel-core"]),
    // Its tests have a worker as well, and turn a feature of it on.
    (
        "client",
        &[
            "tickwheel-core",
            "tickwheel-proto",
            "tickwheel-client",
            "tickwheel-worker",
        ],
    ),
    // Its own tests turn a feature of it on.
    (
        "api",
        &["tickwheel-core", "tickwheel-proto", "tickwheel-api"],
    ),
    (
        "tracker",
        &[
            "tickwheel-api",
            "tickwheel-certificates",
            // The files of the console, which know nobody.
            "tickwheel-console",
            "tickwheel-core",
            "tickwheel-proto",
            "tickwheel-store",
            // The guard of URLs alone, without the handler and the worker SDK.
            "tickwheel-http-handler",
            // Behind a feature that only tests turn on.
            "tickwheel-crash-points",
        ],
    ),
    // A handler as others write it.
    ("http-handler", &["tickwheel-core", "tickwheel-worker"]),
    // The SDK's own tests turn a feature of it on.
    (
        "worker-sdk",
        &[
            "tickwheel-core",
            "tickwheel-proto",
            "tickwheel-worker",
            "tickwheel-crash-points",
        ],
    ),
];

#[test]
fn dependencies_point_one_way() -> Result<()> {
    let packages = packages()?;
    for (folder, allowed) in ARROWS {
        let package = packages
            .get(*folder)
            .with_context(|| format!("{folder} is no package"))?;
        let ours = dependencies(package, ALL_TABLES)
            .into_iter()
            .filter(|name| name.starts_with("tickwheel-"));
        let wrong: Vec<String> = ours
            .filter(|name| !allowed.contains(&name.as_str()))
            .collect();
        ensure!(wrong.is_empty(), "{folder} must not depend on {wrong:?}");
    }
    for (folder, package) in &packages {
        let fred = dependencies(package, ALL_TABLES)
            .iter()
            .any(|name| name == "fred");
        ensure!(
            fred == (folder == "store"),
            "only the store knows redis; {folder} depends on fred: {fred}"
        );
    }
    let rules = packages.get("core").context("core is no package")?;
    let io = ["tokio", "tonic", "fred", "futures", "tracing"];
    let wrong: Vec<String> = dependencies(rules, &["dependencies"])
        .into_iter()
        .filter(|name| io.contains(&name.as_str()))
        .collect();
    ensure!(
        wrong.is_empty(),
        "core does no I/O and is not asynchronous; it depends on {wrong:?}"
    );
    Ok(())
}

#[test]
fn what_tests_hold_things_against_runs_nowhere_else() -> Result<()> {
    for (folder, package) in &packages()? {
        let wrong: Vec<String> = dependencies(package, &["dependencies"])
            .into_iter()
            .filter(|name| {
                ["tickwheel-reference", "tickwheel-memory-redis"].contains(&name.as_str())
            })
            .collect();
        ensure!(
            wrong.is_empty(),
            "{folder} uses {wrong:?} outside of its tests"
        );
    }
    Ok(())
}

#[test]
fn tests_that_skip_without_redis_fail_where_it_is_required() -> Result<()> {
    let mut skipping = 0;
    for (path, text) in sources(&["rs"])? {
        if path != "tests/tests/tidy/main.rs" && text.contains("SKIPPED: redis-server") {
            skipping += 1;
            let required = ["\"CI\"", "\"TICKWHEEL_REQUIRE_REDIS\""]
                .iter()
                .all(|name| text.contains(name));
            ensure!(
                required,
                "{path} skips, also where `CI` or `TICKWHEEL_REQUIRE_REDIS` is set"
            );
        }
    }
    ensure!(skipping > 0, "no harness says that it skips");
    Ok(())
}

#[test]
fn end_to_end_tests_wait_for_facts() -> Result<()> {
    for (path, text) in sources(&["rs"])?
        .into_iter()
        .filter(|(path, _)| {
            path.starts_with("tests/tests/") && !path.starts_with("tests/tests/tidy/")
        })
        // There, time passes only when everybody waits.
        .filter(|(path, _)| !path.starts_with("tests/tests/simulation/"))
    {
        ensure!(
            !text.contains("time::sleep"),
            "{path} sleeps: wait for a fact with `until`, or for an instant with `until_clock`"
        );
    }
    Ok(())
}

#[test]
fn every_metric_is_fed() -> Result<()> {
    let sources = sources(&["rs"])?;
    let declared = "tracker/src/metrics/definitions.rs";
    let text = sources.get(declared).context(declared)?;
    // It names some only to begin them at zero.
    let recorder = "tracker/src/metrics/recorder.rs";
    let told_there = sources.get(recorder).context(recorder)?;
    let names = text.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("pub const ")?.split_once(": Metric = ")?;
        Some(name)
    });
    let mut count = 0;
    for name in names {
        count += 1;
        let told = told_there.contains(&format!("gauge!({name}.name"));
        let fed = format!("{name}.name");
        let feeds = |(path, source): (&String, &String)| {
            ![declared, recorder].contains(&path.as_str())
                && path.starts_with("tracker/src/")
                && source.contains(&fed)
        };
        // The store feeds its own, under the name that it exports.
        let exported = ["SCRIPT_SECONDS", "WAKE_DEAF"];
        let of_store = exported.iter().any(|export| {
            export.starts_with(name) && text.contains(&format!("tickwheel_store::{export}"))
        });
        ensure!(
            told || of_store || sources.iter().any(feeds),
            "{name} is declared and never fed"
        );
    }
    ensure!(count > 10, "found {count} metrics in {declared}");
    Ok(())
}
