//! What stands between peers and the services: how many connections, how long for what, and how much memory a message may take.
//!
//! Nothing behind this has to wait for a peer, and nothing a peer does here can stop a turn: connections are counted when they are accepted
//! (`incoming.rs`), watched as they shake hands and for floods of frames (`stream.rs`, `frames.rs`), calls are watched as their messages
//! arrive and are answered on threads of their own (`calls.rs`, `request.rs`, `front.rs`).

pub(crate) mod calls;
pub(crate) mod descriptors;
pub(crate) mod front;
pub(crate) mod incoming;

mod frames;
mod framing;
mod memory;
mod peers;
mod request;
mod seldom;
mod stream;

pub(crate) use calls::Guard;
pub(crate) use front::Front;
pub(crate) use memory::Memory;
pub(crate) use peers::Peers;
pub(crate) use stream::Watched;
