//! What `tickwheel dev` and `tickwheel quickstart` run in one process: a Redis of their own, a tracker, the worker with the built-in handlers.

mod builtin;
mod cluster;
mod datadir;
mod demo;
mod lateness;
mod redis;
mod redis_wire;

pub(crate) use builtin::builtin_worker;
pub(crate) use cluster::{DevCluster, DevOptions};
pub(crate) use lateness::Lateness;
