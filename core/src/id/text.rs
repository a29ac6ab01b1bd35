//! The names that are plain text: jobs, groups, handlers, workers, trackers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::bounds::ID_CHARS_MAX;
use crate::error::Violation;
use crate::id::digits::base36;

/// The namespace of a job whose name has none, and of a context that was submitted without one.
pub(super) const DEFAULT_NAMESPACE: &str = "default";

/// Checks a name against the common character set and length.
fn checked(field: &'static str, text: &str) -> Result<(), Violation> {
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b'-');
    let rule = if text.is_empty() {
        "is not empty".to_owned()
    } else if !text.bytes().all(allowed) {
        "consists of letters, digits and . _ / -".to_owned()
    } else if text.len() > ID_CHARS_MAX {
        format!("has at most {ID_CHARS_MAX} characters")
    } else {
        return Ok(());
    };
    Err(Violation::new(field, rule, text))
}

/// Text newtypes over one checked string; `$normalise` turns the given text into the kept one.
macro_rules! text_id {
    ($(#[$meta:meta])* $name:ident, $field:literal, $normalise:path) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks and keeps the name.
            ///
            /// # Errors
            /// A violation when it is empty, too long, or has other characters than letters, digits and `. _ / -`. A name of a job, a group or
            /// a handler also begins with a letter, a digit or `_`, and so does each of its parts behind a slash.
            pub fn new(text: impl AsRef<str>) -> Result<Self, Violation> {
                $normalise($field, text.as_ref()).map(Self)
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = Violation;

            fn from_str(text: &str) -> Result<Self, Violation> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Violation;

            fn try_from(text: String) -> Result<Self, Violation> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = Violation;

            fn try_from(text: &str) -> Result<Self, Violation> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

/// A name that people write into paths, links and command lines: each part between slashes begins with a letter, a digit or `_`, so that none
/// is empty, `.`, `..` or an option.
fn in_parts(field: &'static str, text: &str) -> Result<String, Violation> {
    checked(field, text)?;
    let begins = |part: &str| {
        part.starts_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '_')
    };
    if !text.split('/').all(begins) {
        let rule = "begins with a letter, a digit or _, behind each slash too";
        return Err(Violation::new(field, rule, text));
    }
    Ok(text.to_owned())
}

fn plain(field: &'static str, text: &str) -> Result<String, Violation> {
    checked(field, text).map(|()| text.to_owned())
}

fn with_namespace(field: &'static str, text: &str) -> Result<String, Violation> {
    let full = if text.is_empty() || text.contains('/') {
        text.to_owned()
    } else {
        format!("{DEFAULT_NAMESPACE}/{text}")
    };
    checked(field, &full)?;
    if full.starts_with('/') || full.ends_with('/') {
        return Err(Violation::new(
            field,
            "has a name on both sides of its slash",
            text,
        ));
    }
    in_parts(field, &full)
}

fn one_part(field: &'static str, text: &str) -> Result<String, Violation> {
    if text.contains('/') {
        return Err(Violation::new(field, "has no slash", text));
    }
    in_parts(field, text)
}

text_id!(
    /// What belongs together: jobs, and contexts submitted alone, with their dedup keys, budgets and, later, permissions. Without a slash.
    Namespace,
    "namespace",
    one_part
);
text_id!(
    /// Full name of a job, `namespace/name`. A name without a slash is in the namespace `default`.
    JobName,
    "name",
    with_namespace
);
text_id!(
    /// Group of workers that a context is meant for.
    GroupName,
    "group",
    in_parts
);
text_id!(
    /// Name of the handler a worker runs for a context.
    HandlerName,
    "handler",
    in_parts
);
text_id!(
    /// One process start of a worker: `<name>-<8 random base-36 digits>`, never used twice.
    WorkerId,
    "worker",
    plain
);
text_id!(
    /// One process start of a tracker: `trk-<incarnation in base 36>`.
    TrackerId,
    "tracker",
    plain
);
impl Namespace {
    /// What stands behind the unique part of the id of a context submitted alone, and behind its dedup key: `@<namespace>/`, and nothing for
    /// `default`.
    #[must_use]
    pub fn suffix(&self) -> String {
        if self.0 == DEFAULT_NAMESPACE {
            String::new()
        } else {
            format!("@{}/", self.0)
        }
    }
}

impl Default for Namespace {
    /// That of names that say none.
    fn default() -> Self {
        Self(DEFAULT_NAMESPACE.to_owned())
    }
}

impl JobName {
    /// The part before the first slash.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.0
            .split_once('/')
            .map_or(DEFAULT_NAMESPACE, |(namespace, _)| namespace)
    }

    /// The part after the first slash.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0
            .split_once('/')
            .map_or(self.0.as_str(), |(_, name)| name)
    }
}

impl Default for GroupName {
    /// The group of jobs and workers that name none.
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl JobName {
    /// Stands for a name that is wrong while the rest of a document is checked.
    #[cfg(feature = "schedule")]
    pub(crate) fn placeholder() -> Self {
        Self("default/unnamed".to_owned())
    }
}

impl HandlerName {
    /// Stands for a name that is wrong while the rest of a document is checked.
    #[cfg(feature = "schedule")]
    pub(crate) fn placeholder() -> Self {
        Self("unnamed".to_owned())
    }
}

impl WorkerId {
    /// The id of one process start of the worker called `name`; `random` makes it unique.
    ///
    /// # Errors
    /// A violation when the name is empty, too long or has other characters than letters, digits and `. _ / -`.
    pub fn compose(name: &str, random: u64) -> Result<Self, Violation> {
        /// 36^8: eight digits.
        const DIGITS: u64 = 2_821_109_907_456;
        checked("worker", name)?;
        Self::new(format!("{name}-{}", base36(random % DIGITS, 8)))
    }
}

impl TrackerId {
    /// The id of the tracker process with this incarnation number.
    #[must_use]
    pub fn of_incarnation(incarnation: u64) -> Self {
        Self(format!("trk-{}", base36(incarnation, 1)))
    }
}
