//! A worker from its start to its end.

mod builder;
mod drain;
mod running;
mod signals;
mod stopped;

pub use builder::WorkerBuilder;
pub use running::RunningWorker;
pub use stopped::Stopped;

/// Where a worker begins.
#[derive(Debug, Clone, Copy)]
pub struct Worker;

impl Worker {
    /// A worker of the cluster that this tracker (`http://host:port`) belongs to; nothing is connected before it is started. Several
    /// trackers are divided by commas, and one of them must be reached: it names the others.
    pub fn builder(trackers: impl AsRef<str>) -> WorkerBuilder {
        WorkerBuilder::new(trackers.as_ref())
    }
}
