//! What `tickwheel dev` and `tickwheel quickstart` run in one process: a Redis of their own, a tracker, the demo worker.

mod cluster;
mod datadir;
mod demo;
mod lateness;
mod redis;
mod redis_wire;

pub(crate) use cluster::{DevCluster, DevOptions};
pub(crate) use demo::demo_worker;
pub(crate) use lateness::Lateness;
