//! One file, or standard input, with its documents as JSON values.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{Error, UserMessageFormatter};
use tickwheel_core::bounds::MANIFEST_DOCUMENTS_MAX;

use super::numbers;
use crate::failure::Mistake;

/// A manifest larger than this is a mistake, not a manifest.
pub(crate) const BYTES_MAX: u64 = 16 << 20;
/// Values, keys, lists and maps of a file.
pub(crate) const NODES_MAX: usize = 1_000_000;

/// Text with the name it is reported under.
#[derive(Debug)]
pub(crate) struct Source {
    pub(super) name: String,
    text: String,
}

impl Source {
    pub(crate) fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }

    /// Reads a file, or standard input where the path is `-`.
    ///
    /// # Errors
    /// Why it cannot be read: it is not there, no text, or larger than 16 MiB.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        if path.as_os_str() == "-" {
            read_stdin()
        } else {
            read_file(path)
        }
    }

    /// The text, without the mark of the encoding that some editors put in front.
    pub(crate) fn text(&self) -> &str {
        self.text.strip_prefix('\u{feff}').unwrap_or(&self.text)
    }

    /// The documents of the text. Both formats end in JSON values, whose numbers are those that were written.
    ///
    /// # Errors
    /// What is wrong with the text, in words for who wrote it.
    pub(crate) fn documents(&self) -> Result<Vec<Value>, String> {
        let text = self.text();
        let is_json = Path::new(&self.name)
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("json"));
        let documents: Vec<Value> = if is_json {
            vec![tickwheel_api::json::parse(text).map_err(|e| format!("is not JSON: {e}"))?]
        } else {
            // Only `true` and `false` are truth values: a job may be called `no`, and a zone `NO`.
            let options = serde_saphyr::options! {
                strict_booleans: true,
                budget: serde_saphyr::budget! {
                    max_documents: MANIFEST_DOCUMENTS_MAX,
                    max_nodes: NODES_MAX,
                },
            };
            serde_saphyr::from_multiple_with_options(text, options).map_err(|e| words(&e))?
        };
        let inexact = numbers::inexact(text);
        if let Some((line, rule)) = inexact.first() {
            let others = match inexact.len() - 1 {
                0 => String::new(),
                more => format!(" (and {more} more numbers like it)"),
            };
            return Err(format!("line {line}: {rule}{others}"));
        }
        Ok(documents.into_iter().filter(|d| !d.is_null()).collect())
    }
}

/// What is wrong, in words for who wrote the file.
fn words(error: &Error) -> String {
    if let Error::Budget { breach, .. } = error.without_snippet() {
        let rule = if matches!(breach, BudgetBreach::Documents { .. }) {
            format!("has at most {MANIFEST_DOCUMENTS_MAX} documents")
        } else {
            "is too large, or too deep, for a file of jobs".to_owned()
        };
        return format!("{rule}: divide it into several files");
    }
    let shown = error.render_with_formatter(&UserMessageFormatter);
    format!("is not YAML: {}", shown.trim_start_matches("error: "))
}

/// Reads all that the paths stand for; what cannot be read is a mistake.
pub(super) fn gather(paths: &[PathBuf], mistakes: &mut Vec<Mistake>) -> Vec<Source> {
    let mut sources = Vec::new();
    for path in paths {
        let read = if path.is_dir() {
            read_dir(path)
        } else {
            Source::open(path).map(|source| vec![source])
        };
        match read {
            Ok(read) => sources.extend(read),
            Err(rule) => mistakes.push(Mistake::new(path.display().to_string(), rule)),
        }
    }
    sources
}

fn read_stdin() -> Result<Source, String> {
    let text = read_limited(std::io::stdin().lock())?;
    Ok(Source::new("standard input", text))
}

fn read_file(path: &Path) -> Result<Source, String> {
    let file = std::fs::File::open(path).map_err(|e| format!("cannot be read: {e}"))?;
    Ok(Source::new(path.display().to_string(), read_limited(file)?))
}

fn read_limited(reader: impl std::io::Read) -> Result<String, String> {
    let mut text = String::new();
    let read = reader
        .take(BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|e| format!("cannot be read: {e}"))?;
    if u64::try_from(read).is_ok_and(|read| read > BYTES_MAX) {
        return Err("is larger than 16 MiB".to_owned());
    }
    Ok(text)
}

fn read_dir(path: &Path) -> Result<Vec<Source>, String> {
    let entries = std::fs::read_dir(path).map_err(|e| format!("cannot be read: {e}"))?;
    let mut files = Vec::new();
    for entry in entries {
        let file = entry.map_err(|e| format!("cannot be read: {e}"))?.path();
        let is_manifest = file
            .extension()
            .and_then(|e| e.to_str())
            .is_some_and(|e| ["yaml", "yml", "json"].contains(&e));
        if is_manifest && file.is_file() {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err("has no *.yaml, *.yml or *.json".to_owned());
    }
    files.sort();
    files.iter().map(|file| read_file(file)).collect()
}
