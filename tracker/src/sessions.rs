//! Workers' streams: who is connected, what each can take, and what its frames say.

mod cancel;
mod credit;
mod faults;
mod handlers;
mod hello;
mod in_flight;
pub(crate) mod items;
mod offering;
mod registry;
mod report;
mod session;
mod spoken;
mod units;

pub(crate) use cancel::cancel;
pub(crate) use hello::checked;
pub(crate) use in_flight::Slot;
pub(crate) use registry::{Live, Offered, Sessions};
#[cfg(test)]
pub(crate) use session::transport;
pub(crate) use session::{FRAMES_MAX, Frame, Session};
pub(crate) use spoken::spoken;
