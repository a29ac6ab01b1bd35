//! How values stand in a file, or in a request. One declaration of the fields of a type ([`Record`]) is walked four times: to read a document,
//! to write one, to describe documents in JSON Schema, and to check the ranges of values wherever they come from. What a single value looks
//! like is its [`Form`].
//!
//! Reading collects every mistake, each under the path of its key; nothing here knows jobs.
//!
//! ```
//! use serde_json::json;
//! use tickwheel_core::shape::{Fields, Form as _, Record, Visitor, Whole, needed, optional, place};
//!
//! #[derive(Default)]
//! struct Page {
//!     size: u64,
//!     number: u64,
//! }
//!
//! impl Record for Page {
//!     fn blank() -> Self {
//!         Self::default()
//!     }
//!
//!     fn fields(visit: &mut impl Visitor<Self>) {
//!         visit.field(needed("size", "Entries of a page."), Whole::of(1, 100), place!(Self: size));
//!         visit.field(optional("number", "Which."), Whole::of(0, 9), place!(Self: number));
//!     }
//! }
//!
//! let page: Page = Fields::map().read(&json!({ "size": 20 }))?;
//! assert_eq!((page.size, page.number), (20, 0));
//! let wrong = Fields::<Page>::map().read(&json!({ "sise": 20 })).err().unwrap_or_default();
//! assert_eq!(wrong.len(), 2);
//! # Ok::<(), tickwheel_core::Violations>(())
//! ```

mod choice;
mod fields;
mod form;
mod list;
mod place;
mod reader;
mod record;
mod scalar;
mod walks;

pub use choice::{Exactly, Unit};
pub use fields::Fields;
pub use form::{Defaults, Form, Maybe, Via};
pub use list::{List, Named};
pub use place::{Found, Place, Within, place};
pub use reader::{Reader, map, shown, text};
pub use record::{Field, Need, Part, Record, Visitor, needed, optional, stated};
pub use scalar::{Json, Name, Parsed, SPAN, Span, TEXT, Text, WHEN, When, Whole, Words};
pub use walks::{check_fields, describe_fields, read_fields, write_fields};
