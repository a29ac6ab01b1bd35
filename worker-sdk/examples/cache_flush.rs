//! Broadcast: every live worker drops its cache, each once. What a worker that is lost would have done is done by nobody else.
//!
//! `tickwheel dev`, `tickwheel apply -f deploy/examples/models.yaml`, three of this program, `tickwheel job run models/cache-flush`.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tickwheel_worker::{Context, Worker};

#[tokio::main]
async fn main() -> Result<(), tickwheel_worker::Error> {
    tracing_subscriber::fmt().init();
    let cache: Arc<Mutex<HashMap<u64, String>>> = Arc::default();
    Worker::builder("http://127.0.0.1:7400")
        .group("caches")
        .handle("flush", move |ctx: Context, (): ()| {
            let mut cache = cache.lock();
            let flushed = cache.len();
            cache.clear();
            drop(cache);
            async move {
                let place = ctx.shard().map(|shard| (shard.index, shard.total));
                ctx.log(format!("{flushed} entries are gone; worker {place:?}"));
                Ok(flushed)
            }
        })
        .run()
        .await
        .map(drop)
}
