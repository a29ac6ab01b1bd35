//! How values stand in a file. One declaration of the fields of a type ([`Record`]) is walked three times: to read a file, to write one, and to
//! describe files in JSON Schema. What a single value looks like is its [`Form`].
//!
//! Reading collects every mistake, each under the path of its key; nothing here knows jobs.

mod choice;
mod fields;
mod form;
mod list;
mod place;
mod reader;
mod record;
mod scalar;
mod walks;

pub(crate) use choice::{Exactly, Unit};
pub(crate) use fields::Fields;
pub(crate) use form::{Form, Maybe, Via};
pub(crate) use list::{List, Named};
pub(crate) use place::{Place, place};
pub(crate) use reader::{Reader, map, shown};
pub(crate) use record::{Part, Record, Visitor, needed, optional, stated};
pub(crate) use scalar::{Json, Name, Parsed, SPAN, TEXT, Text, WHEN, Whole, Words};
pub(crate) use walks::{describe_fields, read_fields, write_fields};

pub use form::Defaults;
