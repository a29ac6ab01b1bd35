//! How much was looked at for a list, and since when it is complete.

use serde::Serialize;
use tickwheel_proto::v1;

/// What a list says of itself. A request looks at a bounded number of entries: what fits nothing costs no more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Looked {
    /// Entries that were looked at.
    pub entries: u64,
    /// About how many there are; as many as were looked at for a caller who does not see everything.
    pub of: u64,
    /// Whatever ended at this or later is listed; 0: nothing was let go, or the list has not come to what has ended.
    pub complete_since_ms: u64,
    /// What was let go; absent: nothing.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub horizon: String,
}

impl Looked {
    /// What a page says of itself.
    #[must_use]
    pub fn of(looked: Option<v1::Looked>, horizon: Option<v1::Horizon>) -> Self {
        let mut all = Self::default();
        all.add(looked, horizon);
        all
    }

    /// Takes over what the page behind it says of itself.
    pub fn add(&mut self, looked: Option<v1::Looked>, horizon: Option<v1::Horizon>) {
        if let Some(looked) = looked {
            self.entries += looked.entries;
            self.of = looked.of.max(self.entries);
        }
        if let Some(horizon) = horizon {
            self.complete_since_ms = horizon.complete_since_ms;
            self.horizon = horizon.reason;
        }
    }
}
