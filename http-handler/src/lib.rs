//! The built-in handler `http`: a job that is one call of a URL needs no program of its own.
//!
//! Whoever may submit a context decides where the worker connects to, so that all of it goes through a [`Guard`]: what is not public is
//! refused unless the operator allows it, by the address that the connection is made to and not by what a name promises. Nothing of an
//! answer that failed is shown. Written against the worker SDK as any other handler; docs/http-handler.md is its page.
//!
//! The feature `handler` is on unless turned off; without it the guard is alone, for who judges URLs and calls none.
//!
//! Not here: signatures of webhooks, proxies, HTTP/2, connections that are kept open.

#[cfg(feature = "handler")]
mod call;
#[cfg(feature = "handler")]
mod connect;
#[cfg(feature = "handler")]
mod exchange;
#[cfg(feature = "handler")]
mod failure;
#[cfg(feature = "handler")]
mod following;
mod guard;
#[cfg(feature = "handler")]
mod handler;
#[cfg(feature = "handler")]
mod reading;
#[cfg(feature = "handler")]
mod resolve;
#[cfg(feature = "handler")]
mod retry_after;

pub use guard::{Class, Entries, Guard, Ports, Refusal, Target};
#[cfg(feature = "handler")]
pub use handler::HttpHandler;
#[cfg(feature = "handler")]
pub use resolve::{Resolve, SystemResolver};
