//! A cluster for one test: Redis, trackers and workers as processes or in the test's own runtime.
//!
//! Each test has a Redis of its own, so tests run beside each other. Everything ends with the test: processes are killed when their
//! handle is dropped, and leave by themselves when the test process is gone. Tests wait for facts ([`wait::until`]), never for time.
//!
//! Without a redis-server a test is skipped with a loud line; where `CI` or `TICKWHEEL_REQUIRE_REDIS` is set, that is an error.

pub mod canary;
pub mod client;
pub mod clock;
pub mod clock_shim;
pub mod fan;
pub mod handlers;
pub mod jobs;
pub mod operator;
pub mod process;
pub mod proxy;
pub mod readiness;
pub mod redis;
pub mod registered;
pub mod rig;
pub mod roles;
pub mod runs;
pub mod secrets;
pub mod small;
pub mod snapshot;
pub mod wait;
pub mod wire;
pub mod xcron;

pub use canary::Canary;
pub use client::Client;
pub use clock::{wall_ms, wall_us};
pub use process::Process;
pub use proxy::Proxy;
pub use redis::{Clients, Launch, Layout, RedisServer, SecureRedis, Sentinel};
pub use registered::Registered;
pub use rig::{Bins, Rig, RigOptions, TrackerOptions, WorkerOptions};
pub use runs::{Run, RunBook};
pub use secrets::{Secrets, Who};
pub use small::Small;
pub use snapshot::Snapshot;
pub use wait::{until, until_clock};
pub use xcron::Xcron;
