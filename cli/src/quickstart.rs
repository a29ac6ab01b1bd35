//! What `tickwheel quickstart` does with the example jobs: watches their ledgers and runs through the API, shows what is
//! new, and at the end holds the ledgers against the calendar.
//!
//! `book` keeps what was seen, `audit` finds what is missing, `watch` asks the tracker, `summary` counts.

mod audit;
mod book;
mod show;
mod summary;
mod watch;

pub(crate) use book::News;
pub(crate) use show::line;
pub(crate) use summary::Summary;
pub(crate) use watch::{LOOK_EVERY, Watch, redis_time};
