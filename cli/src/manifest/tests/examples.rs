//! Every document of the project is read, and accepted by the schema.

use std::path::{Path, PathBuf};

use boon::{Compiler, Schemas};
use tickwheel_core::manifest::{json_schema, parse_documents};

use super::*;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The YAML blocks of a page that say what they are.
fn blocks(page: &str) -> impl Iterator<Item = &str> {
    page.split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .filter(|block| block.lines().any(|line| line.starts_with("kind: ")))
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .collect()
}

#[test]
fn every_document_of_files_and_pages_is_read_and_accepted_by_the_schema() {
    let mut texts: Vec<(String, String)> = Vec::new();
    for path in files(&root().join("deploy/examples"), "yaml") {
        texts.push((
            path.display().to_string(),
            std::fs::read_to_string(&path).unwrap(),
        ));
    }
    let mut pages = vec![root().join("README.md")];
    for folder in ["docs", "docs/guides"] {
        pages.extend(files(&root().join(folder), "md"));
    }
    let before = texts.len();
    for path in pages {
        let page = std::fs::read_to_string(&path).unwrap();
        texts.extend(blocks(&page).map(|block| (path.display().to_string(), block.to_owned())));
    }
    assert!(texts.len() - before >= 8, "the pages have examples");
    let place = "https://tickwheel.invalid/schema.json";
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource(place, json_schema()).unwrap();
    let schema = compiler.compile(place, &mut schemas).unwrap();
    for (name, text) in texts {
        for document in source(&name, &text).documents().unwrap() {
            let read = parse_documents(&document);
            assert!(read.is_ok(), "{name}: {}", read.unwrap_err());
            let accepted = schemas.validate(&document, schema);
            assert!(accepted.is_ok(), "{name}: {:#}", accepted.unwrap_err());
        }
    }
}
