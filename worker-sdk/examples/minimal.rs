//! The smallest worker: one handler, until SIGTERM.
//!
//! Needs a tracker: `cargo run -p tickwheel-worker --example minimal`.

use tickwheel_worker::{Context, Error, Worker};

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing_subscriber::fmt().init();
    Worker::connect("http://127.0.0.1:7400")
        .handle("hello", |ctx: Context, name: Option<String>| async move {
            let name = name.unwrap_or_else(|| "world".to_owned());
            ctx.log(format!("hello, {name}")).await;
            Ok(())
        })
        .run()
        .await?;
    Ok(())
}
