//! How attempts end: what their workers report, written in batches and confirmed, what leases that are over end, and who is told of it:
//! callers that wait, and jobs that follow.

mod attempt_logs;
mod confirm;
mod outbox;
mod reap;
mod release;
mod renew;
mod resolve;
mod settle;
mod settled_in;
mod waits;

pub(crate) use attempt_logs::AttemptLogs;
pub(crate) use confirm::answer_refused;
pub(crate) use outbox::Outbox;
pub(crate) use reap::Reaper;
pub(crate) use release::Releases;
pub(crate) use renew::Renewals;
pub(crate) use settle::{Reported, Settlements, Told, read};
pub(crate) use settled_in::SettledIn;
pub(crate) use waits::{WAITS_MAX, Waits};
