//! The handlers that a worker offers.

use std::sync::Arc;

/// Names of handlers, each once and in order.
#[derive(Debug, Default)]
pub(crate) struct Handlers {
    names: Arc<[String]>,
    /// The same, comma-separated: each turn is told.
    text: Arc<str>,
}

impl Handlers {
    pub(crate) fn new(mut names: Vec<String>) -> Self {
        names.sort_unstable();
        names.dedup();
        Self {
            text: names.join(",").into(),
            names: names.into(),
        }
    }

    pub(crate) fn names(&self) -> &Arc<[String]> {
        &self.names
    }

    /// The names, comma-separated.
    pub(crate) fn text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    pub(crate) fn has(&self, handler: &str) -> bool {
        let found = self
            .names
            .binary_search_by(|name| name.as_str().cmp(handler));
        found.is_ok()
    }

    /// All but one.
    pub(super) fn without(&self, handler: &str) -> Self {
        let left = self.names.iter().filter(|name| *name != handler);
        Self::new(left.cloned().collect())
    }
}
