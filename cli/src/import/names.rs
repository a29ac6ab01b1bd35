//! Names of other systems in our grammar, each given once.

use std::collections::{HashMap, HashSet};

use tickwheel_core::bounds::ID_CHARS_MAX;

use super::draft::{Draft, Reason};

/// Characters of a name that is made of a text; a longer one is no help to who reads it.
const SLUG_CHARS_MAX: usize = 60;

/// A name made of a text: letters, digits and `. _ -` stay, anything else becomes a hyphen; it begins with a letter, a digit or `_`. `None`
/// when nothing is left.
pub(super) fn slug(text: &str) -> Option<String> {
    let mut name = String::new();
    for letter in text.chars() {
        let begins = letter.is_ascii_alphanumeric() || letter == '_';
        let stays = begins || (!name.is_empty() && matches!(letter, '.' | '-'));
        if stays {
            name.push(letter);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
        if name.len() == SLUG_CHARS_MAX {
            break;
        }
    }
    let name = name.trim_end_matches(['-', '.']);
    (!name.is_empty()).then(|| name.to_owned())
}

/// Names that were given.
#[derive(Debug, Default)]
pub(super) struct Names {
    given: HashSet<String>,
    /// How often each was asked for.
    asked: HashMap<String, u64>,
}

impl Names {
    /// Gives the draft a name of its own: the wanted one, or, when an earlier entry has it, that with a number behind it.
    pub(super) fn give(&mut self, draft: &mut Draft, namespace: &str, wanted: &str) {
        let full = format!("{namespace}/{wanted}");
        let name = self.free(&full);
        if name != full {
            draft.differs("name", &full, &name, &TAKEN);
        }
        draft.set("name", name.into());
    }

    fn free(&mut self, full: &str) -> String {
        let mut name = full.to_owned();
        while !self.given.insert(name.clone()) {
            let number = self.asked.entry(full.to_owned()).or_insert(1);
            *number += 1;
            let behind = format!("-{number}");
            let room = ID_CHARS_MAX.saturating_sub(behind.len());
            let kept: String = full.chars().take(room).collect();
            name = kept + &behind;
        }
        name
    }
}

const TAKEN: Reason = Reason {
    why: "an earlier entry has this name already, and a name is used once",
    todo: "give it a name that says more; the number follows from the order of the entries",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_what_names_may_have() {
        for (text, name) in [
            ("backup.sh", Some("backup.sh")),
            ("-rf", Some("rf")),
            ("../x", Some("x")),
            ("a  b//c", Some("a-b-c")),
            ("_own", Some("_own")),
            ("Übung macht.", Some("bung-macht")),
            ("示例", None),
            ("", None),
            ("---", None),
        ] {
            assert_eq!(slug(text).as_deref(), name, "{text}");
        }
        assert_eq!(slug(&"x".repeat(500)).unwrap().len(), SLUG_CHARS_MAX);
    }

    #[test]
    fn a_name_is_given_once_in_the_order_of_the_entries() {
        let mut names = Names::default();
        let mut give = |wanted: &str| {
            let mut draft = Draft::new("line 1", "");
            names.give(&mut draft, "ops", wanted);
            let told = draft.differences.len();
            let name = draft.document.get("name").cloned().unwrap();
            (name.as_str().unwrap().to_owned(), told)
        };
        assert_eq!(give("x"), ("ops/x".to_owned(), 0));
        assert_eq!(give("x"), ("ops/x-2".to_owned(), 1));
        assert_eq!(give("x-2"), ("ops/x-2-2".to_owned(), 1));
        assert_eq!(give("x"), ("ops/x-3".to_owned(), 1));
        let long = "y".repeat(ID_CHARS_MAX - 4);
        assert_eq!(give(&long).1, 0);
        assert_eq!(give(&long).0.len(), ID_CHARS_MAX);
    }
}
