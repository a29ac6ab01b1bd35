//! Contexts with subtasks: split when they are due, mapped and read by their handlers, looked after when workers go.

mod expand;
mod lost_parts;
mod map_pages;
mod results;

pub(crate) use expand::{Expansion, WAIT};
pub(crate) use lost_parts::LostParts;
pub(crate) use map_pages::MapPages;
pub(crate) use results::ResultPages;
