//! Threads beside those that turn the wheel: what they do, however long, stops no turn and no session.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// Some threads of their own. Dropping it ends what runs there without waiting for it.
#[derive(Debug)]
pub(crate) struct Front {
    runtime: Option<Runtime>,
    handle: Handle,
}

impl Front {
    /// So many threads under this name.
    pub(crate) fn start(name: &str, threads: usize) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name(name)
            .enable_all()
            .build()?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }

    /// The way to them.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
