//! TLS with Redis: which authorities are believed, and who this program is to a server that asks.
//!
//! What is in the files (`files`) is looked at again and again (`renew`), and what is new is used for connections from then on (`live`). Why
//! a server is not believed is told by `peer`.

mod config;
mod files;
mod live;
mod peer;
mod renew;
#[cfg(test)]
mod tests;

pub use config::Tls;
pub(super) use config::is_meant;
pub(super) use live::Live;
pub(super) use peer::why;
pub(super) use renew::renew;
