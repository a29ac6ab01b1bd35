//! Whether Redis is there, set up and heard as a tracker needs it.

mod hearing;
mod history;
mod outage;
mod room;
mod settings;

pub(crate) use hearing::watch as watch_hearing;
pub(crate) use history::HistoryTending;
pub(crate) use outage::Outage;
pub(crate) use room::Room;
pub(crate) use settings::{Settings, report};
