//! Jobs of other schedulers as documents, with a report of what differs: pure conversion, which talks to nobody.
//!
//! A reader makes one draft of each entry of its source (`crontab`, `cronjob`, `xxl_job`); `checked` lets the manifest parser read what they
//! made, and keeps what it takes. No entry is dropped without a word, and none fails for the sake of another one.

mod checked;
mod cronjob;
mod crontab;
mod draft;
mod names;
mod report;
mod settings;
mod xxl_job;

pub(crate) use report::Report;
pub(crate) use settings::{Kind, Settings};

/// Entries of one source: as many as a file has documents.
const ENTRIES_MAX: usize = tickwheel_core::bounds::MANIFEST_DOCUMENTS_MAX;

/// What was made of a source.
#[derive(Debug)]
pub(crate) struct Imported {
    /// The documents, as YAML that `tickwheel apply` reads; empty when there are none.
    pub(crate) documents: String,
    /// One entry for each of the source.
    pub(crate) report: Report,
}

/// Converts the entries of a source.
///
/// # Errors
/// When the source as a whole is none of its kind, or has more than 10,000 entries.
pub(crate) fn import(kind: Kind, text: &str, settings: &Settings) -> Result<Imported, String> {
    // One more than there may be: enough to tell, and no more than that of a hostile source.
    let most = ENTRIES_MAX + 1;
    let drafts = match kind {
        Kind::Crontab { system } => crontab::read(text, system, settings, most),
        Kind::Cronjob => cronjob::read(text, settings, most),
        Kind::XxlJob => xxl_job::read(text, settings, most),
    };
    if drafts.len() > ENTRIES_MAX {
        return Err(format!(
            "has more than {ENTRIES_MAX} entries: divide it into several files"
        ));
    }
    if drafts.is_empty() {
        return Err(format!("has no entry of {}", kind.called()));
    }
    let (documents, entries) = checked::finish(drafts, settings.now);
    let report = Report::new(entries);
    Ok(Imported { documents, report })
}

#[cfg(test)]
mod tests;
