//! The smallest worker: one handler, until SIGTERM.
//!
//! Needs a tracker: `cargo run -p tickwheel-worker --example minimal`.

use tickwheel_worker::{Context, Error, Stopped, Worker};

#[tokio::main]
async fn main() -> Result<Stopped, Error> {
    tracing_subscriber::fmt().init();
    Worker::builder("http://127.0.0.1:7400")
        .handle("hello", |ctx: Context, name: Option<String>| async move {
            let name = name.unwrap_or_else(|| "world".to_owned());
            ctx.log(format!("hello, {name}"));
            Ok(())
        })
        .run()
        .await
}
