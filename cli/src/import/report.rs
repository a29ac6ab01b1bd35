//! What became of each entry of a source: for people on standard error, for programs as JSON.

use serde::Serialize;

use super::draft::{Difference, Draft, Reason};
use crate::printable::printable;

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Imported,
    ImportedWithDifferences,
    NotImported,
}

/// One entry of a source.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    place: String,
    source: String,
    pub(super) outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) differences: Vec<Difference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) reasons: Vec<String>,
}

impl Entry {
    /// What became of a draft; without a name it was not imported.
    pub(super) fn new(draft: Draft, name: Option<String>) -> Self {
        let outcome = match (&name, draft.differences.is_empty()) {
            (None, _) => Outcome::NotImported,
            (Some(_), true) => Outcome::Imported,
            (Some(_), false) => Outcome::ImportedWithDifferences,
        };
        let is_imported = name.is_some();
        Self {
            place: draft.place,
            source: draft.source,
            outcome,
            name,
            // Differences of a job that does not exist help nobody.
            differences: if is_imported {
                draft.differences
            } else {
                Vec::new()
            },
            reasons: draft.refusals,
        }
    }
}

/// All of them.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    imported: usize,
    imported_with_differences: usize,
    not_imported: usize,
    pub(super) entries: Vec<Entry>,
}

impl Report {
    pub(super) fn new(entries: Vec<Entry>) -> Self {
        let count = |outcome| entries.iter().filter(|one| one.outcome == outcome).count();
        Self {
            imported: count(Outcome::Imported),
            imported_with_differences: count(Outcome::ImportedWithDifferences),
            not_imported: count(Outcome::NotImported),
            entries,
        }
    }

    /// How many entries were not imported, and how many there are.
    pub(crate) fn missing(&self) -> Option<(usize, usize)> {
        (self.not_imported > 0).then_some((self.not_imported, self.entries.len()))
    }

    /// For people: each entry, then once what is true of many, then the sums.
    pub(crate) fn text(&self) -> String {
        let mut told = Told::default();
        for entry in &self.entries {
            told.entry(entry);
        }
        told.reasons();
        let sums = format!(
            "{} imported, {} imported with differences, {} not imported\n",
            self.imported, self.imported_with_differences, self.not_imported
        );
        told.text + &sums
    }
}

/// A report as far as it is written.
#[derive(Default)]
struct Told {
    text: String,
    /// Those that were referred to, by their numbers from 1 on.
    reasons: Vec<Reason>,
}

impl Told {
    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn entry(&mut self, entry: &Entry) {
        let heading = format!("{}: {}", line_of(&entry.place), line_of(&entry.source));
        self.line(heading.trim_end());
        match &entry.name {
            None => {
                for reason in &entry.reasons {
                    self.line(&format!("  not imported: {}", line_of(reason)));
                }
            }
            Some(name) => {
                let differs = if entry.differences.is_empty() {
                    ""
                } else {
                    ", with differences:"
                };
                self.line(&format!("  imported as {}{differs}", line_of(name)));
            }
        }
        for difference in &entry.differences {
            let number = self.number(difference.reason);
            self.line(&format!(
                "    {}: {} -> {} [{number}]",
                line_of(&difference.about),
                line_of(&difference.was),
                line_of(&difference.now)
            ));
        }
    }

    /// The number of a reason: the one it has, or the next.
    fn number(&mut self, reason: Reason) -> usize {
        let known = self.reasons.iter().position(|one| *one == reason);
        let place = known.unwrap_or(self.reasons.len());
        if place == self.reasons.len() {
            self.reasons.push(reason);
        }
        place + 1
    }

    fn reasons(&mut self) {
        if self.reasons.is_empty() {
            return;
        }
        self.text.push('\n');
        for (place, Reason { why, todo }) in self.reasons.iter().enumerate() {
            let line = format!(
                "[{}] {why}: {todo}
",
                place + 1
            );
            self.text.push_str(&line);
        }
        self.text.push('\n');
    }
}

/// A text of the source on one line, with nothing in it that a terminal obeys.
fn line_of(text: &str) -> String {
    printable(text).replace('\n', "\\n").replace('\t', " ")
}
