//! Warnings and errors that repeat while nothing happens.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use anyhow::Result;

/// How far each log of a rig had come.
#[derive(Debug)]
pub(super) struct Logs {
    read: BTreeMap<OsString, usize>,
}

impl Logs {
    /// From here on.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(super) fn here(dir: &Path) -> Result<Self> {
        let read = logs(dir)?
            .into_iter()
            .map(|(name, text)| (name, text.len()));
        Ok(Self {
            read: read.collect(),
        })
    }

    /// Lines of one process that say WARN or ERROR and differ in nothing but numbers from another one since then.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(super) fn repeated(&self, dir: &Path) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for (name, text) in logs(dir)? {
            let since = self.read.get(&name).copied().unwrap_or(0);
            let name = name.display();
            for (line, count) in kinds(text.get(since..).unwrap_or_default()) {
                if count > 1 {
                    found.push(format!("{count} times in {name}: {line}"));
                }
            }
        }
        Ok(found)
    }
}

/// The kinds of warnings and errors of a text, each with how often it is there.
fn kinds(text: &str) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for line in text.lines() {
        let Some(at) = line.find(" WARN ").or_else(|| line.find("ERROR ")) else {
            continue;
        };
        let mut kind = String::new();
        for character in line.get(at..).unwrap_or_default().trim().chars() {
            match character {
                digit if digit.is_ascii_digit() => {
                    if !kind.ends_with('#') {
                        kind.push('#');
                    }
                }
                other => kind.push(other),
            }
        }
        *kinds.entry(kind).or_default() += 1;
    }
    kinds
}

fn logs(dir: &Path) -> Result<Vec<(OsString, String)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().map(OsString::from).unwrap_or_default();
        // Those of Redis are its own.
        let ours = name.to_str().is_some_and(|name| {
            name.ends_with(".log") && (name.starts_with('t') || name.starts_with('w'))
        });
        if ours {
            let bytes = std::fs::read(&path)?;
            found.push((name, String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_numbers_is_one_kind() {
        let text = "2026-01-01T00:00:00Z  WARN tracker: turn failed partition=3\n\
                    2026-01-01T00:00:01Z  WARN tracker: turn failed partition=14\n\
                    2026-01-01T00:00:01Z  INFO tracker: all is well\n\
                    2026-01-01T00:00:02Z ERROR tracker: the store is gone\n";
        let kinds = kinds(text);
        let counts: Vec<usize> = kinds.values().copied().collect();
        assert_eq!(counts, [1, 2], "{kinds:?}");
    }
}
