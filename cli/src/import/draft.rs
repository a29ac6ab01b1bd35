//! One entry of a source on its way: the document that was made of it, what differs, and why there is none.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::settings::{Settings, ZONE_ASSUMED};

/// Characters of a text that the report repeats: the document has the whole of it.
const SHOWN_CHARS_MAX: usize = 160;

/// Why something differs, and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Reason {
    /// In one sentence, without a full stop.
    pub(super) why: &'static str,
    /// Begins with a verb; without a full stop.
    #[serde(rename = "do")]
    pub(super) todo: &'static str,
}

/// One thing that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Difference {
    /// What it is about, in the words of the source.
    pub(super) about: String,
    /// What stands in the source.
    pub(super) was: String,
    /// What stands in the document.
    pub(super) now: String,
    #[serde(flatten)]
    pub(super) reason: Reason,
}

/// An entry of a source.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    /// Where it stands, say `line 12`.
    pub(super) place: String,
    /// What stands there.
    pub(super) source: String,
    /// The document; of an entry that is refused, whatever was made so far.
    pub(super) document: Map<String, Value>,
    pub(super) differences: Vec<Difference>,
    /// Why it is not imported; empty when it is.
    pub(super) refusals: Vec<String>,
}

impl Draft {
    pub(super) fn new(place: impl Into<String>, source: &str) -> Self {
        let mut draft = Self {
            place: place.into(),
            source: shortened(source),
            document: Map::new(),
            differences: Vec::new(),
            refusals: Vec::new(),
        };
        draft.set("kind", json!("Job"));
        draft
    }

    /// An entry that nothing can be made of.
    pub(super) fn refused(place: impl Into<String>, source: &str, why: impl Into<String>) -> Self {
        let mut draft = Self::new(place, source);
        draft.refuse(why);
        draft
    }

    /// Writes a key of the document.
    pub(super) fn set(&mut self, key: &str, value: Value) {
        self.document.insert(key.to_owned(), value);
    }

    pub(super) fn refuse(&mut self, why: impl Into<String>) {
        self.refusals.push(why.into());
    }

    pub(super) fn differs(
        &mut self,
        about: &str,
        was: impl AsRef<str>,
        now: impl AsRef<str>,
        reason: &Reason,
    ) {
        let was = match was.as_ref() {
            "" => "nothing",
            was => was,
        };
        self.differences.push(Difference {
            about: shortened(about),
            was: shortened(was),
            now: shortened(now.as_ref()),
            reason: *reason,
        });
    }

    /// The zone of an entry that says `own`: that, or the one of the settings, or UTC, which is a difference.
    pub(super) fn zone(&mut self, own: Option<&str>, whose: &str, settings: &Settings) -> String {
        if let Some(zone) = own.or(settings.time_zone.as_deref()) {
            return zone.to_owned();
        }
        self.differs("time zone", whose, ZONE_ASSUMED, &NO_ZONE);
        ZONE_ASSUMED.to_owned()
    }
}

const NO_ZONE: Reason = Reason {
    why: "the source does not say its zone, and a job has to",
    todo: "import again with --time-zone, if that is not UTC",
};

/// What nothing bounded, in a policy whose bound is as high as it can be.
pub(super) const PARALLEL: Reason = Reason {
    why: "runs beside each other have a bound here, 1000 at most",
    todo: "lower it; `discard` leaves out a firing while an earlier run is active, `queue` lets it wait",
};

/// The beginning of a text; what is cut off is marked.
pub(super) fn shortened(text: &str) -> String {
    let text = text.trim();
    let Some((end, _)) = text.char_indices().nth(SHOWN_CHARS_MAX) else {
        return text.to_owned();
    };
    format!("{}…", text.get(..end).unwrap_or_default())
}
