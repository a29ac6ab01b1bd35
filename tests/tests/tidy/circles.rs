//! No file of a crate needs another one that needs it in turn, directly or through others: each can be read, and understood, after those
//! that it names.
//!
//! A file needs another when its code names something that is written there; a name that a third one passes on (`pub use`) counts for where
//! it is written. A parent that only declares its children and passes their names on needs none of them, so that they may use what it has;
//! one with code of its own that needs a child must not be needed by it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use petgraph::algo::{astar, tarjan_scc};
use petgraph::graph::{DiGraph, NodeIndex};

use crate::modules::Modules;
use crate::root;

/// The first file of each crate of the workspace: libraries, programs, tests, examples.
fn crates() -> Result<Vec<PathBuf>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let told = Command::new(cargo)
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root())
        .output()?;
    ensure!(
        told.status.success(),
        "{}",
        String::from_utf8_lossy(&told.stderr)
    );
    let workspace: serde_json::Value = serde_json::from_slice(&told.stdout)?;
    let packages = workspace
        .get("packages")
        .and_then(serde_json::Value::as_array);
    let packages = packages.context("packages")?;
    let targets = packages
        .iter()
        .filter_map(|package| package.get("targets")?.as_array());
    let roots = targets
        .flatten()
        .filter_map(|target| target.get("src_path")?.as_str());
    Ok(roots.map(PathBuf::from).collect())
}

/// Files, and what each names of the others.
type Graph = DiGraph<PathBuf, String>;

fn graph(modules: &Modules) -> Graph {
    graph_of(modules, Path::to_owned)
}

/// The same, with the files that have the same place taken together.
fn graph_of(modules: &Modules, place: impl Fn(&Path) -> PathBuf) -> Graph {
    let (mut graph, mut nodes) = (Graph::new(), BTreeMap::<PathBuf, NodeIndex>::new());
    for (from, to, name) in modules.needs() {
        let mut node = |file: &Path| {
            let known = nodes.entry(file.to_owned());
            *known.or_insert_with(|| graph.add_node(file.to_owned()))
        };
        let (from, to) = (node(&place(from)), node(&place(to)));
        if from != to {
            graph.update_edge(from, to, name);
        }
    }
    graph
}

/// The shortest circle among these files, each with what it needs of the next.
fn shortest(graph: &Graph, among: &[NodeIndex]) -> Vec<NodeIndex> {
    let circles = among.iter().flat_map(|start| {
        let back = |next| astar(graph, next, |node| node == *start, |_| 1, |_| 0);
        graph.neighbors(*start).filter_map(back)
    });
    circles
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, path)| path)
        .unwrap_or_default()
}

/// A circle in words: who needs what of whom.
fn in_words(graph: &Graph, circle: &[NodeIndex]) -> String {
    let short = |node: NodeIndex| {
        let file = &graph[node];
        file.strip_prefix(root())
            .unwrap_or(file)
            .display()
            .to_string()
    };
    let after = circle.iter().skip(1).chain(circle.first());
    let steps = circle.iter().zip(after).map(|(from, to)| {
        let name = graph.find_edge(*from, *to).map(|edge| graph[edge].as_str());
        let name = name.unwrap_or_default();
        format!("  {} needs {} for `{name}`", short(*from), short(*to))
    });
    steps.collect::<Vec<_>>().join("\n")
}

/// What is wrong with a crate: its circles, and all files in them.
fn circles(modules: &Modules) -> Vec<(String, Vec<PathBuf>)> {
    circles_of(&graph(modules))
}

fn circles_of(graph: &Graph) -> Vec<(String, Vec<PathBuf>)> {
    let parts = tarjan_scc(graph).into_iter().filter(|part| part.len() > 1);
    parts
        .map(|part| {
            let mut files: Vec<PathBuf> = part.iter().map(|node| graph[*node].clone()).collect();
            files.sort();
            (in_words(graph, &shortest(graph, &part)), files)
        })
        .collect()
}

#[test]
fn no_files_need_each_other() -> Result<()> {
    let mut problems = Vec::new();
    let crates = crates()?;
    ensure!(crates.len() > 10, "found the crates {crates:?}");
    for first in crates {
        for (circle, files) in circles(&Modules::of(&first)?) {
            let files = files
                .iter()
                .map(|file| file.strip_prefix(root()).unwrap_or(file));
            let names: Vec<String> = files.map(|file| file.display().to_string()).collect();
            let count = names.len();
            problems.push(format!("{circle}\n  {count} files: {}", names.join(" ")));
        }
    }
    ensure!(
        problems.is_empty(),
        "circles of imports:\n{}",
        problems.join("\n")
    );
    Ok(())
}

#[test]
fn no_rooms_of_the_tracker_need_each_other() -> Result<()> {
    let sources = root().join("tracker/src");
    let modules = Modules::of(&sources.join("lib.rs"))?;
    // `wheel/turner.rs` and `wheel.rs` are in the room `wheel`.
    let room = |file: &Path| {
        let inside = file.strip_prefix(&sources).unwrap_or(file);
        let first = inside.iter().next().unwrap_or_default();
        Path::new(first).with_extension("")
    };
    let graph = graph_of(&modules, room);
    ensure!(graph.node_count() > 15, "{graph:?}");
    let circles = circles_of(&graph);
    let circles: Vec<&str> = circles.iter().map(|(circle, _)| circle.as_str()).collect();
    ensure!(circles.is_empty(), "{}", circles.join("\n"));
    Ok(())
}

/// A crate in a folder of its own.
fn written(files: &[(&str, &str)]) -> Result<(tempfile::TempDir, Modules)> {
    let folder = tempfile::tempdir()?;
    for (name, text) in files {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().context("a folder")?)?;
        std::fs::write(file, text)?;
    }
    let modules = Modules::of(&folder.path().join("lib.rs"))?;
    Ok((folder, modules))
}

#[test]
fn a_circle_is_found_through_imports_inline_paths_and_names_passed_on() -> Result<()> {
    let (_folder, modules) = written(&[
        ("lib.rs", "mod a; mod b; mod room;"),
        ("a.rs", "use crate::{b::{self, f}, x}; fn a() { f() }"),
        ("b.rs", "fn f() { vec![crate::room::Thing::new()]; }"),
        ("room.rs", "mod thing; pub(crate) use thing::Thing;"),
        (
            "room/thing.rs",
            "pub struct Thing; fn g() { super::super::a::a() }",
        ),
    ])?;
    let found = circles(&modules);
    let [(circle, files)] = found.as_slice() else {
        anyhow::bail!("{found:?}");
    };
    assert_eq!(files.len(), 3, "{files:?}");
    for step in [
        "a.rs needs",
        "b.rs for `crate::b::f`",
        "room/thing.rs for `crate::room::Thing::new`",
        "a.rs for `super::super::a::a`",
    ] {
        assert!(circle.contains(step), "{step}: {circle}");
    }
    Ok(())
}

#[test]
fn a_parent_is_in_a_circle_only_by_code_of_its_own() -> Result<()> {
    let child = (
        "room/thing.rs",
        "use super::Number; use crate::room::other::Other; pub struct Thing(Number, Other);",
    );
    let other = ("room/other.rs", "pub struct Other;");
    let passes_on =
        "mod other; mod thing; pub use other::Other; pub use thing::Thing; pub struct Number;";
    let (_folder, modules) = written(&[
        ("lib.rs", "mod room;"),
        ("room.rs", passes_on),
        child,
        other,
    ])?;
    assert_eq!(circles(&modules), []);
    let uses = format!("{passes_on} fn f(thing: Thing) {{}}");
    let (_folder, modules) = written(&[("lib.rs", "mod room;"), ("room.rs", &uses), child, other])?;
    assert_eq!(circles(&modules).len(), 1);
    Ok(())
}

#[test]
fn code_for_tests_and_other_crates_make_no_circle() -> Result<()> {
    let (_folder, modules) = written(&[
        ("lib.rs", "mod a; mod b; mod metrics;"),
        (
            "a.rs",
            "use metrics::counter; use crate::b::B; #[cfg(test)] use crate::b::{C, D}; pub struct A; #[cfg(test)] mod tests;",
        ),
        ("a/tests.rs", "use super::*; use crate::metrics::M;"),
        (
            "b.rs",
            "pub struct B; #[cfg(test)] mod tests { use crate::a::A; #[test] fn f() { crate::a::A; } }",
        ),
        (
            "metrics.rs",
            "use metrics::gauge; use crate::a::A; fn f() { metrics::describe() }",
        ),
    ])?;
    assert_eq!(circles(&modules), []);
    Ok(())
}
