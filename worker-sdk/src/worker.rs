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
    /// A worker of the cluster this tracker (`http://host:port`) belongs to. It learns the other trackers' addresses from
    /// the first one it reaches.
    pub fn connect(url: impl Into<String>) -> WorkerBuilder {
        WorkerBuilder::new(vec![url.into()])
    }

    /// Like [`connect`](Self::connect), with several trackers to begin with: one of them must be reached.
    pub fn connect_any<I>(urls: I) -> WorkerBuilder
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        WorkerBuilder::new(urls.into_iter().map(Into::into).collect())
    }
}
