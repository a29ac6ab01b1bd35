//! The keys of the built-in handlers: which of them a worker has, and where the one that calls URLs connects to.

use tickwheel_http_handler::{Entries, Ports};

use super::setting::{Setting, quoted};

/// Which of the built-in handlers a worker has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Handlers {
    pub(crate) demo: bool,
    pub(crate) http: bool,
}

impl Handlers {
    pub(super) const ALL: Self = Self {
        demo: true,
        http: true,
    };
}

impl Setting for Handlers {
    const FORM: &'static str = "\"demo\", \"http\" or \"demo, http\"";

    fn from_text(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split(',').map(str::trim).collect();
        let known = words.iter().all(|word| ["demo", "http"].contains(word));
        known.then(|| Self {
            demo: words.contains(&"demo"),
            http: words.contains(&"http"),
        })
    }

    fn shown(&self) -> String {
        let words = [(self.demo, "demo"), (self.http, "http")];
        let words = words.iter().filter(|(has, _)| *has).map(|(_, word)| *word);
        quoted(&words.collect::<Vec<_>>().join(", "))
    }
}

impl Setting for Entries {
    const FORM: &'static str = "text such as \"10.1.0.0/16, ::1, hooks.internal, *.corp.example\"";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn shown(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Setting for Ports {
    const FORM: &'static str = "text such as \"80, 443, 8000-8999\"";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn shown(&self) -> String {
        quoted(&self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlers_are_words_of_a_list() {
        for (text, shown) in [
            ("demo", "\"demo\""),
            (" http ", "\"http\""),
            ("http,demo", "\"demo, http\""),
        ] {
            assert_eq!(Handlers::from_text(text).unwrap().shown(), shown);
        }
        for text in ["", "demo,", "demo http", "shell"] {
            assert_eq!(Handlers::from_text(text), None, "{text}");
        }
    }
}
