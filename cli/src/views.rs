//! What the API answers, as it is shown to people: cells of rows and lines, one file per noun. What programs are given is the answers
//! themselves (`tickwheel-api`), which are the bodies of the HTTP API too.

mod access;
mod applied;
mod bytes;
mod cluster;
mod dead;
mod fan;
mod group;
mod job;
mod job_stats;
mod ledger;
mod limits;
mod live;
mod log;
mod looked;
mod model;
mod overview;
mod preview;
mod run;
mod spec;
mod submitted;
mod upcoming;
mod wheel;
mod worker;

pub(crate) use dead::print_dead;
pub(crate) use fan::print_subtasks;
pub(crate) use job_stats::print_job_stats;
pub(crate) use live::ended_run_text;
pub(crate) use log::log_line_text;
pub(crate) use looked::{next_look, tell_cut, tell_horizon};
pub(crate) use overview::overview_text;
pub(crate) use preview::print_previews;
pub(crate) use wheel::wheel_text;
