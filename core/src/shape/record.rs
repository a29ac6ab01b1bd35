//! The declaration of a map with known keys.

use serde_json::{Map, Value};

use super::form::{Defaults, Form};
use super::place::Place;
use super::reader::Reader;
use crate::error::Violations;

/// A type whose fields are keys of a map. The declaration is the only place that knows keys, forms and sentences.
pub trait Record: Sized + 'static {
    /// Every field at its default; what has none is not looked at where something else is wrong.
    fn blank() -> Self;

    /// What is the default of a field beside these others.
    fn usual(&self) -> Self {
        Self::blank()
    }

    /// What is wrong with its values, with paths below it: asked where a key is wrong as well, so that both are told at once.
    fn check(&self) -> Violations {
        Violations::new()
    }

    /// Shows the fields, in the order in which they are written.
    fn fields(visit: &mut impl Visitor<Self>);
}

/// Whether a key has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It may be missing, and is written where it differs from the default.
    Optional,
    /// It may be missing, and is always written.
    Stated,
    /// It has to be there.
    Needed,
}

/// A key, and what it is about.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The key.
    pub key: &'static str,
    /// One sentence for whoever fills it in.
    pub about: &'static str,
    /// Whether it has to be there.
    pub need: Need,
}

/// A key that may be missing.
#[must_use]
pub const fn optional(key: &'static str, about: &'static str) -> Field {
    let need = Need::Optional;
    Field { key, about, need }
}

/// A key that may be missing, and is written also where it is the default.
#[must_use]
pub const fn stated(key: &'static str, about: &'static str) -> Field {
    let need = Need::Stated;
    Field { key, about, need }
}

/// A key that has to be there.
#[must_use]
pub const fn needed(key: &'static str, about: &'static str) -> Field {
    let need = Need::Needed;
    Field { key, about, need }
}

/// Who is shown the fields of a record.
pub trait Visitor<S: 'static> {
    /// A field that is one value of the record.
    fn field<T, F>(&mut self, field: Field, form: F, place: impl Place<S, T>)
    where
        T: PartialEq + 'static,
        F: Form<T>;

    /// Keys that are more than one value, or share one.
    fn part(&mut self, part: &impl Part<S>);

    /// A key that is none, and what is right instead.
    fn misnamed(&mut self, key: &'static str, rule: &'static str);
}

/// Keys that are more than one value, or share one.
pub trait Part<S> {
    /// Reads them.
    fn read(&self, reader: &mut Reader<'_, '_>, into: &mut S);

    /// Writes them.
    fn write(&self, from: &S, defaults: Defaults, entries: &mut Vec<(&'static str, Value)>);

    /// Describes them; the keys that have to be there.
    fn describe(&self, properties: &mut Map<String, Value>) -> Vec<&'static str>;
}
